// How fast the background reading of all cells goes (docs/protocol.md, "Damage"): slow enough that nobody notices, fast
// enough that a rotten cell is found while others still hold it.

import { SCRUB_STEP_CELLS } from '../limits.ts';
import type { ScrubRecord } from '../records.ts';
import type { Periods } from './periods.ts';

export const SCRUB_START: ScrubRecord = { ownCell: 0, heldList: 0, heldCell: 0 };

/** Cells of a store of `cells` that one step reads, so that a pass over all of them takes `scrubPass` at most. */
export function scrubStepCells(cells: number, { scrubPass, scrubStep }: Periods): number {
  return Math.max(SCRUB_STEP_CELLS, Math.ceil((cells * scrubStep) / scrubPass));
}
