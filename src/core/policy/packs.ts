// Which packs are worth rewriting: what is needed of them moves to another pack, and the file goes. A pack of which much is
// needed stays as it is, and so does one that would give back next to nothing.

import { PACK_DEAD_CELLS, PACK_NEEDED_PERCENT } from '../limits.ts';

export type PackFacts = { readonly slots: number; readonly needed: number };

type Place = { readonly pack: number; readonly slot: number };

export function isSamePlace(a: Place, b: Place): boolean {
  return a.pack === b.pack && a.slot === b.slot;
}

/** The one that costs least for what it gives back first. */
export function worthRewriting<T extends PackFacts>(packs: readonly T[]): readonly T[] {
  return packs
    .filter(({ slots, needed }) => slots - needed >= PACK_DEAD_CELLS && needed * 100 < slots * PACK_NEEDED_PERCENT)
    .toSorted((a, b) => a.needed / a.slots - b.needed / b.slots);
}
