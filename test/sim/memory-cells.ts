// The cells of other people on a simulated disk: the port of src, against the same suite as the packs. Slots can be
// flipped, lost or torn, the disk can be full.

import { BbError } from '../../src/core/errors.ts';
import { PACK_HEADER_BYTES, PACK_SLOT_BYTES, PACK_SLOTS } from '../../src/core/limits.ts';
import type { CellPosition, CellStore, CellToAppend, PackMark } from '../../src/ports/cell-store.ts';
import type { CellBank } from './cell-bank.ts';
import { bytesOfKey, keyOf } from './sim-disk.ts';
import type { Key, PeerPack, PeerSlot, SimDisk } from './sim-disk.ts';

export class MemoryCells implements CellStore {
  readonly #disk: SimDisk;
  readonly #bank: CellBank;
  /** One buffer for all slots with the same address. */
  readonly #addresses = new Map<Key, Buffer>();
  /** The pack that is being filled. */
  #filling: number | undefined;

  constructor(disk: SimDisk, bank: CellBank) {
    this.#disk = disk;
    this.#bank = bank;
  }

  async open(marks: readonly PackMark[]): Promise<void> {
    const slotsOf = new Map(marks.map(({ pack, slots }) => [pack, slots]));
    for (const [number, pack] of this.#disk.packs) {
      const slots = slotsOf.get(number);
      if (slots === undefined) this.#disk.packs.delete(number);
      else pack.slots.length = Math.min(pack.slots.length, slots);
      pack.syncedSlots = pack.slots.length;
    }
    this.#disk.nextPack = Math.max(this.#disk.nextPack, ...marks.map(({ pack }) => pack + 1));
    const last = [...this.#disk.packs.keys()].at(-1);
    const isWhole = last !== undefined && this.#disk.packs.get(last)?.slots.length === slotsOf.get(last);
    this.#filling = isWhole ? last : undefined;
  }

  async append(cells: readonly CellToAppend[]): Promise<readonly CellPosition[]> {
    if (this.#disk.usedBytes + cells.length * PACK_SLOT_BYTES > this.#disk.totalBytes) {
      throw new BbError('NO_SPACE', 'the disk is full');
    }
    return cells.map(({ kind, address, leaf, bytes }) => {
      const { number, pack } = this.#room();
      const recipe = this.#bank.keep(leaf, bytes);
      pack.slots.push({ kind, address: this.#shared(address), leafKey: keyOf(leaf), recipe, fault: 'none' });
      return { pack: number, slot: pack.slots.length - 1 };
    });
  }

  async sync(): Promise<readonly PackMark[]> {
    return [...this.#disk.packs].map(([number, pack]) => {
      pack.syncedSlots = pack.slots.length;
      return { pack: number, slots: pack.slots.length };
    });
  }

  async read(position: CellPosition): Promise<Buffer> {
    const slot = this.#slot(position);
    if (slot === undefined || slot.fault === 'unreadable') throw new BbError('INTEGRITY', 'a slot cannot be read');
    const bytes = this.#bank.expand(slot.leafKey, slot.recipe);
    if (slot.fault === 'none') return bytes;
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(0) ^ 1, 0);
    return flipped;
  }

  async readRange(position: CellPosition, offset: number, length: number): Promise<Buffer> {
    return (await this.read(position)).subarray(offset, offset + length);
  }

  async readTrailer(position: CellPosition) {
    const slot = this.#slot(position);
    if (slot === undefined || slot.fault === 'unreadable') return undefined;
    return { kind: slot.kind, address: slot.address, leaf: bytesOfKey(slot.leafKey) };
  }

  async retirePack(pack: number): Promise<void> {
    if (pack === this.#filling) this.#filling = undefined;
  }

  async removePack(pack: number): Promise<void> {
    if (pack !== this.#filling) this.#disk.packs.delete(pack);
  }

  async diskBytes(): Promise<number> {
    let bytes = 0;
    for (const { slots } of this.#disk.packs.values()) bytes += PACK_HEADER_BYTES + slots.length * PACK_SLOT_BYTES;
    return bytes;
  }

  async close(): Promise<void> {}

  #shared(address: Buffer): Buffer {
    const key = keyOf(address);
    const known = this.#addresses.get(key) ?? Buffer.from(address);
    this.#addresses.set(key, known);
    return known;
  }

  #slot({ pack, slot }: CellPosition): PeerSlot | undefined {
    return this.#disk.packs.get(pack)?.slots[slot];
  }

  #room(): { readonly number: number; readonly pack: PeerPack } {
    const filling = this.#filling === undefined ? undefined : this.#disk.packs.get(this.#filling);
    if (this.#filling !== undefined && filling !== undefined && filling.slots.length < PACK_SLOTS) {
      return { number: this.#filling, pack: filling };
    }
    const fresh = { slots: [], syncedSlots: 0 };
    this.#filling = this.#disk.nextPack;
    this.#disk.nextPack += 1;
    this.#disk.packs.set(this.#filling, fresh);
    return { number: this.#filling, pack: fresh };
  }
}
