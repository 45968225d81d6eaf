// Own content that lies in packs above the marks of the catalog: revisions that were durable before the catalog, or its
// journal, was lost (docs/storage-format.md, "Rebuilding the catalog"). Nothing is cut off before the daemon, which
// alone can open content ids and heads, has said what becomes of it.
// Invariant: cells are taken over where they lie, and only those that open under their cell_id.

import { chunkId } from '../../core/content/chunk-id.ts';
import { parseCell } from '../../core/content/cell-codec.ts';
import { decompressChunk } from '../../core/content/compress.ts';
import { contentIdOfHead } from '../../core/crypto/head.ts';
import { CELL_KIND, openCell } from '../../core/crypto/cell-seal.ts';
import type { CellKind } from '../../core/crypto/cell-seal.ts';
import { packKeys } from '../../core/crypto/dir-keys.ts';
import { RECOVERY_SAVE_CELLS } from '../../core/limits.ts';
import type { PackMark } from '../../ports/cell-store.ts';
import type { WorkerKeys } from '../../ports/workers.ts';
import { StagingDb } from '../../storage/catalog/staging.ts';
import { LateSlots, marksOf } from '../../storage/packs/late-slots.ts';
import type { LateCell, LateRange } from '../../storage/packs/late-slots.ts';

export class LateContent {
  readonly #keys: WorkerKeys;
  readonly #slots: LateSlots;
  readonly #ranges: readonly LateRange[];

  private constructor(keys: WorkerKeys, slots: LateSlots, ranges: readonly LateRange[]) {
    this.#keys = keys;
    this.#slots = slots;
    this.#ranges = ranges;
  }

  /** Undefined when no revision was finished above the marks. */
  static async find(dataDir: string, keys: WorkerKeys, marks: readonly PackMark[]): Promise<LateContent | undefined> {
    const slots = new LateSlots({ dir: `${dataDir}/own`, kind: 'own', keys: packKeys(keys.wrapKey) });
    const ranges = await slots.ranges(marks);
    return (await slots.hasHead(ranges)) ? new LateContent(keys, slots, ranges) : undefined;
  }

  /** What must not be cut off while this is looked at. */
  marks(): PackMark[] {
    return marksOf(this.#ranges);
  }

  /** Content ids of the heads, each once, in the order in which they were written. */
  async contentIds(): Promise<readonly Buffer[]> {
    const ids = new Map<string, Buffer>();
    for await (const { bytes } of this.#heads()) {
      const id = contentIdOfHead(bytes);
      if (id !== undefined) ids.set(id.toString('hex'), id);
    }
    return [...ids.values()];
  }

  /** Head cells of one revision in the order in which they were written. */
  async headCells(contentId: Buffer): Promise<readonly Buffer[]> {
    const address = contentId.subarray(0, 32);
    const cells: Buffer[] = [];
    for await (const { bytes } of this.#heads((name) => name.equals(address))) cells.push(bytes);
    return cells;
  }

  /** Puts index and data cells where a recovery looks for what it has already. Durable when it resolves. */
  async adopt(stagingFile: string, signal: AbortSignal): Promise<void> {
    await this.#slots.sync(this.#ranges);
    const staging = new StagingDb(stagingFile, { durable: true });
    try {
      let unsaved = 0;
      for await (const cell of this.#slots.cells(this.#ranges, ({ kind }) => kind !== CELL_KIND.HEAD)) {
        signal.throwIfAborted();
        if (!this.#keep(staging, cell)) continue;
        unsaved++;
        if (unsaved < RECOVERY_SAVE_CELLS) continue;
        staging.save();
        unsaved = 0;
      }
    } finally {
      staging.close();
    }
  }

  #heads(isWanted: (address: Buffer) => boolean = () => true): AsyncGenerator<LateCell> {
    return this.#slots.cells(this.#ranges, ({ kind, address }) => kind === CELL_KIND.HEAD && isWanted(address));
  }

  #keep(staging: StagingDb, { position, trailer, bytes }: LateCell): boolean {
    const { pubkey, cellId: id, cellEnc: enc, chunkId: chunkKey } = this.#keys;
    const kind = trailer.kind as CellKind;
    const cellId = Buffer.from(trailer.address);
    const plain = openCell({ id, enc }, pubkey, kind, cellId, bytes);
    if (plain === undefined) return false;
    staging.addCell(cellId, { kind, position });
    for (const { algorithm, stored, plainBytes } of parseCell(plain)) {
      staging.addChunk(chunkId(chunkKey, kind, decompressChunk(algorithm, stored, plainBytes)), cellId);
    }
    return true;
  }
}
