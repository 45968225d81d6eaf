// High-water marks of packs, as maps.

import { BbError } from '../../src/core/errors.ts';
import type { PackMark } from '../../src/ports/cell-store.ts';

/** Marks never fall. */
export function raised(marks: ReadonlyMap<number, number>, more: readonly PackMark[]): Map<number, number> {
  const result = new Map(marks);
  for (const { pack, slots } of more) result.set(pack, Math.max(slots, result.get(pack) ?? 0));
  return result;
}

export function marksOf(marks: ReadonlyMap<number, number>): PackMark[] {
  return [...marks].map(([pack, slots]) => ({ pack, slots })).sort((a, b) => a.pack - b.pack);
}

export function notDurable(): BbError {
  return new BbError('CONFLICT', 'a cell to be recorded is not durable; write it again');
}
