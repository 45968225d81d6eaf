// Rebuilds own content from cells that peers give back (docs/protocol.md, "Recovery"). Accepted cells are sealed for
// ourselves and kept in the own store; a staging database that outlives the process remembers them.
// Invariant: a cell is kept only when its bytes give its cell_id; what was saved once is never asked for again.

import { chunkId } from '../../core/content/chunk-id.ts';
import { parseCell } from '../../core/content/cell-codec.ts';
import { decompressChunk } from '../../core/content/compress.ts';
import { leafHash, MerkleRoot } from '../../core/content/merkle.ts';
import type { Metadata } from '../../core/content/metadata.ts';
import { CELL_KIND, openCell, sealCell } from '../../core/crypto/cell-seal.ts';
import type { CellKind } from '../../core/crypto/cell-seal.ts';
import { BbError } from '../../core/errors.ts';
import { RECOVERY_SAVE_CELLS } from '../../core/limits.ts';
import type { RevisionRow, StagedContent } from '../../ports/catalog.ts';
import { StagingDb, stagingPath } from '../../storage/catalog/staging.ts';
import { ByteList, splitBytes } from './byte-list.ts';
import { metadataOf, recoveryStagingId, stagedFinder } from './own-content.ts';
import type { OwnContent } from './own-content.ts';
import { OwnCells } from './own-cells.ts';
import type { CellFinder } from './own-cells.ts';
import { stagePartial } from './partial-content.ts';
import { indexRecords } from './stored-streams.ts';

/** Sealed for the peer that gave it. */
export type OfferedCell = { readonly cellId: Buffer; readonly bytes: Buffer };
export type RecoveryCounts = { readonly done: number; readonly total: number; readonly indexDone: boolean };

const CELL_ID_BYTES = 32;

export class Recovery {
  readonly #own: OwnContent;
  readonly #row: RevisionRow;
  readonly #metadata: Metadata;
  readonly #indexIds: Buffer;
  readonly #staging: StagingDb;
  readonly #finder: CellFinder;
  readonly #cells: OwnCells;
  /** In blob order; names are cell ids in latin1. */
  readonly #missingIndex = new Set<string>();
  readonly #missingData = new Set<string>();
  /** Packed ids of the data cells; undefined while index cells are missing. */
  #dataIds: Buffer | undefined;
  #unsavedCells = 0;

  private constructor(own: OwnContent, row: RevisionRow, indexIds: Buffer) {
    this.#own = own;
    this.#row = row;
    this.#metadata = metadataOf(row);
    this.#indexIds = indexIds;
    this.#staging = new StagingDb(stagingPath(own.dataDir, recoveryStagingId(row.contentId)), { durable: true });
    this.#staging.unlist();
    this.#finder = stagedFinder(this.#staging, own.catalog);
    this.#cells = new OwnCells(own.keys, this.#finder, own.store);
  }

