// A storer confesses that it lost cells of ours. Its copy does not count as proved any more and is checked again; what it
// confessed is no failed check. More than the repair allowance is a default (docs/protocol.md, "Damage").

import { blobCellCount } from '../core/challenge/plan.ts';
import type { OnionId } from '../core/ids.ts';
import { repairLeftCells } from '../core/policy/repair.ts';
import type { ReplicaRecord } from '../core/records.ts';
import { PeerRefusal } from '../core/refusal.ts';
import type { LossReport } from '../ports/peer-client.ts';
import { planFor } from './plan.ts';
import { updateReplica } from './replica.ts';
import { defaulted } from './repull.ts';
import type { Session } from './session.ts';

/** Checks in vain in a row before the calls of a storer that confessed a loss have to wait. */
const RECHECKS_AT_ONCE = 3;

/** UNKNOWN_CONTENT for a revision that this peer was never offered, BAD_RANGE for cells that it does not have. */
export async function answerLoss(session: Session, caller: OnionId, { contentId, ranges }: LossReport): Promise<void> {
  const replica = session.registry.contract(caller)?.replica;
  const row = await session.deps.catalog.revision(contentId);
  if (row === undefined || replica?.lists.some((list) => list.equals(contentId)) !== true) {
    throw new PeerRefusal('UNKNOWN_CONTENT');
  }
  const blobCells = blobCellCount(row);
  if (ranges.some(({ startCell, cells }) => startCell + cells > blobCells)) throw new PeerRefusal('BAD_RANGE');
  const cells = ranges.reduce((sum, range) => sum + range.cells, 0);
  await voidProof(session, caller, contentId);
  // It is whole again when it calls; the check that is due now would only cut its repair.
  const lastCheckMs = session.deps.clock.nowMs();
  await updateReplica(session, caller, (old) => ({ ...old, lastOutcome: 'late', lastCheckMs }));
  session.bus.emit('loss-reported', { peer: caller, cells: String(cells) });
  const left = repairLeftCells(replica.loss, blobCells, session.node.countedSeconds);
  if (cells > left && replica.acknowledged.equals(contentId)) {
    await defaulted(session, caller, 'the peer lost more of its copy than may be repaired');
  }
  // The storer calls when it is whole again; this is for one that does not.
  planFor(session, 'check', caller, session.deps.periods.contractRetry);
}

/** What was proved of this revision is not true any more. */
export async function voidProof(session: Session, peer: OnionId, contentId: Buffer): Promise<void> {
  const none = Buffer.alloc(0);
  await updateReplica(session, peer, (old) => ({
    ...old,
    proved: old.proved.equals(contentId) ? none : old.proved,
    lastChecked: old.lastChecked.equals(contentId) ? none : old.lastChecked,
  }));
}

/**
 * A storer that confessed a loss is in touch and says that it holds the revision: it is asked at once. It says so before it is
 * whole again, too, so after a few checks in vain its calls have it asked no more often than it answers.
 */
export async function recheckAfterLoss(session: Session, peer: OnionId, held: Buffer): Promise<void> {
  const replica = session.registry.contract(peer)?.replica;
  if (replica === undefined || !isVoid(replica) || held.length === 0 || !replica.acknowledged.equals(held)) return;
  const sinceCheckMs = session.deps.clock.nowMs() - replica.lastCheckMs;
  const isOld = sinceCheckMs < 0 || sinceCheckMs >= session.deps.periods.challengeRefill;
  if (!isOld && (session.checkFailures.get(peer) ?? 0) >= RECHECKS_AT_ONCE) return;
  let isMeant = false;
  // A check that was under way may have been judged meanwhile: what it found stands.
  await updateReplica(session, peer, (old) => {
    isMeant = isVoid(old);
    return isMeant ? { ...old, lastOutcome: undefined } : old;
  });
  if (isMeant) planFor(session, 'check', peer, 0);
}

function isVoid({ proved, lastChecked }: ReplicaRecord): boolean {
  return proved.length === 0 && lastChecked.length === 0;
}
