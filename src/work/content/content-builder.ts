// Builds the cells of one content: file bytes into DATA cells, file table and directory into INDEX cells, and the list
// of all cells. Used by an ingest and by a recovery that has to leave something out.
// Invariant: data cells are listed in the order of the directory; a cell is listed because a live chunk lies in it.

import { Chunker, DATA_CHUNKS } from '../../core/content/chunker.ts';
import type { StoredChunk } from '../../core/content/cell-codec.ts';
import { CHUNK_ID_BYTES } from '../../core/content/chunk-id.ts';
import { encodeIndexRecord, INDEX_MAGIC } from '../../core/content/directory.ts';
import type { Entry } from '../../core/content/entry.ts';
import { TABLE_MAGIC, TableWriter } from '../../core/content/file-table.ts';
import { leafHash, MerkleRoot } from '../../core/content/merkle.ts';
import type { RootList } from '../../core/content/root-list.ts';
import type { Snapshot } from '../../core/content/snapshot.ts';
import { CELL_KIND } from '../../core/crypto/cell-seal.ts';
import { startSha256 } from '../../core/crypto/hash.ts';
import { BbError } from '../../core/errors.ts';
import { CONTENT_BYTES, CONTENT_CELLS } from '../../core/limits.ts';
import type { StagingDb } from '../../storage/catalog/staging.ts';
import { ByteList, splitBytes } from './byte-list.ts';
import { encodeCellRecord } from './cell-record.ts';
import { ChunkWriter } from './chunk-writer.ts';
import { isSparse, liveChunks, sparseDataCells, leastUsedIndexCells, streamChunks } from './compaction.ts';
import { stagedFinder } from './own-content.ts';
import type { OwnContent } from './own-content.ts';
import { OwnCells } from './own-cells.ts';
import type { CellFinder, FoundCell } from './own-cells.ts';
import { indexRecords } from './stored-streams.ts';
import type { ChunkLoader } from './stored-streams.ts';
import { StreamWriter } from './stream-writer.ts';

/** The content from which a new one is made. */
export type BaseContent = {
  readonly root: RootList;
  /** Packed, 32 bytes each, in blob order. */
  readonly indexCells: Buffer;
  /** Last data cell, if there is any. */
  readonly lastDataCell: Buffer | undefined;
};

export type BuiltContent = {
  readonly root: RootList;
  readonly indexCells: number;
  readonly dataCells: number;
  /** Packed, 32 bytes each. */
  readonly indexCellIds: Buffer;
  /** Tree root over all cell ids. */
  readonly contentRoot: Buffer;
  /** Cells that the base does not list. */
  readonly newCells: number;
};

export class ContentBuilder {
  /** Cells of the new content, staged ones included. */
  readonly cells: OwnCells;
  readonly #own: OwnContent;
  readonly #staging: StagingDb;
  readonly #base: BaseContent | undefined;
  readonly #finder: CellFinder;
  readonly #data: ChunkWriter;
  readonly #index: ChunkWriter;
  readonly #newIndexCells = new ByteList();
  readonly #table: StreamWriter;
  readonly #tableWriter = new TableWriter();
  #newCells = 0;

