// A set of slots of packs, in memory: a bit for each slot of the packs that it knows.

import { PACK_SLOTS } from '../core/limits.ts';
import type { CellPosition } from '../ports/cell-store.ts';

export class SlotSet {
  /** Pack -> one bit per slot. */
  readonly #slots = new Map<number, Uint8Array>();

  add({ pack, slot }: CellPosition): void {
    const bits = this.#slots.get(pack) ?? new Uint8Array(Math.ceil(PACK_SLOTS / 8));
    bits[slot >> 3] = (bits[slot >> 3] ?? 0) | (1 << (slot & 7));
    this.#slots.set(pack, bits);
  }

  has({ pack, slot }: CellPosition): boolean {
    return ((this.#slots.get(pack)?.[slot >> 3] ?? 0) & (1 << (slot & 7))) !== 0;
  }

  get isEmpty(): boolean {
    return this.#slots.size === 0;
  }
}
