// The catalog of a simulated node: the port of src on plain maps, against the same suite as the SQLite one.
// Invariant: a call changes everything that it should or nothing; whatever may fail is judged before the first change.

import { blobCellCount } from '../../src/core/challenge/plan.ts';
import { HASH_BYTES } from '../../src/core/content/merkle.ts';
import { compareRevisions } from '../../src/core/content/revision-order.ts';
import { sha256 } from '../../src/core/crypto/hash.ts';
import { BbError, invariant } from '../../src/core/errors.ts';
import type { OnionId } from '../../src/core/ids.ts';
import type { CatalogRecord, RecordId } from '../../src/core/records.ts';
import type { Catalog, CommonRun, OwnMove, RevisionCommit, RevisionRow } from '../../src/ports/catalog.ts';
import type { CellPosition, PackMark } from '../../src/ports/cell-store.ts';
import { marksOf, notDurable, raised } from './marks.ts';
import { MemoryHeld } from './memory-held.ts';
import { keyOf } from './sim-disk.ts';
import type { CatalogState, Key, SimDisk, Staging, StoredRevision } from './sim-disk.ts';

type OnWrite = (puts: readonly CatalogRecord[], deletes: readonly RecordId[]) => void;

export class MemoryCatalog extends MemoryHeld implements Catalog {
  readonly #disk: SimDisk;
  readonly #onWrite: OnWrite;
  #sealedBy: Key | undefined;

  /** `onWrite` is told of records before they are written. */
  constructor(disk: SimDisk, onWrite: OnWrite = () => undefined) {
    super(disk);
    this.#disk = disk;
    this.#onWrite = onWrite;
  }

  async open(): Promise<void> {}

  async unlock(rowKey: Buffer): Promise<void> {
    this.#sealedBy = keyOf(sha256(rowKey));
  }

  async lock(): Promise<void> {
    this.#sealedBy = undefined;
  }

  async close(): Promise<void> {
    this.#sealedBy = undefined;
  }