  constructor(own: OwnContent, staging: StagingDb, base: BaseContent | undefined) {
    this.#own = own;
    this.#staging = staging;
    this.#base = base;
    const { keys, store, catalog } = own;
    const finder = stagedFinder(staging, catalog);
    this.#finder = finder;
    const isLost = (cellId: Buffer): boolean => this.#isLost(cellId);
    this.cells = new OwnCells(keys, finder, store, (cellId) => own.damage.meet(cellId));
    const deps = { keys, store, staging, finder, cells: this.cells, isLost };
    const { lastDataCell } = base ?? { lastDataCell: undefined };
    const tail = lastDataCell === undefined || isLost(lastDataCell) ? undefined : lastDataCell;
    this.#data = new ChunkWriter(CELL_KIND.DATA, tail, {
      ...deps,
      onCell: (cellId, chunks) => staging.addRecord(cellId, encodeCellRecord(cellId, chunks)),
    });
    const lastIndexCell = base === undefined ? undefined : base.indexCells.subarray(-32);
    const indexTail = lastIndexCell === undefined || isLost(lastIndexCell) ? undefined : lastIndexCell;
    this.#index = new ChunkWriter(CELL_KIND.INDEX, indexTail, {
      ...deps,
      onCell: (cellId) => this.#newIndexCells.append(cellId),
    });
    this.#table = new StreamWriter(own.gear, keys.chunkId, this.#index);
  }

  /** Opens the file table; before the first entry. */
  start(): Promise<void> {
    return this.#table.write(TABLE_MAGIC);
  }

  /** Stores the bytes of one file. TOO_LARGE. Blocks may be reused when the next is asked for. */
  async addBytes<End>(
    blocks: AsyncGenerator<Buffer, End>,
    onBytes: (count: number) => Promise<void>,
  ): Promise<{ readonly end: End; readonly size: number; readonly sha256: Buffer; readonly chunkIds: Buffer }> {
    const chunker = new Chunker(this.#own.gear, DATA_CHUNKS);
    const hash = startSha256();
    const ids = new ByteList();
    let size = 0;
    try {
      for (;;) {
        const next = await blocks.next();
        if (next.done === true) {
          const last = chunker.finish();
          if (last !== undefined) ids.append(await this.#data.put(last));
          return { end: next.value, size, sha256: hash.digest(), chunkIds: ids.copy() };
        }
        size += next.value.length;
        if (size > CONTENT_BYTES) throw new BbError('TOO_LARGE', 'the files are larger than the largest content');
        hash.update(next.value);
        for (const chunk of chunker.push(next.value)) ids.append(await this.#data.put(chunk));
        await onBytes(next.value.length);
      }
    } catch (error) {
      // The file behind the blocks is closed.
      await blocks.throw(error).catch(() => undefined);
      throw error;
    }
  }

  /** Chunks were stored anew because the cell in which they were is lost. */
  get hasReplacedLost(): boolean {
    return this.#data.hasReplacedLost;
  }

  /** The chunks of an entry that stays as it is. */
  keepBytes(entry: Entry): void {
    for (const id of splitBytes(entry.chunkIds, CHUNK_ID_BYTES)) this.#data.keep(id);
  }

  /** Appends to the file table; in table order, after the bytes of the entry. */
  addEntry(entry: Entry): Promise<void> {
    return this.#table.write(this.#tableWriter.append(entry));
  }

  /** Writes the rest: last data cells, directory, snapshot, index. TOO_LARGE. */
  async finish(snapshot: Omit<Snapshot, 'table'>): Promise<BuiltContent> {
    const table = await this.#table.finish();
    await this.#compactData(table);
    await this.#data.finish();
    const directory = new StreamWriter(this.#own.gear, this.#own.keys.chunkId, this.#index);
    await directory.write(INDEX_MAGIC);
    await this.#writeDirectory(directory);
    await directory.write(encodeIndexRecord({ kind: 'snapshot', snapshot: { ...snapshot, table } }));
    const root = await directory.finish();
    await this.#compactIndex(table, root);
    await this.#index.finish();
    this.#listIndexCells();
    return this.#built(root);
  }

  /** The cells that were written here, whatever leads a reader to them. */
  *written(): Generator<FoundCell> {
    for (const { cellId } of this.#staging.records()) yield this.#found(cellId);
    for (const cellId of splitBytes(this.#newIndexCells.copy(), 32)) yield this.#found(cellId);
  }

  /** The same chunks make the same cell: once it is written again it is lost no more. */
  #isLost(cellId: Buffer): boolean {
    return this.#own.damage.isLost(cellId) && this.#staging.cell(cellId) === undefined;
  }

  #found(cellId: Buffer): FoundCell {
    const found = this.#finder.cell(cellId);
    if (found === undefined) throw new BbError('INTERNAL', 'a cell that was written is not staged');
    return found;
  }

  /** Gives up data cells of which less than half is needed. */
  async #compactData(table: RootList): Promise<void> {
    if (this.#base === undefined) return;
    this.#data.flushUses();
    const sparse = await sparseDataCells(this.cells, this.#base, this.#staging);
    if (sparse.length === 0) return;
    const live = await liveChunks(this.#loader(), table, sparse);
    for (const { cellId } of sparse) {
      const found = this.#isLost(cellId) ? undefined : this.#finder.cell(cellId);
      if (found !== undefined) await this.#data.repack(found, (chunk) => live.has(chunk.chunkId.toString('latin1')));
    }
  }

  /** The same for index cells; what they hold shows only when they are opened. */
  async #compactIndex(table: RootList, root: RootList): Promise<void> {
    if (this.#base === undefined) return;
    this.#index.flushUses();
    const suspects = leastUsedIndexCells(this.#base, this.#staging);
    if (suspects.length === 0) return;
    const live = await streamChunks(this.#loader(), [table, root]);
    for (const cellId of suspects) {
      const found = this.#finder.cell(cellId);
      if (found === undefined) continue;
      const isLive = (chunk: StoredChunk): boolean => live.has(chunk.chunkId.toString('latin1'));
      if (isSparse(await this.cells.chunksOf(found), isLive)) await this.#index.repack(found, isLive);
    }
  }

  /** Chunks of the new content, also those that are in no cell yet. */
  #loader(): ChunkLoader {
    return { load: async (id) => this.#index.pendingChunk(id) ?? this.cells.load(id) };
  }

  /** Lists the data cells and writes their records: those of the base that live, new ones, then revived ones. */
  async #writeDirectory(directory: StreamWriter): Promise<void> {
    const list = async (cellId: Buffer, record: Buffer): Promise<void> => {
      this.#staging.listCell(cellId, 'data');
      await directory.write(record);
    };
    if (this.#base !== undefined) {
      for await (const record of indexRecords(this.cells, this.#base.root)) {
        if (record.kind !== 'cell' || !this.#staging.isLive(record.cell.cellId)) continue;
        await list(record.cell.cellId, encodeIndexRecord(record));
      }
    }
    for (const { cellId, body } of this.#staging.records()) {
      if (this.#staging.isListed(cellId)) continue; // a lost cell, written again, that others need as well
      this.#newCells++;
      await list(Buffer.from(cellId), body);
    }
    for (const cellId of this.#staging.unlistedLive()) {
      const found = this.#finder.cell(cellId);
      if (found?.kind !== CELL_KIND.DATA) continue;
      this.#newCells++;
      await list(cellId, encodeCellRecord(cellId, await this.cells.chunksOf(found)));
    }
  }

  #listIndexCells(): void {
    for (const cellId of splitBytes(this.#base?.indexCells ?? Buffer.alloc(0), 32)) {
      if (this.#staging.isLive(cellId)) this.#staging.listCell(cellId, 'index');
    }
    for (const cellId of splitBytes(this.#newIndexCells.copy(), 32)) {
      if (this.#staging.isListed(cellId)) continue;
      this.#newCells++;
      this.#staging.listCell(cellId, 'index');
    }
    for (const cellId of this.#staging.unlistedLive()) {
      this.#newCells++;
      this.#staging.listCell(cellId, 'index');
    }
  }

  #built(root: RootList): BuiltContent {
    const indexCells = this.#staging.listedCount('index');
    const dataCells = this.#staging.listedCount('data');
    if (indexCells + dataCells > CONTENT_CELLS) throw new BbError('TOO_LARGE', 'the content has too many cells');
    const tree = new MerkleRoot();
    const indexIds = new ByteList();
    let ordinal = 0;
    for (const cellId of this.#staging.listed()) {
      tree.push(leafHash(cellId));
      if (ordinal++ < indexCells) indexIds.append(cellId);
    }
    return {
      root,
      indexCells,
      dataCells,
      indexCellIds: indexIds.copy(),
      contentRoot: tree.root(),
      newCells: this.#newCells,
    };
  }
}
