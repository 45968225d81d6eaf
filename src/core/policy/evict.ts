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

/** In the order in which they go, as few as free `neededBytes`; all that may go when that is not enough. */
export function chooseEvictions<T extends EvictFacts>(contracts: readonly T[], neededBytes: number): T[] {
  const chosen: T[] = [];
  let freed = 0;
  const expired = contracts.filter(({ state, isPaused, bytes }) => state === 'EXPIRED' && !isPaused && bytes > 0);
  for (const contract of expired.toSorted((a, b) => a.enteredSeconds - b.enteredSeconds)) {
    if (freed >= neededBytes) break;
    chosen.push(contract);
    freed += contract.bytes;
  }
  return chosen;
}
