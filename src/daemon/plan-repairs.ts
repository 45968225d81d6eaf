// What becomes of damaged cells, in words.

import type { Daemon } from './daemon.ts';
import type { Session } from './session.ts';

/** `fix`: it is begun now instead of at the next turn. */
export function planRepairs(_node: Daemon | Session, store: 'own' | 'peers', _fix: boolean): string {
  return store === 'own'
    ? 'set the files again, or recover them from peers'
    : 'their owners are told at the next check';
}
