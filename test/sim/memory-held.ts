// The half of the simulated catalog that is about content held for others: lists of leaves, and where their cells lie.

import { HASH_BYTES } from '../../src/core/content/merkle.ts';
import { BbError, invariant } from '../../src/core/errors.ts';
import type { OnionId } from '../../src/core/ids.ts';
import type { HeldMove, PackUse } from '../../src/ports/catalog.ts';
import type { CellPosition, PackMark } from '../../src/ports/cell-store.ts';
import { notDurable, raised } from './marks.ts';
import { EMPTY_SLOT } from './sim-disk.ts';
import type { HeldCell, HeldList, Key, SimDisk } from './sim-disk.ts';

const COUNTS = 1000;

export class MemoryHeld {
  readonly #disk: SimDisk;
  /** Distinct cells of these lists together: lists do not change. */
  readonly #distinct = new Map<string, number>();
  /** Cells that lie in each pack, of the catalog of this moment: counting them anew takes longer than all else. */
  #needed = new Map<number, number>();
  #countedOf: SimDisk['catalog']['held'] | undefined;

  constructor(disk: SimDisk) {
    this.#disk = disk;
  }

  async createHeldList(owner: OnionId, leaves: Buffer): Promise<number> {
    invariant(leaves.length % HASH_BYTES === 0, 'packed leaves have 32 bytes each');
    const { catalog } = this.#disk;
    const number = catalog.nextList;
    catalog.nextList += 1;
    const cells = this.#cells(owner);
    const keys = keysOf(leaves).map((key) => cells.get(key)?.key ?? key);
    const unique = new Set(keys);
    const distinct = unique.size === keys.length ? keys : [...unique];
    const list = { owner, leaves: Buffer.from(leaves), keys, distinct };
    catalog.lists.set(number, list);
    for (const key of list.distinct) {
      const known = cells.get(key);
      cells.set(key, { key, position: known?.position, uses: (known?.uses ?? 0) + 1 });
    }
    return number;
  }

  async heldLeaves(list: number, from: number, count: number): Promise<Buffer> {
    const { leaves } = this.#range(list, from, count);
    return leaves.subarray(from * HASH_BYTES, (from + count) * HASH_BYTES);
  }

  async heldMissing(list: number, from: number, limit: number): Promise<readonly number[]> {
    const held = this.#list(list);
    const cells = this.#cells(held.owner);
    const missing: number[] = [];
    for (let at = from; at < held.keys.length && missing.length < limit; at += 1) {
      if (cells.get(held.keys[at] ?? '')?.position === undefined) missing.push(at);
    }
    return missing;
  }

  async addHeldCells(
    owner: OnionId,
    added: readonly { readonly leaf: Buffer; readonly position: CellPosition }[],
    marks: readonly PackMark[],
  ): Promise<void> {
    const { catalog } = this.#disk;
    const newMarks = raised(catalog.marks.peers, marks);
    for (const { position } of added) if (position.slot >= (newMarks.get(position.pack) ?? 0)) throw notDurable();
    for (const [pack, slots] of newMarks) catalog.marks.peers.set(pack, slots);
    const cells = this.#cells(owner);
    for (const { leaf, position } of added) {
      const key = leaf.toString('latin1');
      const known = cells.get(key);
      if (known === undefined) continue;
      this.#moved(known.position, position);
      cells.set(key, { ...known, position });
    }
  }

  async heldPositions(list: number, from: number, count: number): Promise<readonly (CellPosition | undefined)[]> {
    const held = this.#range(list, from, count);
    const cells = this.#cells(held.owner);
    return Array.from({ length: count }, (_, index) => cells.get(held.keys[from + index] ?? '')?.position);
  }

  async dropHeldList(number: number): Promise<readonly number[]> {
    const { catalog } = this.#disk;
    const list = this.#list(number);
    catalog.lists.delete(number);
    const cells = this.#cells(list.owner);
    for (const key of list.distinct) {
      const known = cells.get(key);
      if (known === undefined) continue;
      if (known.uses > 1) cells.set(key, { ...known, uses: known.uses - 1 });
      else {
        cells.delete(key);
        this.#moved(known.position, undefined);
        this.#empty(known.position);
      }
    }
    if (cells.size === 0) catalog.held.delete(list.owner);
    return this.#dropEmptyPacks();
  }

