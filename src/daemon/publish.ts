// Tells a storer of our newest revision. The storer then pulls it. The compare-and-swap on the
// storer's latest_known, under the lineage rule, is what keeps a fresh node from replacing the only
// copies (docs/protocol.md, "Lineage").
// Invariant: we name as previous only an id that we sealed or recovered, or an authentic one at or
// below our base, or once an id that does not open.

import { blobCellCount } from '../core/challenge/plan.ts';
import type { CopyRefusal } from '../core/contract/verdict.ts';
import { CELL_BYTES, CELLS_IN_FLIGHT, PARALLEL_UPLOADS } from '../core/limits.ts';
import { decidePublish } from '../core/policy/publish.ts';
import type { PublishFacts } from '../core/policy/publish.ts';
import type { OnionId } from '../core/ids.ts';
import type { ContractRecord, ReplicaRecord } from '../core/records.ts';
import type { RevisionRow } from '../ports/catalog.ts';
import type { OfferOutcome } from '../ports/peer-client.ts';
import { getBytes } from './agreed-bytes.ts';
import { suspectBlobCells, withHealing } from './heal-own.ts';
import { hasLiveFork, judgeOwnId, mayName, noteNamed } from './lineage.ts';
import { ownBlob } from './own-blobs.ts';
import { planFor } from './plan.ts';
import { updateReplica } from './replica.ts';
import { grantRepull } from './repull.ts';
import type { Newest, Session } from './session.ts';
import { planDrop } from './superseded.ts';

/** The task. */
export async function publish(session: Session, peer: OnionId, signal: AbortSignal): Promise<void> {
  const contract = session.registry.contract(peer);
  const { newest } = session;
  if (contract === undefined || newest === undefined || getBytes(session, contract) === 0) return;
  const decision = decidePublish(publishFacts(session, contract, newest), session.deps.periods);
  if (decision.kind === 'rest') return; // the next contact or revision plans this again
  if (decision.kind === 'wait') return planFor(session, 'publish', peer, decision.delayMs);
  // Everything from the start: after a loss only once in a while.
  if (contract.replica.acknowledged.length === 0 && !(await grantRepull(session, peer))) return;
  const root = await sealForPeer(session, peer, newest, signal);
  if (signal.aborted || session.newest !== newest) return planFor(session, 'publish', peer, 0);
  if (session.node.mode !== 'normal' || session.twinFound) return; // found out while the leaves were sealed
  session.uploads.offered(peer, newest.row.contentId, session.deps.clock.monotonicMs());
  try {
    await offer(session, peer, newest, root, signal);
  } finally {
    // Refused, failed, acknowledged or not, look again: an offer may get lost, and so may its acknowledgement.
    planFor(session, 'publish', peer, session.deps.periods.publishRetry);
  }
}

function publishFacts(session: Session, contract: ContractRecord, newest: Newest): PublishFacts {
  const { uploads, deps } = session;
  const nowMs = deps.clock.monotonicMs();
  const { contentId, createdMs } = newest.row;
  const offers = uploads.offers(contract.peer, contentId);
  const progressMs = uploads.progressMs(contract.peer, contract.replica.offered);
  return {
    mode: mayPublish(session) ? session.node.mode : 'blocked',
    state: contract.state,
    replica: contract.replica,
    newest: { contentId, ageMs: deps.clock.nowMs() - createdMs },
    idleMs: progressMs === undefined ? undefined : nowMs - progressMs,
    lastOfferMs: offers === undefined ? undefined : nowMs - offers.lastMs,
    offers: offers?.count ?? 0,
    recentRevisions: uploads.revisions.recent(contract.peer, nowMs, deps.periods.revisionsWindow),
    lastRevisionMs: uploads.revisions.sinceLastMs(contract.peer, nowMs),
    isReachable: session.reach.isReachable(contract.peer),
    otherUploads: uploads.openToOthers(contract.peer, nowMs - deps.periods.publishRetry),
    maxUploads: PARALLEL_UPLOADS,
  };
}

