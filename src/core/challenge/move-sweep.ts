// Where the coverage sweep goes on in a newer revision: at the same cell, wherever that is now. Cells that went away before
// it would otherwise let the sweep jump over as many others, again and again while a content changes
// (docs/protocol.md, "Spot checks"). Data cells keep their order for life.

import type { BlobShape, SweepCursor } from './plan.ts';

/** Cells that both revisions have; numbers count in the blob (Catalog.commonRuns). */
type CommonRun = { readonly cell: number; readonly referenceCell: number; readonly cells: number };

/** Index cells or data cells of a blob. */
type Section = { readonly base: number; readonly cells: number };

/** `common`: runs of the revision of shape `after` in that of shape `before`. */
export function movedSweep(
  sweep: SweepCursor,
  before: BlobShape,
  after: BlobShape,
  common: readonly CommonRun[],
): SweepCursor {
  return {
    indexCell: moved(sweep.indexCell, indexOf(before), indexOf(after), common),
    dataCell: moved(sweep.dataCell, dataOf(before), dataOf(after), common),
  };
}

function indexOf({ headCells, indexCells }: BlobShape): Section {
  return { base: headCells, cells: indexCells };
}

function dataOf({ headCells, indexCells, dataCells }: BlobShape): Section {
  return { base: headCells + indexCells, cells: dataCells };
}

/** The cell at the cursor, or the next after it that is still there; without any: what follows the last one before it. */
function moved(cursor: number, before: Section, after: Section, common: readonly CommonRun[]): number {
  const at = before.base + (before.cells === 0 ? 0 : cursor % before.cells);
  let next = before.base + before.cells;
  let last = before.base - 1;
  let result = 0;
  let followsLast = 0;
  for (const { cell, referenceCell, cells } of common) {
    const first = Math.max(referenceCell, before.base);
    const end = Math.min(referenceCell + cells, before.base + before.cells);
    if (first >= end) continue;
    const shift = cell - referenceCell - after.base;
    const candidate = Math.max(first, at);
    if (candidate < end && candidate < next) {
      next = candidate;
      result = candidate + shift;
    }
    if (end <= at && end - 1 > last) {
      last = end - 1;
      followsLast = end + shift;
    }
  }
  return next < before.base + before.cells ? result : followsLast;
}
