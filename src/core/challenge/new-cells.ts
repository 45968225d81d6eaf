// What a revision has that an older one has not, as runs of cells: the part of a blob that a first
// check asks for whole.

import { invariant } from '../errors.ts';
import type { CellRange } from './question.ts';

/** The gaps between `common` runs (rising, not overlapping) in a blob of `blobCells` cells. */
export function newCellRanges(blobCells: number, common: readonly { cell: number; cells: number }[]): CellRange[] {
  const ranges: CellRange[] = [];
  let next = 0;
  for (const run of common) {
    invariant(run.cell >= next && run.cell + run.cells <= blobCells, 'common runs must rise inside the blob');
    if (run.cell > next) ranges.push({ startCell: next, cells: run.cell - next });
    next = run.cell + run.cells;
  }
  if (next < blobCells) ranges.push({ startCell: next, cells: blobCells - next });
  return ranges;
}
