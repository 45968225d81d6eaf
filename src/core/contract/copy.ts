// What the content at a storer counts for: the one answer for the verdict, for repair and for what is shown
// (docs/protocol.md, "Verdict"). Silence takes nothing away while the contract is ACTIVE or DEGRADED; it ends in GRACE.
// Invariant: what the disk says was proved is what was proved when it was written, and a disk may be an older image: a copy
// is one of the newest revision only if it was proved since this start.

import { STATE_EFFECTS } from './effects.ts';
import type { ContractState } from './state.ts';

export type CopyFacts = {
  readonly state: ContractState;
  /** ReplicaRecord.proved: the revision of the last judged check if it was `held`; empty = nothing proved. */
  readonly proved: Buffer;
  /** A check of this storer was judged since this start; before, `proved` is only what the disk says. */
  readonly sinceStart: boolean;
};

/** `newest`: content id of the newest revision; undefined while nothing was ever set. */
export function copyOf(
  { state, proved, sinceStart }: CopyFacts,
  newest: Buffer | undefined,
): 'newest' | 'older' | 'none' {
  if (!STATE_EFFECTS[state].countsAsCopy || proved.length === 0) return 'none';
  return sinceStart && newest !== undefined && proved.equals(newest) ? 'newest' : 'older';
}
