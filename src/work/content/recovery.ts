// Rebuilds own content from cells that peers give back (docs/protocol.md, "Recovery"). Accepted cells are sealed for
// ourselves and kept in the own store; a staging database that outlives the process remembers them.
// Invariant: a cell is kept only when its bytes give its cell_id; what was saved once is never asked for again.

import { chunkId } from '../../core/content/chunk-id.ts';
import { parseCell } from '../../core/content/cell-codec.ts';
import { decompressChunk } from '../../core/content/compress.ts';
import { contentRoot, leafHash } from '../../core/content/merkle.ts';
import type { Metadata } from '../../core/content/metadata.ts';
import { CELL_KIND, openCell, sealCell } from '../../core/crypto/cell-seal.ts';
import type { CellKind } from '../../core/crypto/cell-seal.ts';
import { BbError } from '../../core/errors.ts';
import { RECOVERY_SAVE_CELLS } from '../../core/limits.ts';
import type { RevisionRow, StagedContent } from '../../ports/catalog.ts';
import { StagingDb, stagingPath } from '../../storage/catalog/staging.ts';
import { BitList } from './bit-list.ts';
import { ByteList, splitBytes } from './byte-list.ts';
import { metadataOf, recoveryStagingId, stagedFinder } from './own-content.ts';
import type { OwnContent } from './own-content.ts';
import { OwnCells } from './own-cells.ts';
import type { CellFinder } from './own-cells.ts';
import { chunkPlaces } from './chunk-places.ts';
import { stageMerge } from './merge-fork.ts';
import type { Merged } from './merge-fork.ts';
import { stagePartial } from './partial-content.ts';
import { indexRecords } from './stored-streams.ts';

export type RecoveryCounts = { readonly done: number; readonly total: number; readonly indexDone: boolean };

const CELL_ID_BYTES = 32;

export class Recovery {
  readonly #own: OwnContent;
  readonly #row: RevisionRow;
  readonly #metadata: Metadata;
  readonly #staging: StagingDb;
  readonly #finder: CellFinder;
  readonly #cells: OwnCells;
  /** Packed ids in blob order without heads: index cells, and data cells once the index is complete. */
  #ids: Buffer;
  /** One bit per id: the cell is here. */
  readonly #isDone = new BitList();
  /** Cells before this one are done. */
  #firstWanted = 0;
  #missing = 0;
  #indexDone = false;
  #unsavedCells = 0;

  /** `others`: what other recoveries have saved; a cell is one whatever revision it came for. */
  private constructor(own: OwnContent, row: RevisionRow, indexIds: Buffer, others: readonly string[]) {
    this.#own = own;
    this.#row = row;
    this.#metadata = metadataOf(row);
    this.#ids = indexIds;
    this.#staging = new StagingDb(stagingPath(own.dataDir, recoveryStagingId(row.contentId)), { durable: true });
    this.#staging.unlist();
    for (const path of others) this.#staging.takeOver(path);
    this.#finder = stagedFinder(this.#staging, own.catalog);
    this.#cells = new OwnCells(own.keys, this.#finder, own.store);
  }

  /** Goes on where an earlier process stopped. INTEGRITY when the index is not that of the revision. */
  static async open(own: OwnContent, row: RevisionRow, indexIds: Buffer): Promise<Recovery> {
    const recovery = new Recovery(own, row, indexIds, await own.otherRecoveries(row.contentId));
    try {
      await recovery.#look(indexIds);
      await recovery.#finishIndex();
      return recovery;
    } catch (error) {
      await recovery.close();
      throw error;
    }
  }

