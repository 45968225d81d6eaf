// How much of what is missing is asked for at a time. What is asked for and not durable yet is lost with a cut and comes
// twice: the owner has sent it all the same. More at a time is faster on late links.
// Invariant: streams * runCells <= max(FETCH_AHEAD_CELLS, FETCH_AHEAD_PERMILLE of what is missing).

import { FETCH_AHEAD_CELLS, FETCH_AHEAD_PERMILLE, LANE_RUN_CELLS } from '../limits.ts';

/** How many streams at the same time, of at most two on each of `lanes`, and how many cells one of their requests has. */
export function fetchShare(
  missingCells: number,
  lanes: number,
): { readonly streams: number; readonly runCells: number } {
  const aheadCells = Math.max(FETCH_AHEAD_CELLS, Math.floor((missingCells * FETCH_AHEAD_PERMILLE) / 1000));
  const streams = Math.min(2 * lanes, aheadCells);
  // Little is shared out evenly at once.
  const even = Math.max(1, Math.ceil(missingCells / streams));
  return { streams, runCells: Math.min(LANE_RUN_CELLS, Math.floor(aheadCells / streams), even) };
}
