// Brings the cells of the chosen revision back from all its holders at once, several lanes to each, and
// commits it. Killable at any time: accepted cells are durable, and the next run asks for the rest.

import type { OnionId } from '../core/ids.ts';
import { CELL_BYTES, LANES_PER_HOLDER, PULL_WINDOW_CELLS, RECOVERY_REQUESTS } from '../core/limits.ts';
import { BbError, isBbError } from '../core/errors.ts';
import { PeerRefusal } from '../core/refusal.ts';
import type { RefusalName } from '../core/refusal.ts';
import { LackingCells } from '../core/recovery/lacking-cells.ts';
import type { RecoverySession } from '../ports/workers.ts';
import { commitRow, splitIds } from './commit-revision.ts';
import { fetchCells, runsOf } from './fetch-cells.ts';
import type { Lane } from './fetch-cells.ts';
import type { Job } from './jobs.ts';
import type { OpenedHead } from './recovery.ts';
import type { Session } from './session.ts';
import { rememberOwnFork } from './lineage.ts';

/** `stuck`: no holder gives the rest; what came back is kept, and the next run asks again. */
export async function restoreContent(
  session: Session,
  target: OpenedHead,
  signal: AbortSignal,
): Promise<'whole' | 'stuck'> {
  const work = await startWork(session, target);
  const job = session.jobs.start('recover');
  try {
    const isWhole = await fetchWanted(session, target, work, job, signal);
    if (isWhole) await commitRecovered(session, target, work);
    job.end(isWhole ? 'done' : 'failed');
    return isWhole ? 'whole' : 'stuck';
  } catch (error) {
    job.end('failed');
    throw error;
  }
}

/** Goes on where an earlier run was cut. */
export function startWork(session: Session, target: OpenedHead): Promise<RecoverySession> {
  return session.deps.workers.startRecovery(target.row, splitIds(target.metadata.indexCells));
}

/** True when nothing is wanted any more, false when every holder has said of each wanted cell that it cannot give it. */
async function fetchWanted(
  session: Session,
  target: OpenedHead,
  work: RecoverySession,
  job: Job,
  signal: AbortSignal,
): Promise<boolean> {
  const { recovery } = session;
  const keep = (peer: OnionId, cell: number, bytes: Buffer) => keepCell(session, work, job, peer, cell, bytes);
  const lacking = new LackingCells();
  for (;;) {
    await countCells(session, work);
    job.progress(recovery.phase, recovery.doneCells * CELL_BYTES, recovery.totalCells * CELL_BYTES);
    const wanted = await work.wanted(PULL_WINDOW_CELLS);
    if (wanted.length === 0) return true;
    const holders = recovery.holdersOf(target.row.contentId).map(({ peer }) => peer);
    const round = lacking.nextRound(holders, wanted);
    if (round === undefined) return false;
    const doneBefore = recovery.doneCells;
    const { contentId } = target.row;
    const settle = () => work.save();
    const fetch = { contentId, missing: runsOf(round.cells), lanes: lanesTo(round.peers), keep, settle };
    const failures = await fetchCells(session, fetch, signal);
    if (signal.aborted) throw new BbError('INTERRUPTED', 'the recovery was stopped');
    const learned = failures.filter(({ peer, cell, error }) => isLacking(error) && lacking.add(peer, cell));
    // A cut says nothing about what the holder has: it is asked again after a while.
    if (recovery.doneCells === doneBefore && learned.length === 0) throw asPeerError(failures[0]?.error);
  }
}

/** The holder answered, and what it has of this cell is nothing or wrong. */
function isLacking(error: unknown): boolean {
  if (error instanceof PeerRefusal) return LACKING.has(error.refusal);
  return isBbError(error, 'BAD_PEER_DATA');
}

const LACKING = new Set<RefusalName>(['REPLICA_LOST', 'UNKNOWN_CONTENT', 'BAD_RANGE']);

function asPeerError(error: unknown): BbError {
  return new BbError('PEER_UNREACHABLE', 'the peers that hold the content cannot be reached', { cause: error });
}

async function keepCell(
  session: Session,
  work: RecoverySession,
  job: Job,
  peer: OnionId,
  cell: number,
  bytes: Buffer,
): Promise<boolean> {
  const { recovery } = session;
  if (!(await work.offer(peer, cell, bytes))) {
    session.bus.emit('peer-fault', { peer, fault: 'wrong cell' });
    return false;
  }
  session.transfers.add(peer, 'recovered', CELL_BYTES);
  recovery.downloadedBytes += CELL_BYTES;
  recovery.doneCells += 1;
  job.progress(recovery.phase, recovery.doneCells * CELL_BYTES, recovery.totalCells * CELL_BYTES);
  return true;
}

async function countCells(session: Session, work: RecoverySession): Promise<void> {
  const counts = await work.counts();
  session.recovery.phase = counts.indexDone ? 'data' : 'index';
  session.recovery.waitingFor = '';
  session.recovery.doneCells = counts.done;
  session.recovery.totalCells = counts.total;
}

/** Several lanes to each peer, a bounded number in all. */
function lanesTo(peers: readonly OnionId[]): Lane[] {
  const lanes: Lane[] = [];
  for (let lane = 1; lane <= LANES_PER_HOLDER; lane += 1) {
    for (const peer of peers) if (lanes.length < RECOVERY_REQUESTS) lanes.push({ peer, lane });
  }
  return lanes;
}

async function commitRecovered(session: Session, target: OpenedHead, work: RecoverySession): Promise<void> {
  session.recovery.phase = 'committing';
  const { staged } = await work.finish();
  await rememberOwnFork(session, target);
  await session.contentLock.run(() => commitRow(session, staged, target.row, target.metadata));
  session.recovery.phase = 'restored';
  session.bus.emit('content-restored', { sequence: String(target.row.sequence), files: String(target.row.fileCount) });
}
