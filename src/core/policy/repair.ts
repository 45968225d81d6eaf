// What an owner gives a storer again that lost cells it had acknowledged (docs/protocol.md, "Damage"). A storer that
// threw cells away must not live from fetching them back, so the allowance is small and the whole copy comes once.
// Invariant: in any `repairAllowance` at most repairAllowanceCells() are served within the allowance. All times are
// counted nominal seconds (see contract/ledger.ts).

import { REPAIR_CELLS, REPAIR_PERMILLE } from '../limits.ts';
import type { LossRecord } from '../records.ts';
import { PERIODS_MS } from './periods.ts';

const WINDOW_SECONDS = PERIODS_MS.repairAllowance / 1000;
const WRONG_SECONDS = PERIODS_MS.defaultAfterWrong / 1000;
const NEVER = -1;

export const NO_LOSS: LossRecord = {
  repairedCells: 0,
  repairedSeconds: NEVER,
  repullSeconds: NEVER,
  wrongSeconds: NEVER,
  cure: { contentId: Buffer.alloc(0), cells: 0 },
};

/** Cells of a blob that may be repaired in 30 days before the replica counts as lost. */
export function repairAllowanceCells(blobCells: number): number {
  return Math.max(REPAIR_CELLS, Math.floor((blobCells * REPAIR_PERMILLE) / 1000));
}

/** What is left of the allowance now. */
export function repairLeftCells(loss: LossRecord, blobCells: number, nowSeconds: number): number {
  return Math.max(0, repairAllowanceCells(blobCells) - countedCells(loss, nowSeconds));
}

/** `cells` more are served; negative: that many of them were not after all. */
export function withRepaired(loss: LossRecord, cells: number, nowSeconds: number): LossRecord {
  const repairedCells = Math.max(0, countedCells(loss, nowSeconds) + cells);
  return { ...loss, repairedCells, repairedSeconds: nowSeconds };
}

/** Everything may be given once more: that was never so, or not within the window. */
export function mayRepull({ repullSeconds }: LossRecord, nowSeconds: number): boolean {
  return repullSeconds === NEVER || nowSeconds - repullSeconds >= WINDOW_SECONDS;
}

/** After a judged proof; `isDefault`: the second wrong one, far enough from the first. */
export function withProof(
  loss: LossRecord,
  isRight: boolean,
  nowSeconds: number,
): { readonly loss: LossRecord; readonly isDefault: boolean } {
  if (isRight) return { loss: { ...loss, wrongSeconds: NEVER }, isDefault: false };
  if (loss.wrongSeconds === NEVER) return { loss: { ...loss, wrongSeconds: nowSeconds }, isDefault: false };
  return { loss, isDefault: nowSeconds - loss.wrongSeconds >= WRONG_SECONDS };
}

function countedCells({ repairedCells, repairedSeconds }: LossRecord, nowSeconds: number): number {
  return nowSeconds - repairedSeconds < WINDOW_SECONDS ? repairedCells : 0;
}