  async records(): Promise<readonly CatalogRecord[]> {
    const own = this.#needKey();
    return [...this.#state.records.values()].map(({ sealedBy, record }) => {
      if (sealedBy !== own) throw new BbError('INTEGRITY', 'a record does not open under this key');
      return record;
    });
  }

  async putRecords(puts: readonly CatalogRecord[], deletes: readonly RecordId[] = []): Promise<void> {
    this.#write(puts, deletes);
  }

  async marks(store: 'own' | 'peers'): Promise<readonly PackMark[]> {
    return marksOf(this.#state.marks[store]);
  }

  async newestRevision(): Promise<RevisionRow | undefined> {
    this.#needKey();
    return this.#newest()?.row;
  }

  async revision(contentId: Buffer): Promise<RevisionRow | undefined> {
    return this.#state.revisions.get(keyOf(contentId))?.row;
  }

  async commitRevision({ staged, revision, heads, ownMarks, records }: RevisionCommit): Promise<void> {
    const state = this.#state;
    const key = keyOf(revision.contentId);
    const staging = this.#staging(staged.stagingId);
    const body = staging === undefined ? (this.#newest()?.body ?? []) : [...staging.index, ...staging.data];
    invariant(heads.length === 2 * revision.headCells, 'a revision has two head copies');
    if (state.revisions.has(key)) throw new BbError('CONFLICT', 'this content revision was committed already');
    const marks = raised(state.marks.own, ownMarks);
    for (const { pack, slot } of [...heads, ...(staging?.cells.values() ?? [])]) {
      if (slot >= (marks.get(pack) ?? 0)) throw notDurable();
    }
    for (const cell of body) {
      if (staging?.cells.has(cell) !== true && !state.ownCells.has(cell)) {
        throw new BbError('INTEGRITY', 'a listed cell is neither new nor known');
      }
    }
    invariant(body.length === revision.indexCells + revision.dataCells, 'the counts are those of the staged cells');
    this.#write(records, []);
    for (const [pack, slots] of marks) state.marks.own.set(pack, slots);
    for (const cell of body) {
      const known = state.ownCells.get(cell);
      const position = staging?.cells.get(cell) ?? known?.position;
      invariant(position !== undefined, 'a committed cell has a position');
      if (known !== undefined && known.position.slot !== position.slot) this.#disk.own.delete(known.position.slot);
      state.ownCells.set(cell, { position, uses: (known?.uses ?? 0) + 1 });
    }
    const headLeaves = Array.from({ length: heads.length }, () => undefined);
    state.revisions.set(key, { row: revision, heads, body, headLeaves });
    this.#disk.staging.delete(staged.stagingId);
  }

  async dropRevision(contentId: Buffer): Promise<void> {
    const state = this.#state;
    const stored = state.revisions.get(keyOf(contentId));
    if (stored === undefined) return;
    state.revisions.delete(keyOf(contentId));
    for (const { slot } of stored.heads) this.#disk.own.delete(slot);
    for (const cell of stored.body) {
      const known = state.ownCells.get(cell);
      if (known === undefined) continue;
      if (known.uses > 1) {
        state.ownCells.set(cell, { ...known, uses: known.uses - 1 });
        continue;
      }
      state.ownCells.delete(cell);
      this.#disk.own.delete(known.position.slot);
      for (const leaves of state.leaves.values()) leaves.delete(cell);
    }
  }

  async cellIds(contentId: Buffer, from: number, count: number): Promise<Buffer> {
    const stored = this.#need(contentId);
    const out = Buffer.alloc(count * HASH_BYTES);
    for (let index = 0; index < count; index += 1) {
      const name = cellName(stored, from + index);
      const at = index * HASH_BYTES;
      if (name.kind === 'cell') out.write(name.cell, at, 'latin1');
      else {
        out.writeUInt8(1 + name.copy, at);
        out.writeUInt8(1 + name.number, at + HASH_BYTES - 1);
      }
    }
    return out;
  }

  async cellPositions(contentId: Buffer, from: number, count: number): Promise<readonly CellPosition[]> {
    const stored = this.#need(contentId);
    return Array.from({ length: count }, (_, index) => {
      const name = cellName(stored, from + index);
      const position = name.kind === 'head' ? stored.heads[name.at] : this.#state.ownCells.get(name.cell)?.position;
      if (position === undefined) throw new BbError('INTEGRITY', 'a cell of a revision is missing in the catalog');
      return position;
    });
  }

  async commonRuns(contentId: Buffer, reference: Buffer): Promise<readonly CommonRun[]> {
    const [stored, other] = [this.#need(contentId), this.#need(reference)];
    const places = new Map(other.body.map((cell, index) => [cell, index + other.row.headCells]));
    const runs: { cell: number; referenceCell: number; cells: number }[] = [];
    for (const [index, key] of stored.body.entries()) {
      const referenceCell = places.get(key);
      if (referenceCell === undefined) continue;
      const cell = index + stored.row.headCells;
      const last = runs.at(-1);
      if (last && last.cell + last.cells === cell && last.referenceCell + last.cells === referenceCell) last.cells += 1;
      else runs.push({ cell, referenceCell, cells: 1 });
    }
    return runs;
  }

  async peerLeaves(peer: OnionId, contentId: Buffer, from: number, count: number): Promise<Buffer | undefined> {
    const stored = this.#need(contentId);
    invariant(from >= 0 && from + count <= blobCellCount(stored.row), 'a range of cells lies inside the blob');
    const leaves: Buffer[] = [];
    for (let cell = from; cell < from + count; cell += 1) {
      const leaf = this.#leaf(peer, stored, cell);
      if (leaf === undefined) return undefined;
      leaves.push(leaf);
    }
    return Buffer.concat(leaves);
  }

  async unknownLeaves(peer: OnionId, contentId: Buffer): Promise<readonly number[]> {
    const stored = this.#need(contentId);
    const cells = Array.from({ length: blobCellCount(stored.row) }, (_, cell) => cell);
    return cells.filter((cell) => this.#leaf(peer, stored, cell) === undefined);
  }

  async putLeaves(peer: OnionId, contentId: Buffer, cells: readonly number[], packed: Buffer): Promise<void> {
    const stored = this.#need(contentId);
    const headLeaves = [...stored.headLeaves];
    const leaves = this.#state.leaves.get(peer) ?? new Map<Key, Buffer>();
    for (const [index, cell] of cells.entries()) {
      const name = cellName(stored, cell);
      const leaf = Buffer.from(packed.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES));
      if (name.kind === 'head') headLeaves[name.at] = leaf;
      else leaves.set(name.cell, leaf);
    }
    this.#state.leaves.set(peer, leaves);
    this.#state.revisions.set(keyOf(contentId), { ...stored, headLeaves });
  }

  /** Healed cells and heads lie elsewhere from now on. */
  async moveOwn(move: OwnMove): Promise<void> {
    const state = this.#state;
    for (const [pack, slots] of raised(state.marks.own, move.marks)) state.marks.own.set(pack, slots);
    for (const { cellId, position } of move.cells) {
      const known = state.ownCells.get(keyOf(cellId));
      if (known === undefined) continue;
      this.#disk.own.delete(known.position.slot);
      state.ownCells.set(keyOf(cellId), { ...known, position });
    }
    for (const { contentId, positions } of move.heads) {
      const stored = state.revisions.get(keyOf(contentId));
      if (stored === undefined) continue;
      for (const { slot } of stored.heads) this.#disk.own.delete(slot);
      state.revisions.set(keyOf(contentId), { ...stored, heads: positions });
    }
  }

  /** No chunks are kept here. */
  async placeChunks(): Promise<void> {}

  async inventory(): Promise<{ readonly revisions: readonly Buffer[]; readonly heldLists: readonly number[] }> {
    const revisions = [...this.#state.revisions.values()].map(({ row }) => row.contentId);
    return { revisions, heldLists: [...this.#state.lists.keys()] };
  }

  async backup(): Promise<void> {}

  // A catalog in memory is never damaged in part: it commits wholly, not at all, or is the one of an older image.
  async inspect() {
    return { problems: [], rebuiltFrom: undefined, copy: 'missing' as const, copyMs: 0, packs: 0, damagedPacks: [] };
  }

  async verify(): Promise<{ readonly catalog: readonly string[]; readonly copy: readonly string[] }> {
    return { catalog: [], copy: [] };
  }

  rebuild(): Promise<'copy' | 'nothing'> {
    return Promise.reject(new BbError('INTEGRITY', 'a simulated catalog has no copy'));
  }

  async rebuiltFrom(): Promise<undefined> {
    return undefined;
  }

  async markRebuilt(): Promise<void> {}

  async adoptHeldCells(): Promise<number> {
    return 0;
  }

  async endRebuild(puts: readonly CatalogRecord[]): Promise<void> {
    this.#write(puts, []);
  }

  get #state(): CatalogState {
    return this.#disk.catalog;
  }

  #needKey(): Key {
    if (this.#sealedBy === undefined) throw new BbError('LOCKED', 'the catalog is locked');
    return this.#sealedBy;
  }

  #write(puts: readonly CatalogRecord[], deletes: readonly RecordId[]): void {
    const sealedBy = this.#needKey();
    this.#onWrite(puts, deletes);
    for (const record of puts) this.#state.records.set(record.id, { sealedBy, record });
    for (const id of deletes) this.#state.records.delete(id);
  }

  #staging(id: string): Staging | undefined {
    if (id === '') return undefined;
    const staging = this.#disk.staging.get(id);
    if (staging === undefined) throw new BbError('NOT_FOUND', 'the staged content is gone; run the command again');
    return staging;
  }

  #newest(): StoredRevision | undefined {
    let newest: StoredRevision | undefined;
    for (const stored of this.#state.revisions.values()) {
      if (newest === undefined || compareRevisions(stored.row, newest.row) > 0) newest = stored;
    }
    return newest;
  }

  #need(contentId: Buffer): StoredRevision {
    const stored = this.#state.revisions.get(keyOf(contentId));
    if (stored === undefined) throw new BbError('NOT_FOUND', 'this content revision is not kept here');
    return stored;
  }

  #leaf(peer: OnionId, stored: StoredRevision, cell: number): Buffer | undefined {
    const name = cellName(stored, cell);
    return name.kind === 'head' ? stored.headLeaves[name.at] : this.#state.leaves.get(peer)?.get(name.cell);
  }
}

type CellName =
  | { readonly kind: 'head'; readonly copy: 0 | 1; readonly number: number; readonly at: number }
  | { readonly kind: 'cell'; readonly cell: Key };

/** What is at this place of the blob: head copy 0, index cells, data cells, head copy 1. */
export function cellName({ row, body }: StoredRevision, cell: number): CellName {
  const { headCells } = row;
  const end = headCells + body.length;
  invariant(cell >= 0 && cell < end + headCells, 'a cell lies inside the blob');
  if (cell < headCells) return { kind: 'head', copy: 0, number: cell, at: cell };
  if (cell >= end) return { kind: 'head', copy: 1, number: cell - end, at: headCells + cell - end };
  return { kind: 'cell', cell: body[cell - headCells] ?? '' };
}
