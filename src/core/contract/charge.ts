// What a peer's content costs of its allowance (docs/protocol.md, "Hold"). Both sides use this one
// function, so an owner knows its charge before it offers.

import { CELL_BYTES, KEPT_LIST_ENTRY_BYTES } from '../limits.ts';

export type Charged = {
  /** Distinct cells in the current, the pulled and all kept lists together. */
  readonly distinctCells: number;
  /** Entries of all kept superseded lists. */
  readonly keptEntries: number;
};

export function chargeBytes(charged: Charged): number {
  return CELL_BYTES * charged.distinctCells + KEPT_LIST_ENTRY_BYTES * charged.keptEntries;
}