/** Nothing is published while another writer under our secret may be alive, or knows more than this version. */
function mayPublish(session: Session): boolean {
  return !session.twinFound && !session.laterFormat && !hasLiveFork(session);
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
        const seal = () => workers.sealLeaves(peer, contentId, cells);
        const leaves = await withHealing(session, signal, seal, () => suspectBlobCells(session, contentId, cells));
        await catalog.putLeaves(peer, contentId, cells, leaves);
        job.progress('seal', (from + cells.length) * CELL_BYTES, unknown.length * CELL_BYTES);
      }
      job.end('done');
    } catch (error) {
      job.end('failed');
      throw error;
    }
  }
  return (await ownBlob(session, peer, contentId))?.root ?? Buffer.alloc(0);
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
  if (!mayName(session, peer, contract.replica.latestKnown)) return;
  const { contentId } = newest.row;
  await rememberOffer(session, peer, contentId);
  const answer = await session.client.setContentRevision(
    peer,
    {
      content: { contentId, contentBytes: blobCellCount(newest.row) * CELL_BYTES, root },
      previousContentId: contract.replica.latestKnown,
      delete: false,
      newCells: await newCells(session, contract.replica, newest.row),
    },
    { signal },
  );
  noteNamed(session, peer, contract.replica.latestKnown);
  session.bus.emit('revision-offered', {
    peer,
    sequence: String(newest.row.sequence),
    outcome: answer.outcome,
  });
  session.uploads.answered(peer, contentId, refusalOf(answer.outcome));
  if (answer.outcome === 'CAS_MISMATCH' && !(await judgeOwnId(session, peer, answer.latestKnown))) return;
  await updateReplica(session, peer, (replica) => ({ ...replica, latestKnown: answer.latestKnown }));
  if (answer.outcome === 'CAS_MISMATCH') planFor(session, 'publish', peer, 0);
}

function refusalOf(outcome: OfferOutcome): CopyRefusal | undefined {
  return outcome === 'ACCEPTED_PULLING' || outcome === 'CAS_MISMATCH' ? undefined : outcome;
}

/**
 * Durable before the call: a storer may pull and acknowledge what we do not remember having offered otherwise. Besides
 * this revision only the acknowledged one and the last offer may still be pulled; what was offered earlier is let go.
 */
async function rememberOffer(session: Session, peer: OnionId, contentId: Buffer): Promise<void> {
  const before = session.registry.contract(peer)?.replica.lists ?? [];
  const { countedSeconds } = session.node;
  await updateReplica(session, peer, (replica) => ({
    ...replica,
    ...offerBegins(replica, countedSeconds),
    offered: contentId,
    offeredMs: replica.offered.equals(contentId) ? replica.offeredMs : session.deps.clock.nowMs(),
    lists: [
      ...replica.lists.filter(
        (list) => !list.equals(contentId) && (list.equals(replica.acknowledged) || list.equals(replica.offered)),
      ),
      contentId,
    ],
  }));
  planDrop(session, before);
}

/** The stall of an upload counts from the first offer that is not acknowledged, whatever newer revisions replace it. */
function offerBegins(replica: ReplicaRecord, nowSeconds: number): Partial<ReplicaRecord> {
  const isOpen = replica.offered.length > 0 && !replica.offered.equals(replica.acknowledged);
  return isOpen ? {} : { offerSeconds: nowSeconds, progressSeconds: nowSeconds };
}

async function newCells(session: Session, replica: ReplicaRecord, row: RevisionRow): Promise<number> {
  if (replica.acknowledged.length === 0) return blobCellCount(row);
  const runs = await session.deps.catalog.commonRuns(row.contentId, replica.acknowledged);
  return blobCellCount(row) - runs.reduce((sum, run) => sum + run.cells, 0);
}
