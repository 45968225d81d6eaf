// The search for more storers, as far as it is remembered.

import type { OnionId } from '../core/ids.ts';

/** What the search remembers, in memory: a restart may ask again. */
export class Search {
  readonly askedMs = new Map<OnionId, number>();
  /** Monotonic times of dials to addresses that were never reached. */
  hintDialsMs: number[] = [];
  tries = 0;
  nextMs = 0;
}
