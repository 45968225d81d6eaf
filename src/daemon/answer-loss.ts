// A storer confesses that it lost cells of ours. Its copy does not count as proved any more, and it is checked at
// once; what it confessed is no failed check.

import type { OnionId } from '../core/ids.ts';
import { PeerRefusal } from '../core/refusal.ts';
import { planFor } from './plan.ts';
import { updateReplica } from './replica.ts';
import type { Session } from './session.ts';

/** UNKNOWN_CONTENT for a revision that this peer was never offered. */
export async function answerLoss(session: Session, caller: OnionId, contentId: Buffer): Promise<void> {
  const replica = session.registry.contract(caller)?.replica;
  if (replica?.lists.some((list) => list.equals(contentId)) !== true) throw new PeerRefusal('UNKNOWN_CONTENT');
  await updateReplica(session, caller, (old) => ({
    ...old,
    proved: old.proved.equals(contentId) ? Buffer.alloc(0) : old.proved,
    lastChecked: old.lastChecked.equals(contentId) ? Buffer.alloc(0) : old.lastChecked,
  }));
  session.bus.emit('loss-reported', { peer: caller });
  planFor(session, 'check', caller, 0);
}