  /** Goes on where an earlier process stopped. INTEGRITY when the index is not that of the revision. */
  static async open(own: OwnContent, row: RevisionRow, indexIds: Buffer): Promise<Recovery> {
    const recovery = new Recovery(own, row, indexIds);
    try {
      await recovery.#addMissing(indexIds, recovery.#missingIndex);
      if (recovery.#missingIndex.size === 0) await recovery.#readDirectory();
      return recovery;
    } catch (error) {
      await recovery.close();
      throw error;
    }
  }

  wanted(limit: number): Buffer[] {
    const wanted: Buffer[] = [];
    for (const name of this.#dataIds === undefined ? this.#missingIndex : this.#missingData) {
      if (wanted.length >= limit) break;
      wanted.push(Buffer.from(name, 'latin1'));
    }
    return wanted;
  }

  counts(): RecoveryCounts {
    const total = this.#row.indexCells + this.#row.dataCells;
    const missingData = this.#dataIds === undefined ? this.#row.dataCells : this.#missingData.size;
    const done = total - this.#missingIndex.size - missingData;
    return { done, total, indexDone: this.#dataIds !== undefined };
  }

  /** One answer per cell: whether the bytes are that cell as sealed for the peer with this key. */
  async offer(peerKey: Buffer, cells: readonly OfferedCell[]): Promise<boolean[]> {
    const accepted: boolean[] = [];
    for (const { cellId, bytes } of cells) accepted.push(await this.#offerOne(peerKey, cellId, bytes));
    if (this.#unsavedCells >= RECOVERY_SAVE_CELLS) await this.save();
    if (this.#dataIds === undefined && this.#missingIndex.size === 0) {
      await this.save();
      await this.#readDirectory();
    }
    return accepted;
  }

  cellIds(): Buffer {
    if (this.#dataIds === undefined) throw incomplete();
    return Buffer.concat([this.#indexIds, this.#dataIds]);
  }

  /** PARTIAL while index cells are missing. Ends the recovery. */
  async finish(
    signal: AbortSignal,
  ): Promise<{ readonly staged: StagedContent; readonly missingFiles: readonly Buffer[] }> {
    if (this.#dataIds === undefined) throw incomplete();
    await this.save();
    const stagingId = recoveryStagingId(this.#row.contentId);
    const result =
      this.#missingData.size === 0
        ? { staged: this.#stageWhole(stagingId, this.#dataIds), missingFiles: [] }
        : await stagePartial(this.#own, this.#staging, stagingId, this.#metadata, signal);
    this.#staging.close();
    return result;
  }

  /** Makes everything accepted so far survive a crash. */
  async save(): Promise<void> {
    await this.#own.store.sync();
    this.#staging.save();
    this.#unsavedCells = 0;
  }

  /** Saves and ends; another process may go on. */
  async close(): Promise<void> {
    await this.save();
    this.#staging.close();
  }

  async #offerOne(peerKey: Buffer, cellId: Buffer, bytes: Buffer): Promise<boolean> {
    const name = cellId.toString('latin1');
    const isMissing = this.#missingIndex.has(name) || this.#missingData.has(name);
    const kind = this.#kindOf(name, cellId);
    if (kind === undefined || cellId.length !== CELL_ID_BYTES) return false;
    const { cellId: id, cellEnc: enc } = this.#own.keys;
    const plain = openCell({ id, enc }, peerKey, kind, cellId, bytes);
    if (plain === undefined) return false;
    if (isMissing) {
      await this.#keep(kind, cellId, plain);
      this.#missingIndex.delete(name);
      this.#missingData.delete(name);
    }
    return true;
  }

  #kindOf(name: string, cellId: Buffer): CellKind | undefined {
    if (this.#missingIndex.has(name)) return CELL_KIND.INDEX;
    if (this.#missingData.has(name)) return CELL_KIND.DATA;
    return this.#finder.cell(cellId)?.kind as CellKind | undefined;
  }

  async #keep(kind: CellKind, cellId: Buffer, plain: Buffer): Promise<void> {
    const { keys, store } = this.#own;
    const chunkIds = parseCell(plain).map(({ algorithm, stored, plainBytes }) =>
      chunkId(keys.chunkId, kind, decompressChunk(algorithm, stored, plainBytes)),
    );
    const bytes = sealCell(keys.cellEnc, keys.pubkey, cellId, plain);
    const [position] = await store.append([{ kind, address: cellId, leaf: leafHash(bytes), bytes }]);
    if (position === undefined) throw new BbError('INTERNAL', 'an appended cell has no position');
    this.#staging.addCell(cellId, { kind, position });
    for (const id of chunkIds) this.#staging.addChunk(id, cellId);
    this.#unsavedCells++;
  }

  /** Once all index cells are there: which data cells the content has. */
  async #readDirectory(): Promise<void> {
    const tree = new MerkleRoot();
    for (const cellId of splitBytes(this.#indexIds, CELL_ID_BYTES)) tree.push(leafHash(cellId));
    const ids = new ByteList();
    let dataCells = 0;
    for await (const record of indexRecords(this.#cells, this.#metadata.indexRoot)) {
      if (record.kind !== 'cell') continue;
      dataCells++;
      tree.push(leafHash(record.cell.cellId));
      ids.append(record.cell.cellId);
    }
    if (dataCells !== this.#row.dataCells || !tree.root().equals(this.#metadata.contentRoot)) {
      throw new BbError('INTEGRITY', 'the index does not belong to this content revision');
    }
    const dataIds = ids.copy();
    await this.#addMissing(dataIds, this.#missingData);
    this.#dataIds = dataIds;
  }

  async #addMissing(packed: Buffer, missing: Set<string>): Promise<void> {
    for (const cellId of splitBytes(packed, CELL_ID_BYTES)) {
      if (!(await this.#has(cellId))) missing.add(cellId.toString('latin1'));
    }
  }

  /** Staged cells were checked when they came; one of an earlier revision is opened to see that it is still good. */
  async #has(cellId: Buffer): Promise<boolean> {
    if (this.#staging.cell(cellId) !== undefined) return true;
    const known = this.#own.catalog.cell(cellId);
    if (known === undefined) return false;
    try {
      await this.#cells.chunksOf({ cellId, ...known });
      return true;
    } catch (error) {
      if (error instanceof BbError && error.code === 'INTEGRITY') return false;
      throw error;
    }
  }

  #stageWhole(stagingId: string, dataIds: Buffer): StagedContent {
    for (const cellId of splitBytes(this.#indexIds, CELL_ID_BYTES)) this.#staging.listCell(cellId, 'index');
    for (const cellId of splitBytes(dataIds, CELL_ID_BYTES)) this.#staging.listCell(cellId, 'data');
    const { indexCells, dataCells, fileCount, fileBytes } = this.#row;
    return {
      stagingId,
      indexCells,
      dataCells,
      indexRoot: this.#metadata.indexRoot,
      contentRoot: this.#metadata.contentRoot,
      indexCellIds: this.#indexIds,
      fileCount,
      fileBytes,
      addedFiles: fileCount,
      removedFiles: 0,
      skippedFiles: 0,
      newCells: this.#staging.cellCount(),
    };
  }
}

function incomplete(): BbError {
  return new BbError('PARTIAL', 'the index of the content is not complete yet');
}
