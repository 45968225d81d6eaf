// First-hand record of a peer's behaviour: S = 1000 * a * v * g (docs/protocol.md, "Score"). It ranks
// candidates and nothing else. Reachability a, integrity v; age g grows with the acquaintance.

import type { Periods } from '../policy/periods.ts';

const MIN_AGE_FACTOR = 0.3;
const WRONG_FACTOR = 0.5;
/** So many timeouts of an otherwise reachable peer weigh as much as one wrong proof. */
export const TIMEOUTS_PER_WRONG = 3;

/** a and v lie in [0, 1]. */
export type Conduct = {
  readonly reachability: number;
  readonly integrity: number;
  /** Timeouts while reachable since the last that was counted as wrong. */
  readonly timeouts: number;
};

export const NEW_CONDUCT: Conduct = { reachability: 1, integrity: 1, timeouts: 0 };

/** After `elapsedMs` in which the peer was reachable or not. Integrity recovers with time. */
export function conductAfter(before: Conduct, isReachable: boolean, elapsedMs: number, periods: Periods): Conduct {
  const keep = 0.5 ** (elapsedMs / periods.scoreReachability);
  const forget = 0.5 ** (elapsedMs / periods.scoreIntegrity);
  return {
    ...before,
    reachability: before.reachability * keep + (isReachable ? 1 - keep : 0),
    integrity: 1 - (1 - before.integrity) * forget,
  };
}

export function conductAfterWrong(before: Conduct): Conduct {
  return { ...before, integrity: before.integrity * WRONG_FACTOR };
}

export function conductAfterTimeout(before: Conduct): Conduct {
  const timeouts = before.timeouts + 1;
  return timeouts < TIMEOUTS_PER_WRONG ? { ...before, timeouts } : { ...conductAfterWrong(before), timeouts: 0 };
}

/** 0 to 1000. `ageMs` = since the peer was first reached. */
export function score(conduct: Conduct, ageMs: number, periods: Periods): number {
  const age = MIN_AGE_FACTOR + (1 - MIN_AGE_FACTOR) * Math.min(1, ageMs / periods.scoreAge);
  return 1000 * conduct.reachability * conduct.integrity * age;
}
