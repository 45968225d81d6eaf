// Whose bytes go when space is needed (docs/protocol.md, "Allocation"): only those whose remaining seconds are used up, the
// longest expired first, and never while that owner is seen to recover.
// Invariant: promised = kept: what is ACTIVE, DEGRADED, GRACE or ENDING is never chosen.

import type { ContractState } from '../contract/state.ts';

export type EvictFacts = {
  readonly state: ContractState;
  /** Counted seconds at which it entered that state. */
  readonly enteredSeconds: number;
  /** What its going frees. */
  readonly bytes: number;
  readonly isPaused: boolean;
};

/**
 * In the order in which they go, as few as free `neededBytes`. None when all of them together would not: nobody gains by
 * their going, and an owner may still come back for its bytes.
 */
export function chooseEvictions<T extends EvictFacts>(contracts: readonly T[], neededBytes: number): readonly T[] {
  const expired = evictable(contracts);
  let freed = 0;
  const chosen = expired.filter(({ bytes }) => {
    const isNeeded = freed < neededBytes;
    freed += bytes;
    return isNeeded;
  });
  return freed < neededBytes ? [] : chosen;
}

/** All that may go, the longest expired first. */
export function evictable<T extends EvictFacts>(contracts: readonly T[]): readonly T[] {
  return contracts
    .filter(({ state, isPaused, bytes }) => state === 'EXPIRED' && !isPaused && bytes > 0)
    .toSorted((a, b) => a.enteredSeconds - b.enteredSeconds);
}
