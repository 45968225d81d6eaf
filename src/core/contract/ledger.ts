// Remaining seconds: how long a storer still keeps bytes if their owner stops reciprocating
// (docs/protocol.md, "Contract lifecycle"). Kept as (value, slope, counted seconds at the last change),
// never stored per tick. Counted seconds pass only while this node is up and connected, in nominal time:
// a network whose periods are divided by N counts N of them per real second.
// Invariant: never negative, never lifted above the cap by time, never lowered by a clock that goes back.

import type { LedgerRecord } from '../records.ts';

export const DRAIN_PERMILLE = -1000;

/** Whole or fractional seconds, at least 0. `capSeconds` bounds what accrues. */
export function remainingSeconds(ledger: LedgerRecord, nowSeconds: number, capSeconds: number): number {
  const elapsed = Math.max(0, nowSeconds - ledger.countedSeconds);
  const moved = ledger.valueSeconds + (elapsed * ledger.slopePermille) / 1000;
  if (ledger.slopePermille > 0) return Math.max(ledger.valueSeconds, Math.min(capSeconds, moved));
  return Math.max(0, moved);
}

/** The same remaining seconds from now on with another slope: earning, frozen (0) or DRAIN_PERMILLE. */
export function withSlope(
  ledger: LedgerRecord,
  slopePermille: number,
  nowSeconds: number,
  capSeconds: number,
): LedgerRecord {
  return ledgerAt(remainingSeconds(ledger, nowSeconds, capSeconds), slopePermille, nowSeconds);
}

/** Starts anew with a value. */
export function ledgerAt(valueSeconds: number, slopePermille: number, nowSeconds: number): LedgerRecord {
  return { valueSeconds, slopePermille, countedSeconds: nowSeconds };
}
