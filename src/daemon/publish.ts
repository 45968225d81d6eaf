// Tells a storer of our newest revision. The storer then pulls it. The compare-and-swap on the
// storer's latest_known, under the lineage rule, is what keeps a fresh node from replacing the only
// copies (docs/protocol.md, "Lineage").
// Invariant: we name as previous only an id that we sealed or recovered, or an authentic one at or
// below our base, or once an id that does not open.

import { rootOfLeaves } from '../core/content/merkle.ts';
import { CELL_BYTES, CELLS_IN_FLIGHT } from '../core/limits.ts';
import type { OnionId } from '../core/ids.ts';
import type { ContractRecord, ReplicaRecord } from '../core/records.ts';
import type { RevisionRow } from '../ports/catalog.ts';
import { judgeOwnId } from './lineage.ts';
import type { Newest, Session } from './session.ts';

const PUBLISHING_STATES = new Set(['ACTIVE', 'DEGRADED', 'GRACE']);

export function planPublishAll(session: Session, delayMs: number): void {
  for (const contract of session.registry.contracts()) planPublish(session, contract.peer, delayMs);
}

export function planPublish(session: Session, peer: OnionId, delayMs: number): void {
  session.scheduler.plan('publish', `publish:${peer}`, delayMs, (signal) => publish(session, peer, signal));
}

export function blobCells(row: RevisionRow): number {
  return 2 * row.headCells + row.indexCells + row.dataCells;
}

/** True when this peer should be told of our newest revision. */
export function wantsPublish(session: Session, contract: ContractRecord): boolean {
  return (
    session.node.mode === 'normal' &&
    session.newest !== undefined &&
    PUBLISHING_STATES.has(contract.state) &&
    !contract.replica.acknowledged.equals(session.newest.row.contentId)
  );
}

async function publish(session: Session, peer: OnionId, signal: AbortSignal): Promise<void> {
  const contract = session.registry.contract(peer);
  const newest = session.newest;
  if (contract === undefined || newest === undefined || !wantsPublish(session, contract)) return;
  if (!session.reach.isReachable(peer)) return; // the next contact plans this again
  const busyMs = busyPull(session, contract, newest);
  if (busyMs > 0) return planPublish(session, peer, busyMs);
  const root = await sealForPeer(session, peer, newest, signal);
  if (signal.aborted || session.newest !== newest) return planPublish(session, peer, 0);
  await offer(session, peer, newest, root, signal);
  // Acknowledged or not, look again: an offer may get lost, and so may its acknowledgement.
  planPublish(session, peer, session.deps.periods.publishRetry);
}

/** How long to leave an unfinished pull of an older offer alone. */
function busyPull(session: Session, contract: ContractRecord, newest: Newest): number {
  const { offered, acknowledged } = contract.replica;
  if (offered.length === 0 || offered.equals(acknowledged) || offered.equals(newest.row.contentId)) return 0;
  const progressMs = session.uploads.progressMs(contract.peer, offered);
  if (progressMs === undefined) return 0;
  return Math.max(0, progressMs + session.deps.periods.pullProgress - session.deps.clock.monotonicMs());
}

/** Makes sure that every leaf of the blob as sealed for this peer is known; returns the tree root. */
export async function sealForPeer(
  session: Session,
  peer: OnionId,
  newest: Newest,
  signal: AbortSignal,
): Promise<Buffer> {
  const { catalog, workers } = session.deps;
  const { contentId } = newest.row;
  const unknown = await catalog.unknownLeaves(peer, contentId);
  if (unknown.length > 0) {
    const job = session.jobs.start('seal');
    try {
      for (let from = 0; from < unknown.length && !signal.aborted; from += CELLS_IN_FLIGHT * 4) {
        const cells = unknown.slice(from, from + CELLS_IN_FLIGHT * 4);
        await catalog.putLeaves(peer, contentId, cells, await workers.sealLeaves(peer, contentId, cells));
        job.progress('seal', (from + cells.length) * CELL_BYTES, unknown.length * CELL_BYTES);
      }
      job.end('done');
    } catch (error) {
      job.end('failed');
      throw error;
    }
  }
  const leaves = await catalog.peerLeaves(peer, contentId);
  return leaves === undefined ? Buffer.alloc(0) : rootOfLeaves(leaves);
}

async function offer(
  session: Session,
  peer: OnionId,
  newest: Newest,
  root: Buffer,
  signal: AbortSignal,
): Promise<void> {
  const contract = session.registry.contract(peer);
  if (contract === undefined || root.length === 0) return;
  const { contentId } = newest.row;
  await rememberOffer(session, peer, contentId);
  const answer = await session.client.setContentRevision(
    peer,
    {
      content: { contentId, contentBytes: blobCells(newest.row) * CELL_BYTES, root },
      previousContentId: contract.replica.latestKnown,
      delete: false,
      newCells: await newCells(session, contract.replica, newest.row),
    },
    { signal },
  );
  session.bus.emit('revision-offered', {
    peer,
    sequence: String(newest.row.sequence),
    outcome: answer.outcome,
  });
  if (answer.outcome === 'CAS_MISMATCH' && !(await judgeOwnId(session, peer, answer.latestKnown))) return;
  await updateReplica(session, peer, (replica) => ({ ...replica, latestKnown: answer.latestKnown }));
  if (answer.outcome === 'CAS_MISMATCH') planPublish(session, peer, 0);
}

/** Durable before the call: a storer may pull and acknowledge what we do not remember having offered otherwise. */
function rememberOffer(session: Session, peer: OnionId, contentId: Buffer): Promise<unknown> {
  return updateReplica(session, peer, (replica) => ({
    ...replica,
    offered: contentId,
    offeredMs: replica.offered.equals(contentId) ? replica.offeredMs : session.deps.clock.nowMs(),
    lists: replica.lists.some((list) => list.equals(contentId)) ? replica.lists : [...replica.lists, contentId],
  }));
}

export function updateReplica(
  session: Session,
  peer: OnionId,
  change: (replica: ReplicaRecord) => ReplicaRecord,
): Promise<ContractRecord> {
  return session.registry.updateContract(peer, (contract) => {
    if (contract === undefined) throw new Error('the contract is gone');
    return { ...contract, replica: change(contract.replica) };
  });
}

async function newCells(session: Session, replica: ReplicaRecord, row: RevisionRow): Promise<number> {
  if (replica.acknowledged.length === 0) return blobCells(row);
  const runs = await session.deps.catalog.commonRuns(row.contentId, replica.acknowledged);
  return blobCells(row) - runs.reduce((sum, run) => sum + run.cells, 0);
}
