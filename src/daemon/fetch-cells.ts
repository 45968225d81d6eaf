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
  /** Keeps a cell; false if its bytes are not what they should be, which ends the lane. */
  keep(peer: OnionId, cell: number, bytes: Buffer): Promise<boolean>;
};

/** Runs until nothing is left or all lanes have ended; returns why lanes ended early. */
export async function fetchCells(session: Session, job: FetchJob, signal: AbortSignal): Promise<Map<OnionId, unknown>> {
  const queue = new LaneQueue(job.missing, runCells(job));
  const failures = new Map<OnionId, unknown>();
  await Promise.all(
    job.lanes.map(async (lane, number) => {
      try {
        while (!signal.aborted && (await fetchRun(session, job, queue, number, lane, signal)));
      } catch (error) {
        failures.set(lane.peer, error);
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

/** One stream on one lane; false when there was nothing to take. */
async function fetchRun(
  session: Session,
  job: FetchJob,
  queue: LaneQueue,
  number: number,
  { peer, lane }: Lane,
  signal: AbortSignal,
): Promise<boolean> {
  const run = queue.take(number);
  if (run === undefined) return false;
  const assembler = new CellAssembler(run.startCell, run.cells);
  try {
    const sections = session.client.download(
      peer,
      {
        contentId: job.contentId,
        offset: run.startCell * CELL_BYTES,
        length: run.cells * CELL_BYTES,
        referenceContentId: Buffer.alloc(0),
        repair: false,
        leaves: false,
      },
      lane,
      { signal },
    );
    for await (const section of sections) {
      if (section.kind === 'head') continue;
      if (section.kind !== 'raw') throw new BbError('BAD_PEER_DATA', 'raw bytes were asked for');
      for (const { cell, bytes } of assembler.add(section.bytes)) {
        if (queue.done(number, cell) && !(await job.keep(peer, cell, bytes))) {
          throw new BbError('BAD_PEER_DATA', 'a cell is not what it should be');
        }
      }
      if (!queue.hasWork(number)) break; // the rest was taken over by a faster lane
    }
  } finally {
    queue.release(number);
  }
  if (assembler.nextCell === run.startCell) throw new BbError('BAD_PEER_DATA', 'a download ended without a cell');
  return true;
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