  /** No row names this slot any more: a year of them must not fill the memory while other cells keep their pack. */
  #empty(position: CellPosition | undefined): void {
    const slots = position === undefined ? undefined : this.#disk.packs.get(position.pack)?.slots;
    if (position !== undefined && slots?.[position.slot] !== undefined) slots[position.slot] = EMPTY_SLOT;
  }

  async heldPackUse(): Promise<readonly PackUse[]> {
    const needed = this.#use();
    return [...this.#disk.catalog.marks.peers]
      .map(([pack, slots]) => ({ pack, slots, needed: needed.get(pack) ?? 0 }))
      .toSorted((a, b) => a.pack - b.pack);
  }

  async heldInPack(pack: number, slot: number, limit: number): Promise<readonly CellPosition[]> {
    return [...this.#places()]
      .filter((place) => place.pack === pack && place.slot >= slot)
      .toSorted((a, b) => a.slot - b.slot)
      .slice(0, limit);
  }

  async moveHeld(moves: readonly HeldMove[], marks: readonly PackMark[]): Promise<void> {
    const { catalog } = this.#disk;
    const newMarks = raised(catalog.marks.peers, marks);
    for (const { to } of moves) if (to.slot >= (newMarks.get(to.pack) ?? 0)) throw notDurable();
    for (const [pack, slots] of newMarks) catalog.marks.peers.set(pack, slots);
    const places = new Map(moves.map(({ from, to }) => [`${from.pack}/${from.slot}`, to]));
    for (const cells of catalog.held.values()) {
      for (const [key, cell] of cells) {
        const to = cell.position && places.get(`${cell.position.pack}/${cell.position.slot}`);
        if (to === undefined) continue;
        this.#moved(cell.position, to);
        cells.set(key, { ...cell, position: to });
      }
    }
  }

  async dropHeldPacks(packs: readonly number[]): Promise<readonly number[]> {
    const marks = this.#disk.catalog.marks.peers;
    const newest = Math.max(...marks.keys());
    const used = this.#use();
    const empty = packs.filter((pack) => marks.has(pack) && pack < newest && !used.has(pack));
    for (const pack of empty) marks.delete(pack);
    return empty;
  }

  async heldDistinctCells(lists: readonly number[]): Promise<number> {
    const name = lists.join();
    const keys = lists.map((list) => this.#list(list).distinct);
    const known = this.#distinct.get(name) ?? countOf(keys);
    if (this.#distinct.size >= COUNTS) this.#distinct.clear();
    this.#distinct.set(name, known);
    return known;
  }

  /** Pack -> cells in it that a list names; of no pack 0. */
  #use(): ReadonlyMap<number, number> {
    const { held } = this.#disk.catalog;
    if (this.#countedOf !== held) {
      this.#countedOf = held;
      this.#needed = new Map();
      for (const place of this.#places()) this.#moved(undefined, place);
    }
    return this.#needed;
  }

  #moved(from: CellPosition | undefined, to: CellPosition | undefined): void {
    if (this.#countedOf !== this.#disk.catalog.held) return;
    if (to !== undefined) this.#needed.set(to.pack, (this.#needed.get(to.pack) ?? 0) + 1);
    const left = from === undefined ? 0 : (this.#needed.get(from.pack) ?? 0) - 1;
    if (from !== undefined && left > 0) this.#needed.set(from.pack, left);
    if (from !== undefined && left <= 0) this.#needed.delete(from.pack);
  }

  /** Where cells lie. */
  *#places(): Generator<CellPosition> {
    for (const cells of this.#disk.catalog.held.values()) {
      for (const { position } of cells.values()) if (position !== undefined) yield position;
    }
  }

  /** The newest pack stays: it may be being filled. */
  #dropEmptyPacks(): number[] {
    const marks = this.#disk.catalog.marks.peers;
    if (marks.size < 2) return [];
    const live = this.#use();
    const newest = Math.max(...marks.keys());
    const empty = [...marks.keys()].filter((pack) => pack < newest && !live.has(pack));
    for (const pack of empty) marks.delete(pack);
    return empty;
  }

  #list(number: number): HeldList {
    const list = this.#disk.catalog.lists.get(number);
    if (list === undefined) throw new BbError('NOT_FOUND', 'this list of held cells does not exist');
    return list;
  }

  #range(number: number, from: number, count: number): HeldList {
    const list = this.#list(number);
    const isInside = from >= 0 && count >= 0 && (from + count) * HASH_BYTES <= list.leaves.length;
    invariant(isInside, 'a range of cells lies inside the list');
    return list;
  }

  #cells(owner: OnionId): Map<Key, HeldCell> {
    const { held } = this.#disk.catalog;
    const cells = held.get(owner) ?? new Map<Key, HeldCell>();
    held.set(owner, cells);
    return cells;
  }
}

function keysOf(leaves: Buffer): Key[] {
  const cells = leaves.length / HASH_BYTES;
  return Array.from({ length: cells }, (_, at) => leaves.toString('latin1', at * HASH_BYTES, (at + 1) * HASH_BYTES));
}

/** Different keys in all of these rows of different keys. */
function countOf([first, ...others]: readonly (readonly Key[])[]): number {
  if (others.length === 0) return first?.length ?? 0;
  const cells = new Set(first);
  for (const keys of others) for (const key of keys) cells.add(key);
  return cells.size;
}
