// The last check of a replica in words. What was proved need not be what the storer holds now, and must not be taken for it.

import type { Replica } from '../src/gen/clirpc/v1/clirpc.ts';
import { formatAgo } from './format.ts';
import { safeText } from './safe-text.ts';

/** True when the last check was held, and was about another revision than the one that is there now. */
export function isOlderProved({ outcome, sequence, provedSequence }: Replica): boolean {
  return outcome === 'held' && provedSequence !== 0n && provedSequence !== sequence;
}

/** "held 5 min ago", with the revision where it is not the one that is there now; empty when there was no check. */
export function checkText(replica: Replica, nowMs: number): string {
  if (replica.outcome === '') return '';
  const of = isOlderProved(replica) ? `revision ${replica.provedSequence} ` : '';
  return `${of}${safeText(replica.outcome)} ${formatAgo(replica.checkedMs, nowMs)}`;
}
