// Fetches runs of cells over several lanes at once, from one peer or from many. A lane that is cut gives
// its run back and leaves; the others take over. Used by pulls and by recovery alike.
// Invariant: what was asked for and is not durable yet stays within fetchShare (core/policy/fetch-share.ts), so a cut or a
// kill at any moment costs little: a request is short, and the next one of its stream waits until its cells are durable.

import { BbError } from '../core/errors.ts';
import type { CellRange } from '../core/challenge/question.ts';
import type { OnionId } from '../core/ids.ts';
import { CELL_BYTES } from '../core/limits.ts';
import { fetchShare } from '../core/policy/fetch-share.ts';
import { CellAssembler } from '../core/policy/cell-assembler.ts';
import { LaneQueue } from '../core/policy/lanes.ts';
import type { Session } from './session.ts';

export type Lane = { readonly peer: OnionId; readonly lane: number };

export type FetchJob = {
  readonly contentId: Buffer;
  readonly missing: readonly CellRange[];
  readonly lanes: readonly Lane[];
  /** The cells were acknowledged and lost. */
  readonly repair?: boolean;
  /** Keeps a cell; false if its bytes are not what they should be, which ends the lane. */
  keep(peer: OnionId, cell: number, bytes: Buffer): Promise<boolean>;
  /** Asked before each request; false ends the job with what is there. */
  mayGoOn?(): boolean;
  /** Makes everything kept so far survive a crash. */
  settle(): Promise<void>;
};

/** Why a lane ended early, and the cell that it could not give. */
export type LaneFailure = { readonly peer: OnionId; readonly cell: number; readonly error: unknown };

/** Runs until nothing is left or all lanes have ended. */
export async function fetchCells(session: Session, job: FetchJob, signal: AbortSignal): Promise<LaneFailure[]> {
  const missingCells = job.missing.reduce((sum, run) => sum + run.cells, 0);
  const { streams, runCells } = fetchShare(missingCells, job.lanes.length);
  const queue = new LaneQueue(job.missing, runCells);
  const settle = shared(() => job.settle());
  const failures: LaneFailure[] = [];
  // Two streams on a lane: while the end of one is on its way the other keeps the circuit full.
  const lanes = [...job.lanes, ...job.lanes].slice(0, streams);
  await Promise.all(
    lanes.map(async (lane, number) => {
      const next = () => (signal.aborted || job.mayGoOn?.() === false ? undefined : queue.take(number));
      for (let run = next(); run !== undefined; run = next()) {
        const at = { cell: run.startCell };
        try {
          await fetchRun(session, job, queue, { ...lane, number, run, at }, signal);
          await settle();
        } catch (error) {
          failures.push({ peer: lane.peer, cell: at.cell, error });
          return;
        } finally {
          queue.release(number);
        }
      }
    }),
  );
  return failures;
}

/** Whoever asks while `work` runs gets the next run, together with all others who ask meanwhile. */
function shared(work: () => Promise<void>): () => Promise<void> {
  let running = Promise.resolve();
  let next: Promise<void> | undefined;
  return () => {
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        running = work();
        return running;
      });
    return next;
  };
}

type LaneRun = Lane & {
  readonly number: number;
  readonly run: CellRange;
  /** The next cell of the run that is not kept yet. */
  readonly at: { cell: number };
};

/** One stream on one lane. */
async function fetchRun(
  session: Session,
  job: FetchJob,
  queue: LaneQueue,
  { peer, lane, number, run, at }: LaneRun,
  signal: AbortSignal,
): Promise<void> {
  const assembler = new CellAssembler(run.startCell, run.cells);
  const request = {
    contentId: job.contentId,
    offset: run.startCell * CELL_BYTES,
    length: run.cells * CELL_BYTES,
    referenceContentId: Buffer.alloc(0),
    repair: job.repair === true,
    leaves: false,
  };
  for await (const section of session.client.download(peer, request, lane, { signal })) {
    if (section.kind === 'head') continue;
    if (section.kind !== 'raw') throw new BbError('BAD_PEER_DATA', 'raw bytes were asked for');
    for (const { cell, bytes } of assembler.add(section.bytes)) {
      if (queue.done(number, cell) && !(await job.keep(peer, cell, bytes))) {
        throw new BbError('BAD_PEER_DATA', 'a cell is not what it should be');
      }
      at.cell = cell + 1;
    }
    if (!queue.hasWork(number)) return; // the rest was taken over by a faster lane
  }
  if (at.cell === run.startCell) throw new BbError('BAD_PEER_DATA', 'a download ended without a cell');
}

/** Rising cell numbers -> runs. */
export function runsOf(cells: readonly number[]): CellRange[] {
  const runs: { startCell: number; cells: number }[] = [];
  for (const cell of cells) {
    const last = runs.at(-1);
    if (last !== undefined && last.startCell + last.cells === cell) last.cells += 1;
    else runs.push({ startCell: cell, cells: 1 });
  }
  return runs;
}
