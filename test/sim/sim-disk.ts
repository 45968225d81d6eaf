// What survives the process of a simulated node: header, catalog, own cells, cells of other people. It can be copied as
// a whole (a restored image of a virtual machine), lost as a whole, and damaged cell by cell.
// Invariant: values in it are never changed in place, so that a copy of the maps is a copy of the disk.

import type { OnionId } from '../../src/core/ids.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';
import type { CatalogRecord, RecordId } from '../../src/core/records.ts';
import type { RevisionRow } from '../../src/ports/catalog.ts';
import type { CellPosition } from '../../src/ports/cell-store.ts';
import type { Header } from '../../src/ports/data-dir.ts';
import type { Recipe } from './cell-bank.ts';

/** Bytes as a key of a map. */
export type Key = string;
export const keyOf = (bytes: Buffer): Key => bytes.toString('latin1');
export const bytesOfKey = (key: Key): Buffer => Buffer.from(key, 'latin1');

export type StoredRevision = {
  readonly row: RevisionRow;
  readonly heads: readonly CellPosition[];
  /** Cell ids of index cells, then data cells. */
  readonly body: readonly Key[];
  /** Leaf of each head cell, both copies, once known. */
  readonly headLeaves: readonly (Buffer | undefined)[];
};

export type OwnCell = { readonly position: CellPosition; readonly uses: number };
export type HeldList = {
  readonly owner: OnionId;
  readonly leaves: Buffer;
  /** The leaf of each cell as a key, and each of them once. */
  readonly keys: readonly Key[];
  readonly distinct: readonly Key[];
};
/** `key`: the one string that all lists with this cell share. */
export type HeldCell = { readonly key: Key; readonly position: CellPosition | undefined; readonly uses: number };

export type CatalogState = {
  /** With a mark of the key that sealed it. */
  records: Map<RecordId, { readonly sealedBy: Key; readonly record: CatalogRecord }>;
  marks: { readonly own: Map<number, number>; readonly peers: Map<number, number> };
  revisions: Map<Key, StoredRevision>;
  ownCells: Map<Key, OwnCell>;
  /** Leaves of own cells as sealed for a peer, by cell id. */
  leaves: Map<OnionId, Map<Key, Buffer>>;
  lists: Map<number, HeldList>;
  /** By owner, then by leaf. */
  held: Map<OnionId, Map<Key, HeldCell>>;
  nextList: number;
};

/** Content that is made and not committed: new cells with their slot, and all cells in order. */
export type Staging = {
  readonly cells: ReadonlyMap<Key, CellPosition>;
  readonly index: readonly Key[];
  readonly data: readonly Key[];
};

/** What a slot of the own store holds; a data cell is nothing but its id. */
export type OwnSlot = {
  readonly cell: Key;
  readonly payload: Buffer | undefined;
  /** Of a head, whose sealed bytes are the same for every peer. */
  readonly headLeaf?: Buffer;
  readonly isDamaged: boolean;
};

export type PeerSlot = {
  readonly kind: number;
  readonly address: Buffer;
  readonly leafKey: Key;
  readonly recipe: Recipe;
  readonly fault: 'none' | 'flipped' | 'unreadable';
};
/** A slot whose cell nobody needs. */
export const EMPTY_SLOT: PeerSlot = {
  kind: 0,
  address: Buffer.alloc(0),
  leafKey: '',
  recipe: { isSealed: false, make: () => Buffer.alloc(CELL_BYTES) },
  fault: 'unreadable',
};
export type PeerPack = { slots: PeerSlot[]; syncedSlots: number };

export class SimDisk {
  header: Header | undefined;
  catalog: CatalogState = emptyCatalog();
  staging = new Map<string, Staging>();
  own = new Map<number, OwnSlot>();
  nextOwnSlot = 0;
  /** Cells that came back in a recovery that is not committed, by content id. */
  recovered = new Map<Key, Map<Key, OwnSlot>>();
  packs = new Map<number, PeerPack>();
  nextPack = 0;
  totalBytes = 1024 ** 4;
  /** Bytes of something else than this program. */
  otherBytes = 0;

  get usedBytes(): number {
    let slots = this.own.size;
    for (const pack of this.packs.values()) slots += pack.slots.length;
    return this.otherBytes + slots * CELL_BYTES;
  }

  /** A copy that nothing of this disk reaches. */
  image(): SimDisk {
    const copy = new SimDisk();
    const { catalog } = this;
    Object.assign(copy, this);
    copy.catalog = {
      records: new Map(catalog.records),
      marks: { own: new Map(catalog.marks.own), peers: new Map(catalog.marks.peers) },
      revisions: new Map(catalog.revisions),
      ownCells: new Map(catalog.ownCells),
      leaves: copyDeep(catalog.leaves),
      lists: new Map(catalog.lists),
      held: copyDeep(catalog.held),
      nextList: catalog.nextList,
    };
    copy.staging = new Map(this.staging);
    copy.own = new Map(this.own);
    copy.recovered = copyDeep(this.recovered);
    copy.packs = new Map([...this.packs].map(([number, pack]) => [number, { ...pack, slots: [...pack.slots] }]));
    return copy;
  }

  /** The process or the power is gone: of what was not synced each cell is there, torn or lost. */
  cut(fraction: () => number): void {
    for (const pack of this.packs.values()) {
      const unsynced = pack.slots.splice(pack.syncedSlots);
      for (const slot of unsynced) {
        const fate = fraction();
        if (fate < 0.3) break;
        pack.slots.push(fate < 0.6 ? { ...slot, fault: 'flipped' } : slot);
      }
      pack.syncedSlots = pack.slots.length;
    }
    this.staging.clear();
  }
}

export function emptyCatalog(): CatalogState {
  return {
    records: new Map(),
    marks: { own: new Map(), peers: new Map() },
    revisions: new Map(),
    ownCells: new Map(),
    leaves: new Map(),
    lists: new Map(),
    held: new Map(),
    nextList: 1,
  };
}

function copyDeep<K, L, V>(maps: Map<K, Map<L, V>>): Map<K, Map<L, V>> {
  return new Map([...maps].map(([key, map]) => [key, new Map(map)]));
}
