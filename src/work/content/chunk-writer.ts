// Takes chunks of one kind and puts those that are new into new cells: looked up, compressed, packed, sealed for
// ourselves, appended (docs/protocol.md, "Commit"). The partly filled last cell of the old content is rewritten together
// with what is left over, so that small changes do not leave a trail of small cells.
// Invariant: a chunk id is returned only for a chunk that is stored, or will be when finish() has returned.

import { bytesInCell } from '../../core/content/cell-codec.ts';
import type { StoredChunk } from '../../core/content/cell-codec.ts';
import { chunkId } from '../../core/content/chunk-id.ts';
import { compressChunk, decompressChunk } from '../../core/content/compress.ts';
import { leafHash } from '../../core/content/merkle.ts';
import { Packer } from '../../core/content/packer.ts';
import type { PackedCell } from '../../core/content/packer.ts';
import { cellId, sealCell } from '../../core/crypto/cell-seal.ts';
import type { CellKind } from '../../core/crypto/cell-seal.ts';
import { BbError } from '../../core/errors.ts';
import { CELL_BYTES } from '../../core/limits.ts';
import type { CellStore } from '../../ports/cell-store.ts';
import type { WorkerKeys } from '../../ports/workers.ts';
import type { StagingDb } from '../../storage/catalog/staging.ts';
import type { CellFinder, FoundCell, OwnCells } from './own-cells.ts';

/** A last cell that is fuller than this stays as it is. */
const FULL_BYTES = CELL_BYTES - CELL_BYTES / 16;

export type ChunkWriterDeps = {
  readonly keys: WorkerKeys;
  readonly store: Pick<CellStore, 'append'>;
  readonly staging: StagingDb;
  readonly finder: CellFinder;
  readonly cells: OwnCells;
  /** The cell is damaged and nobody could give it back. */
  isLost(cellId: Buffer): boolean;
  /** A new cell of this kind, in the order of the blob. */
  onCell(cellId: Buffer, chunks: readonly StoredChunk[]): void;
};

export class ChunkWriter {
  readonly #deps: ChunkWriterDeps;
  readonly #kind: CellKind;
  readonly #packer = new Packer();
  /** Chunks that are in the packer: their cell has no name yet. */
  readonly #pending = new Map<string, StoredChunk>();
  /** The last cell of the old content, and which of its chunks the new one needs. */
  readonly #tail: Buffer | undefined;
  readonly #tailLive = new Set<string>();
  /** The old cell that was used last, and how often in a row. */
  #lastLive: Buffer = Buffer.alloc(0);
  #lastUses = 0;
  #isEmpty = true;
  hasReplacedLost = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(kind: CellKind, tail: Buffer | undefined, deps: ChunkWriterDeps) {
    this.#kind = kind;
    this.#tail = tail;
    this.#deps = deps;
  }

