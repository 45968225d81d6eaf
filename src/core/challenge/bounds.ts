// How much one challenge may ask for. The planner stays inside, the responder refuses what is outside.

import { CHALLENGE_HEAD_CELLS, CHALLENGE_RANGE_CELLS, CHALLENGE_SWEEP_PARTS } from '../limits.ts';

/** Cells that the ranges of one challenge may sweep beside the heads: enough to sweep a blob in 30 challenges. */
export function sweepCells(blobCells: number): number {
  return Math.max(CHALLENGE_RANGE_CELLS, Math.ceil(blobCells / CHALLENGE_SWEEP_PARTS));
}

/** Cells in all ranges of one challenge at most. */
export function rangeCellsMax(blobCells: number): number {
  return sweepCells(blobCells) + CHALLENGE_HEAD_CELLS;
}
