// Own cells by name: opened, decompressed and checked chunk by chunk. A few opened cells are kept, because the chunks
// of a file lie next to each other.
// Invariant: no byte leaves here whose cell_id and chunk_id have not been recomputed from it.

import { chunkId } from '../../core/content/chunk-id.ts';
import { parseCell } from '../../core/content/cell-codec.ts';
import type { StoredChunk } from '../../core/content/cell-codec.ts';
import { decompressChunk } from '../../core/content/compress.ts';
import { openCell } from '../../core/crypto/cell-seal.ts';
import type { CellKind } from '../../core/crypto/cell-seal.ts';
import { BbError } from '../../core/errors.ts';
import { CELLS_IN_FLIGHT } from '../../core/limits.ts';
import type { CellPosition } from '../../ports/cell-store.ts';
import type { WorkerKeys } from '../../ports/workers.ts';
import { ReadAhead } from './read-ahead.ts';

export type FoundCell = { readonly cellId: Buffer; readonly kind: number; readonly position: CellPosition };

/** Where things lie: the catalog, or a staging database before it. */
export type CellFinder = {
  chunkCell(chunkId: Buffer): FoundCell | undefined;
  cell(cellId: Buffer): FoundCell | undefined;
};

export type CellBytes = { read(position: CellPosition): Promise<Buffer> };

/** Decompressed bytes that one opened cell may keep; a cell of zeros would expand to half a gigabyte. */
const KEPT_PLAIN_BYTES = 512 * 1024;

type OpenedCell = {
  readonly chunks: readonly StoredChunk[];
  readonly byId: ReadonlyMap<string, { readonly chunk: StoredChunk; readonly plain: Buffer | undefined }>;
};

export class OwnCells {
  readonly #keys: WorkerKeys;
  readonly #finder: CellFinder;
  readonly #bytes: CellBytes;
  readonly #ahead: ReadAhead;
  readonly #onDamaged: (cellId: Buffer) => void;
  /** By cell id, least recently opened first. */
  readonly #opened = new Map<string, OpenedCell>();
  #onRead: (found: FoundCell) => void = () => {};

  /** `onDamaged` hears of each cell that was to be read and is damaged. */
  constructor(keys: WorkerKeys, finder: CellFinder, bytes: CellBytes, onDamaged: (cellId: Buffer) => void = () => {}) {
    this.#onDamaged = onDamaged;
    this.#keys = keys;
    this.#finder = finder;
    this.#bytes = bytes;
    this.#ahead = new ReadAhead(bytes);
  }

  /** Plaintext of a chunk; a view, valid as long as it is referenced. INTEGRITY when it is lost or damaged. */
  async load(id: Buffer): Promise<Buffer> {
    const name = id.toString('latin1');
    for (const cell of this.#opened.values()) {
      const known = cell.byId.get(name);
      if (known !== undefined) return known.plain ?? plainOf(known.chunk);
    }
    const found = this.#finder.chunkCell(id);
    if (found === undefined) throw new BbError('INTEGRITY', 'a chunk of the content is missing');
    const known = (await this.#open(found)).byId.get(name);
    if (known === undefined) throw new BbError('INTEGRITY', 'a chunk is not in its cell');
    return known.plain ?? plainOf(known.chunk);
  }

  /** The chunks of a cell in order, every one checked. INTEGRITY when the cell is damaged. */
  async chunksOf(found: FoundCell): Promise<readonly StoredChunk[]> {
    return (await this.#open(found)).chunks;
  }

  /** Forgets opened cells: what is read next comes from the disk. `onRead` hears of each that was good. */
  forget(onRead: (found: FoundCell) => void = () => {}): void {
    this.#opened.clear();
    this.#onRead = onRead;
  }

  async #open(found: FoundCell): Promise<OpenedCell> {
    const name = found.cellId.toString('latin1');
    const open = this.#opened.get(name) ?? (await this.#read(found));
    this.#opened.delete(name);
    this.#opened.set(name, open);
    const [oldest] = this.#opened.keys();
    if (this.#opened.size > CELLS_IN_FLIGHT && oldest !== undefined) this.#opened.delete(oldest);
    return open;
  }

  async #read(found: FoundCell): Promise<OpenedCell> {
    const kind = found.kind as CellKind;
    const plain = await this.#plain(found, kind);
    if (plain === undefined) {
      this.#onDamaged(found.cellId);
      throw new BbError('INTEGRITY', 'a cell of our own content is damaged');
    }
    const chunks: StoredChunk[] = [];
    const byId = new Map<string, { readonly chunk: StoredChunk; readonly plain: Buffer | undefined }>();
    let keptBytes = 0;
    for (const part of parseCell(plain)) {
      const bytes = decompressChunk(part.algorithm, part.stored, part.plainBytes);
      const chunk = { chunkId: chunkId(this.#keys.chunkId, kind, bytes), ...part };
      keptBytes += bytes.length;
      chunks.push(chunk);
      byId.set(chunk.chunkId.toString('latin1'), { chunk, plain: keptBytes <= KEPT_PLAIN_BYTES ? bytes : undefined });
    }
    this.#onRead(found);
    return { chunks, byId };
  }

  /** Undefined when the cell cannot be read, or is another. */
  async #plain(found: FoundCell, kind: CellKind): Promise<Buffer | undefined> {
    try {
      const ahead = this.#unseal(found, kind, await this.#ahead.read(found.position));
      return ahead ?? this.#unseal(found, kind, await this.#bytes.read(found.position));
    } catch (error) {
      if (error instanceof BbError && error.code === 'INTEGRITY') return undefined;
      throw error;
    }
  }

  #unseal(found: FoundCell, kind: CellKind, sealed: Buffer): Buffer | undefined {
    const { pubkey, cellId: id, cellEnc: enc } = this.#keys;
    return openCell({ id, enc }, pubkey, kind, found.cellId, sealed);
  }
}

function plainOf(chunk: StoredChunk): Buffer {
  return decompressChunk(chunk.algorithm, chunk.stored, chunk.plainBytes);
}
