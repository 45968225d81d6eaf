// What becomes of damaged cells: they are healed by tasks of the running node, which are planned here.

import { splitIds } from './commit-revision.ts';
import { plan } from './plan.ts';
import type { Session } from './session.ts';

const HEALED = {
  own: 'they are fetched from peers that hold them',
  peers: 'their owners are told, and the cells are fetched again',
} as const;

/** In words. `session` is undefined while the node is locked; `fix` has the packs looked at now. */
export function planRepairs(session: Session | undefined, store: 'own' | 'peers', fix: boolean): string {
  if (session === undefined) return `once the node is unlocked ${HEALED[store]}`;
  const left = store === 'own' ? splitIds(session.ownDamage.lost).length : 0;
  if (fix) plan(session, 'packs', 0);
  else if (left > 0) return `they are being fetched from peers that hold them, ${left} left`;
  return fix ? `${HEALED[store]} now` : `with --fix ${HEALED[store]} now`;
}