  /** Cell numbers of the blob, rising. */
  wanted(limit: number): number[] {
    const wanted: number[] = [];
    while (this.#isDone.has(this.#firstWanted)) this.#firstWanted++;
    for (let index = this.#firstWanted; index < this.#isDone.length && wanted.length < limit; index++) {
      if (!this.#isDone.has(index)) wanted.push(this.#row.headCells + index);
    }
    return wanted;
  }

  counts(): RecoveryCounts {
    const { indexCells, dataCells } = this.#row;
    const unknown = this.#indexDone ? 0 : dataCells;
    const total = indexCells + dataCells;
    return { done: total - unknown - this.#missing, total, indexDone: this.#indexDone };
  }

  /** False when the bytes are not this cell as sealed for the peer with this key, or nobody asked for it. */
  async offer(peerKey: Buffer, cell: number, bytes: Buffer): Promise<boolean> {
    const index = cell - this.#row.headCells;
    if (!Number.isInteger(index) || index < 0 || index >= this.#isDone.length) return false;
    const cellId = this.#idAt(index);
    const kind = index < this.#row.indexCells ? CELL_KIND.INDEX : CELL_KIND.DATA;
    const { cellId: id, cellEnc: enc } = this.#own.keys;
    const plain = openCell({ id, enc }, peerKey, kind, cellId, bytes);
    if (plain === undefined) return false;
    if (this.#isDone.has(index)) return true;
    await this.#keep(kind, cellId, plain);
    this.#isDone.set(index);
    this.#missing--;
    if (this.#unsavedCells >= RECOVERY_SAVE_CELLS) await this.save();
    await this.#finishIndex();
    return true;
  }

  /** PARTIAL while index cells are missing. Ends the recovery. */
  async finish(
    signal: AbortSignal,
  ): Promise<{ readonly staged: StagedContent; readonly missingFiles: readonly Buffer[] }> {
    if (!this.#indexDone) throw new BbError('PARTIAL', 'the index of the content is not complete yet');
    await this.#placeChunks(signal);
    await this.save();
    const stagingId = recoveryStagingId(this.#row.contentId);
    const result =
      this.#missing === 0
        ? { staged: this.#stageWhole(stagingId), missingFiles: [] }
        : await stagePartial(this.#own, this.#staging, stagingId, this.#metadata, this.#isHere(), signal);
    this.#staging.close();
    return result;
  }

  /** PARTIAL while index cells are missing. Ends the recovery: what it brought is added to the content of `line`. */
  async merge(line: RevisionRow, signal: AbortSignal): Promise<Merged> {
    if (!this.#indexDone) throw new BbError('PARTIAL', 'the index of the content is not complete yet');
    await this.#placeChunks(signal);
    await this.save();
    const stagingId = recoveryStagingId(this.#row.contentId);
    const job = { staging: this.#staging, stagingId, line, fork: this.#row, isHere: this.#isHere(), signal };
    const merged = await stageMerge(this.#own, job);
    this.#staging.close();
    return merged;
  }

  /** Ids of the cells that are known so far, packed, in blob order without heads: index cells, then data cells. */
  cellIds(): Buffer {
    return this.#ids;
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
  async #finishIndex(): Promise<void> {
    if (this.#indexDone || this.#missing > 0) return;
    await this.save();
    const ids = new ByteList();
    ids.append(this.#ids);
    for await (const record of indexRecords(this.#cells, this.#metadata.indexRoot)) {
      if (record.kind === 'cell') ids.append(record.cell.cellId);
    }
    const all = ids.copy();
    const { indexCells, dataCells } = this.#row;
    if (
      all.length !== CELL_ID_BYTES * (indexCells + dataCells) ||
      !contentRoot(all).equals(this.#metadata.contentRoot)
    ) {
      throw new BbError('INTEGRITY', 'the index does not belong to this content revision');
    }
    await this.#look(all.subarray(this.#ids.length));
    this.#ids = all;
    this.#indexDone = true;
  }

  /**
   * Each chunk of a cell that is here is looked for in that cell. What was known before may name another one that has
   * it too and is no part of this content: it would be forgotten with its own revision, and the chunk with it.
   */
  async #placeChunks(signal: AbortSignal): Promise<void> {
    const isHere = this.#isHere();
    for await (const { chunkId: id, cellId } of chunkPlaces(this.#own, this.#finder, this.#metadata)) {
      signal.throwIfAborted();
      if (await isHere(cellId)) this.#staging.addChunk(id, cellId);
    }
  }

  /** Whether a cell, of this content or of another, can be read. */
  #isHere(): (cellId: Buffer) => Promise<boolean> {
    const known = new Map<string, boolean>();
    for (const [index, id] of [...splitBytes(this.#ids, CELL_ID_BYTES)].entries()) {
      known.set(id.toString('latin1'), this.#isDone.has(index));
    }
    return async (cellId) => {
      const name = cellId.toString('latin1');
      const isHere = known.get(name) ?? (await this.#has(cellId));
      known.set(name, isHere);
      return isHere;
    };
  }

  /** Which of the next cells in blob order are here already. */
  async #look(packed: Buffer): Promise<void> {
    for (const cellId of splitBytes(packed, CELL_ID_BYTES)) {
      const isHere = await this.#has(cellId);
      this.#isDone.push(isHere);
      if (!isHere) this.#missing++;
    }
  }

  #idAt(index: number): Buffer {
    return this.#ids.subarray(index * CELL_ID_BYTES, (index + 1) * CELL_ID_BYTES);
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

  #stageWhole(stagingId: string): StagedContent {
    const { indexCells, dataCells, fileCount, fileBytes } = this.#row;
    for (let index = 0; index < indexCells + dataCells; index++) {
      this.#staging.listCell(this.#idAt(index), index < indexCells ? 'index' : 'data');
    }
    return {
      stagingId,
      indexCells,
      dataCells,
      indexRoot: this.#metadata.indexRoot,
      contentRoot: this.#metadata.contentRoot,
      indexCellIds: this.#metadata.indexCells,
      fileCount,
      fileBytes,
      addedFiles: fileCount,
      removedFiles: 0,
      skippedFiles: 0,
      isChanged: true,
      newCells: this.#staging.cellCount(),
    };
  }
}