  /** Stores a chunk unless it is there already. `plain` may be reused by the caller afterwards. */
  async put(plain: Buffer): Promise<Buffer> {
    const id = chunkId(this.#deps.keys.chunkId, this.#kind, plain);
    const name = id.toString('latin1');
    if (this.#pending.has(name)) return id;
    const found = this.#deps.finder.chunkCell(id);
    const isLost = found !== undefined && this.#deps.isLost(found.cellId);
    if (found !== undefined && !isLost) {
      this.#keepIn(found, name);
      return id;
    }
    this.hasReplacedLost ||= isLost;
    const { algorithm, stored } = compressChunk(plain);
    // A view of the caller's buffer, or of one that is as large as the plaintext.
    await this.#pack({ chunkId: id, algorithm, plainBytes: plain.length, stored: Buffer.from(stored) });
    return id;
  }

  /** A chunk of the old content that the new one goes on using. */
  keep(id: Buffer): void {
    const name = id.toString('latin1');
    if (this.#pending.has(name)) return;
    const found = this.#deps.finder.chunkCell(id);
    if (found === undefined) throw new BbError('INTEGRITY', 'a chunk of the content is missing in the catalog');
    this.#keepIn(found, name);
  }

  /** Makes the use of old cells known to the staging database. */
  flushUses(): void {
    if (this.#lastUses > 0) this.#deps.staging.markLive(this.#lastLive, this.#lastUses);
    this.#lastLive = Buffer.alloc(0);
    this.#lastUses = 0;
  }

  /** Plaintext of a chunk that is not in a cell yet. */
  pendingChunk(id: Buffer): Buffer | undefined {
    const chunk = this.#pending.get(id.toString('latin1'));
    return chunk && decompressChunk(chunk.algorithm, chunk.stored, chunk.plainBytes);
  }

  /** Moves the chunks of an old cell for which `isLive` says yes into new cells. After the last put. */
  async repack(old: FoundCell, isLive: (chunk: StoredChunk) => boolean): Promise<void> {
    for (const chunk of await this.#deps.cells.chunksOf(old)) if (isLive(chunk)) await this.#pack(chunk);
    this.#deps.staging.unmarkLive(old.cellId);
  }

  /** Writes the remaining cells, the rewritten last cell among them. Nothing may be put afterwards. */
  async finish(): Promise<void> {
    this.flushUses();
    await this.#finishTail();
    for (const cell of this.#packer.finish()) await this.#write(cell);
    await this.#writing;
  }

  #keepIn(found: FoundCell, name: string): void {
    if (this.#tail?.equals(found.cellId) === true) this.#tailLive.add(name);
    else {
      if (!this.#lastLive.equals(found.cellId)) {
        this.flushUses();
        this.#lastLive = Buffer.from(found.cellId);
      }
      this.#lastUses++;
    }
  }

  async #finishTail(): Promise<void> {
    if (this.#tail === undefined || this.#tailLive.size === 0) return;
    const found = this.#deps.finder.cell(this.#tail);
    if (found === undefined) throw new BbError('INTEGRITY', 'a cell of the content is missing in the catalog');
    const live = this.#isEmpty ? [] : await this.#tailChunks(found);
    const liveBytes = live.reduce((sum, chunk) => sum + bytesInCell(chunk.stored.length), 0);
    if (this.#isEmpty || liveBytes > FULL_BYTES) this.#deps.staging.markLive(this.#tail, this.#tailLive.size);
    else for (const chunk of live) await this.#pack(chunk);
  }

  async #tailChunks(found: FoundCell): Promise<StoredChunk[]> {
    const chunks = await this.#deps.cells.chunksOf(found);
    return chunks.filter((chunk) => this.#tailLive.has(chunk.chunkId.toString('latin1')));
  }

  async #pack(chunk: StoredChunk): Promise<void> {
    this.#isEmpty = false;
    this.#pending.set(chunk.chunkId.toString('latin1'), chunk);
    const full = this.#packer.push(chunk);
    if (full !== undefined) await this.#write(full);
  }

  /** Returns when the cell before is written: while the disk works the next cell is filled. */
  async #write({ plain, chunks }: PackedCell): Promise<void> {
    const { keys } = this.#deps;
    const id = cellId(keys.cellId, this.#kind, plain);
    const bytes = sealCell(keys.cellEnc, keys.pubkey, id, plain);
    await this.#writing;
    this.#writing = this.#append(id, bytes, chunks);
    // A failure shows at the next cell, or at the end.
    this.#writing.catch(() => undefined);
  }

  async #append(id: Buffer, bytes: Buffer, chunks: readonly StoredChunk[]): Promise<void> {
    const { store, staging } = this.#deps;
    const [position] = await store.append([{ kind: this.#kind, address: id, leaf: leafHash(bytes), bytes }]);
    if (position === undefined) throw new BbError('INTERNAL', 'an appended cell has no position');
    staging.addCell(id, { kind: this.#kind, position });
    for (const chunk of chunks) {
      staging.addChunk(chunk.chunkId, id);
      this.#pending.delete(chunk.chunkId.toString('latin1'));
    }
    this.#deps.onCell(id, chunks);
  }
}
