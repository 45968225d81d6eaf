// Fetches runs of cells over several lanes at once, from one peer or from many. A lane that is cut gives
// its run back and leaves; the others take over. Used by pulls and by recovery alike.

import { BbError } from '../core/errors.ts';
import type { CellRange } from '../core/challenge/question.ts';
import type { OnionId } from '../core/ids.ts';
import { CELL_BYTES, LANE_RUN_CELLS } from '../core/limits.ts';
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
};

/** Why a lane ended early, and the cell that it could not give. */
export type LaneFailure = { readonly peer: OnionId; readonly cell: number; readonly error: unknown };

/** Runs until nothing is left or all lanes have ended. */
export async function fetchCells(session: Session, job: FetchJob, signal: AbortSignal): Promise<LaneFailure[]> {
  const queue = new LaneQueue(job.missing, runCells(job));
  const failures: LaneFailure[] = [];
  await Promise.all(
    job.lanes.map(async (lane, number) => {
      for (let run = queue.take(number); run !== undefined && !signal.aborted; run = queue.take(number)) {
        const at = { cell: run.startCell };
        try {
          await fetchRun(session, job, queue, { ...lane, number, run, at }, signal);
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

/** Little is shared out evenly at once: what a lane takes over from another may be on its way already, and comes twice. */
function runCells({ missing, lanes }: FetchJob): number {
  const cells = missing.reduce((sum, run) => sum + run.cells, 0);
  return Math.min(LANE_RUN_CELLS, Math.max(1, Math.ceil(cells / lanes.length)));
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
