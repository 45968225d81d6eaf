// What two peers tell each other whenever they meet: which revision is held for whom. The storer's
// report is the acknowledgement of a revision, and the owner's first word after a dead disk.

import { BbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import type { ContractRecord, ReplicaRecord } from '../core/records.ts';
import type { RevisionReport } from '../ports/peer-client.ts';
import { judgeOwnId } from './lineage.ts';
import { isStanding, openTerms, step } from './contracts.ts';
import { openOwnId } from './own-id.ts';
import { noteForks, noteHolder } from './holders.ts';
import { planFor } from './plan.ts';
import { defaulted } from './repull.ts';
import { emptyReplica, updateReplica, wantsPublish } from './replica.ts';
import { currentHeld, markReported } from './held.ts';
import type { Session } from './session.ts';
import { planDrop } from './superseded.ts';

/** Asks the peer for the state of both contents, telling it what we hold, and acts on the answer. */
export async function meet(session: Session, peer: OnionId, signal: AbortSignal): Promise<RevisionReport> {
  const held = currentHeld(session, peer);
  const acknowledged = session.registry.contract(peer)?.replica.acknowledged;
  // Before the owner can know: from then on a newer revision keeps this one for its hold.
  if (held !== undefined) await markReported(session, held.id);
  const report = await session.client.getContentRevision(peer, held?.value.contentId ?? Buffer.alloc(0), { signal });
  session.untold.delete(peer);
  session.metMs.set(peer, session.deps.clock.monotonicMs());
  noteStateThere(session, peer, report.contractState);
  if (report.responderRecovering) session.recoveringPeers.add(peer);
  else session.recoveringPeers.delete(peer);
  if (session.node.mode === 'normal') await readReport(session, peer, report, acknowledged);
  else await noteHolder(session, peer, report);
  return report;
}

/** The peer's side of the contract: when it is not well with us, our user is warned. */
function noteStateThere(session: Session, peer: OnionId, state: RevisionReport['contractState']): void {
  const before = session.peerStates.get(peer);
  if (state === undefined) session.peerStates.delete(peer);
  else session.peerStates.set(peer, state);
  if (state !== before) session.bus.emit('contract-state-there', { peer, from: before ?? '', to: state ?? '' });
}

/** `acknowledged` when the peer was asked: what it reported since then is newer than this answer. */
async function readReport(
  session: Session,
  peer: OnionId,
  report: RevisionReport,
  acknowledged: Buffer | undefined,
): Promise<void> {
  const contract = session.registry.contract(peer);
  for (const id of [report.requesterLatestKnown, report.requesterContent?.contentId ?? Buffer.alloc(0)]) {
    if (!(await judgeOwnId(session, peer, id))) return;
  }
  await noteForks(session, peer, report);
  if (contract === undefined) return;
  if (openTerms(contract) !== undefined || contract.noticeGivenSeconds >= 0) planFor(session, 'close', peer, 0);
  notePull(session, peer, report);
  const id = report.requesterContent?.contentId ?? Buffer.alloc(0);
  if (id.length > 0) await acknowledge(session, peer, id);
  if (contract.replica.acknowledged === acknowledged && acknowledged.length > 0) {
    if (id.length === 0) await replicaGone(session, contract, report.contractState);
    else if (isBehind(session, peer, id)) await replicaBehind(session, peer);
  }
  await session.registry.updateContract(peer, (old) => ({
    ...(old ?? contract),
    ourRemainingSeconds: report.requesterRemainingSeconds,
    replica: { ...(old ?? contract).replica, latestKnown: report.requesterLatestKnown },
  }));
  if (!session.judged.has(peer)) planFor(session, 'check', peer, 0);
  const updated = session.registry.contract(peer);
  if (updated !== undefined && wantsPublish(session, updated)) {
    planFor(session, 'publish', peer, 0);
  }
}

/** A pull that was accepted may turn out not to fit, and after our restart this is the only word of a refusal. */
function notePull(session: Session, peer: OnionId, { requesterLatestKnown, requesterPull }: RevisionReport): void {
  if (requesterPull === 'NONE') return;
  session.uploads.answered(peer, requesterLatestKnown, requesterPull === 'PULLING' ? undefined : requesterPull);
}

/** The peer reports that it holds this revision of ours in full. Only a check proves it. */
export async function acknowledge(session: Session, peer: OnionId, contentId: Buffer): Promise<void> {
  const contract = session.registry.contract(peer);
  if (contract === undefined || contract.replica.acknowledged.equals(contentId)) return;
  if (!contract.replica.lists.some((list) => list.equals(contentId))) return;
  const before = contract.replica.lists;
  const isFirst = contract.replica.acknowledged.length === 0;
  await updateReplica(session, peer, (replica) => ({
    ...replica,
    acknowledged: contentId,
    acknowledgedMs: session.deps.clock.nowMs(),
    lists: keptLists(replica, contentId),
  }));
  if (isFirst) await startProofPeriod(session, peer);
  session.uploads.close(peer);
  const revision = openOwnId(session, contentId);
  session.bus.emit('revision-acknowledged', { peer, sequence: String(revision?.sequence ?? 0) });
  planDrop(session, before);
  planFor(session, 'check', peer, 0);
  planFor(session, 'publish', peer, 0); // a newer revision may have waited for this one
}

/** The peer holds a revision of ours that it had before the one that it acknowledged: its memory was put back. */
export function isBehind(session: Session, peer: OnionId, reported: Buffer): boolean {
  const replica = session.registry.contract(peer)?.replica;
  if (replica === undefined || reported.length === 0 || replica.acknowledged.length === 0) return false;
  const isKnown = replica.acknowledged.equals(reported) || replica.lists.some((list) => list.equals(reported));
  return !isKnown && openOwnId(session, reported) !== undefined;
}

/** The cells may all be there still, but it does not know what they make up: offered anew, and no default. */
async function replicaBehind(session: Session, peer: OnionId): Promise<void> {
  await forgetReplica(session, peer);
  session.bus.emit('replica-behind', { peer });
}

/** From the first acknowledgement on a copy has to be proved. */
function startProofPeriod(session: Session, peer: OnionId): Promise<unknown> {
  return session.registry.updateContract(peer, (contract) => {
    if (contract === undefined) throw new BbError('NO_CONTRACT', 'the contract is gone');
    return { ...contract, provedSeconds: session.node.countedSeconds };
  });
}

/** The lists that this peer may still serve or pull: the acknowledged one and a newer offer. */
function keptLists(replica: ReplicaRecord, acknowledged: Buffer): Buffer[] {
  return replica.lists.filter((list) => list.equals(acknowledged) || list.equals(replica.offered));
}

async function forgetReplica(session: Session, peer: OnionId): Promise<void> {
  const proved = session.registry.contract(peer)?.replica.proved ?? Buffer.alloc(0);
  await updateReplica(session, peer, (replica) => emptyReplica(replica));
  session.uploads.close(peer);
  planDrop(session, [proved]);
}

/**
 * A storer that acknowledged a revision and now holds nothing has lost it: a default, and offered again from nothing. What
 * went with a contract that ended was let go by agreement.
 */
async function replicaGone(
  session: Session,
  { peer, state, reason }: ContractRecord,
  stateThere: RevisionReport['contractState'],
): Promise<void> {
  const isDefault = isStanding(state) && state !== 'ENDING';
  const overThere = 'for the peer the contract is over, and our bytes there are gone';
  if (isDefault) await defaulted(session, peer, stateThere === 'RELEASED' ? overThere : 'the peer lost its copy');
  else if (state === 'ENDING') {
    await step(session, peer, { kind: 'defaulted' }, `${reason}, and our bytes there are gone`);
  }
  await forgetReplica(session, peer);
  if (isDefault) session.bus.emit('replica-lost', { peer });
}
