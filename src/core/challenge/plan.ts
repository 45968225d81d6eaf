// Which question to ask next (docs/protocol.md, "Spot checks"): a random sample against big losses, a
// sweep by ranges so that no cell stays unread for 90 days, both heads at every check because a replica
// without a head is useless. Blobs small enough are read whole.

import {
  CELL_BYTES,
  CHALLENGE_BLOCK_BYTES,
  CHALLENGE_BLOCKS,
  CHALLENGE_FIRST_BLOCKS,
  CHALLENGE_RANGES,
  CHALLENGE_RANGE_CELLS,
  CHALLENGE_WHOLE_BLOCKS,
} from '../limits.ts';
import { invariant } from '../errors.ts';
import { sweepCells } from './bounds.ts';
import type { CellRange, ChallengeQuestion } from './question.ts';

/** Daily checks that sweep all index cells: six, so that one lost check still leaves them read within 7 days. */
const INDEX_SWEEP_CHECKS = 6;
/**
 * Daily checks that sweep all data cells as they are. Twice as many are 80 of the 90 that the promise allows: while a
 * content grows the end runs away from the sweep, and when it shrinks the sweep slows down, which may cost a second round.
 */
const DATA_SWEEP_CHECKS = 40;
const WHOLE_CELLS = (CHALLENGE_WHOLE_BLOCKS * CHALLENGE_BLOCK_BYTES) / CELL_BYTES;

/** Blob = head copy 0, index cells, data cells, head copy 1; `headCells` counts one copy. */
export type BlobShape = { readonly headCells: number; readonly indexCells: number; readonly dataCells: number };

/** Where the sweeps go on: ordinals among the index cells and among the data cells. */
export type SweepCursor = { readonly indexCell: number; readonly dataCell: number };

/**
 * `first`: a storer has just reported the revision as held; `daily`: the check of every 24 h window; `cure`: as much
 * as one challenge may ask, to prove a whole replica again.
 */
export type CheckKind =
  | { readonly kind: 'first'; readonly newCells: readonly CellRange[] }
  | { readonly kind: 'daily' }
  | { readonly kind: 'cure' };

export type PlannedChallenge = { readonly question: ChallengeQuestion; readonly sweep: SweepCursor };

export function blobCellCount(shape: BlobShape): number {
  return 2 * shape.headCells + shape.indexCells + shape.dataCells;
}

/** `random` is 64 fresh bytes: nonce then seed. The sweep in the result holds once the answer was judged `held`. */
export function planChallenge(
  contentId: Buffer,
  shape: BlobShape,
  check: CheckKind,
  sweep: SweepCursor,
  random: Buffer,
): PlannedChallenge {
  invariant(random.length === 64, 'a challenge takes 64 random bytes');
  const blobCells = blobCellCount(shape);
  const ask = (count: number, ranges: readonly CellRange[], next: SweepCursor): PlannedChallenge => ({
    question: {
      contentId,
      nonce: random.subarray(0, 32),
      seed: random.subarray(32, 64),
      count,
      blockBytes: CHALLENGE_BLOCK_BYTES,
      ranges: joinRanges(ranges),
    },
    sweep: next,
  });
  if (blobCells <= WHOLE_CELLS) return ask(0, [{ startCell: 0, cells: blobCells }], sweep);
  const heads = [
    { startCell: 0, cells: shape.headCells },
    { startCell: blobCells - shape.headCells, cells: shape.headCells },
  ];
  if (check.kind === 'first') {
    return ask(CHALLENGE_FIRST_BLOCKS, [...heads, ...largestRanges(inside(check.newCells, shape))], sweep);
  }
  const swept = planSweep(shape, check.kind, sweep);
  return ask(CHALLENGE_BLOCKS, [...heads, ...swept.ranges], swept.next);
}

/** True of a question that moves the sweep on, or that asks for the whole blob. */
export function isSweep(kind: CheckKind['kind'], { count }: ChallengeQuestion): boolean {
  return kind !== 'first' || count === 0;
}

function planSweep(shape: BlobShape, kind: 'daily' | 'cure', sweep: SweepCursor) {
  const { headCells, indexCells, dataCells } = shape;
  const budget = sweepCells(blobCellCount(shape));
  if (kind === 'cure') {
    // Index and data cells as one ring, in the same order as in the blob.
    const total = indexCells + dataCells;
    invariant(total > 0, 'a blob above the whole size has cells between its heads');
    const from = (sweep.dataCell + indexCells) % total;
    const cells = Math.min(budget, total);
    const next = (from + cells) % total;
    return {
      ranges: ringRanges(headCells, total, from, cells),
      next: { ...sweep, dataCell: (next - indexCells + total) % total },
    };
  }
  // Data first, which never needs all: an index that is most of a blob would leave nothing for it, day after day.
  const data = Math.min(Math.ceil(dataCells / DATA_SWEEP_CHECKS), budget);
  const index = Math.min(Math.ceil(indexCells / INDEX_SWEEP_CHECKS), budget - data);
  return {
    ranges: [
      ...ringRanges(headCells, indexCells, sweep.indexCell, index),
      ...ringRanges(headCells + indexCells, dataCells, sweep.dataCell, data),
    ],
    next: {
      indexCell: advance(sweep.indexCell, index, indexCells),
      dataCell: advance(sweep.dataCell, data, dataCells),
    },
  };
}

/** `cells` of a ring of `length` cells that starts at blob cell `base`; one range, or two where it wraps. */
function ringRanges(base: number, length: number, cursor: number, cells: number): CellRange[] {
  if (cells === 0) return [];
  const from = cursor % length;
  const first = Math.min(cells, length - from);
  const ranges = [{ startCell: base + from, cells: first }];
  if (cells > first) ranges.push({ startCell: base, cells: cells - first });
  return ranges;
}

function advance(cursor: number, cells: number, length: number): number {
  return length === 0 ? 0 : ((cursor % length) + cells) % length;
}

/** Cuts runs of new cells down to the cells between the heads, which are asked for anyway. */
function inside(ranges: readonly CellRange[], shape: BlobShape): CellRange[] {
  const low = shape.headCells;
  const high = low + shape.indexCells + shape.dataCells;
  return ranges.flatMap((range) => {
    const start = Math.max(range.startCell, low);
    const end = Math.min(range.startCell + range.cells, high);
    return end > start ? [{ startCell: start, cells: end - start }] : [];
  });
}

/** The largest runs first, as many as fit beside the two heads. */
function largestRanges(ranges: readonly CellRange[]): CellRange[] {
  let left = CHALLENGE_RANGE_CELLS;
  const chosen: CellRange[] = [];
  for (const range of ranges.toSorted((a, b) => b.cells - a.cells).slice(0, CHALLENGE_RANGES - 2)) {
    const cells = Math.min(range.cells, left);
    if (cells > 0) chosen.push({ startCell: range.startCell, cells });
    left -= cells;
  }
  return chosen;
}

/** Sorts disjoint ranges and joins neighbours. */
function joinRanges(ranges: readonly CellRange[]): CellRange[] {
  const joined: CellRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.startCell - b.startCell)) {
    const last = joined.at(-1);
    if (last !== undefined && last.startCell + last.cells === range.startCell) {
      joined[joined.length - 1] = { startCell: last.startCell, cells: last.cells + range.cells };
    } else joined.push(range);
  }
  return joined;
}
