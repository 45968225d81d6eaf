// Cells that lie in packs above their marks. A catalog that was put back from an older copy, or lost its journal, has old
// marks; packs are append-only, so what came later is still there, and the trailers say what it is
// (docs/storage-format.md, "Rebuilding the catalog").
// Invariant: a cell is named only when its trailer opens and its bytes have the leaf of the trailer; nothing is changed.

import type { CellPosition, PackMark } from '../../ports/cell-store.ts';
import { leafHash } from '../../core/content/merkle.ts';
import { CELL_KIND } from '../../core/crypto/cell-seal.ts';
import type { SlotTrailer } from '../../core/crypto/peer-wrap.ts';
import { BbError } from '../../core/errors.ts';
import { PACK_HEADER_BYTES, PACK_SLOT_BYTES, PACK_SLOTS } from '../../core/limits.ts';
import { diskFiles } from '../files.ts';
import type { Files } from '../files.ts';
import { PackCellReader } from './pack-cell-reader.ts';
import type { CellReader, PackStoreOptions } from './pack-cell-reader.ts';
import { packName, packNumber } from './pack-format.ts';

export type LateCell = { readonly position: CellPosition; readonly trailer: SlotTrailer; readonly bytes: Buffer };

/** Whole slots of a pack from its mark on: [from, to). A pack without a mark begins at 0. */
export type LateRange = { readonly pack: number; readonly from: number; readonly to: number };

export class LateSlots {
  readonly #options: PackStoreOptions;
  readonly #files: Files;

  constructor(options: PackStoreOptions, files: Files = diskFiles) {
    this.#options = options;
    this.#files = files;
  }

  /** Packs that are longer than their mark, in order of their numbers. */
  async ranges(marks: readonly PackMark[]): Promise<readonly LateRange[]> {
    const slots = new Map(marks.map((mark) => [mark.pack, mark.slots]));
    const ranges: LateRange[] = [];
    for (const name of await this.#files.list(this.#options.dir)) {
      const pack = packNumber(name);
      if (pack === undefined) continue;
      const from = slots.get(pack) ?? 0;
      const to = wholeSlots((await this.#files.sizeBytes(`${this.#options.dir}/${name}`)) ?? 0);
      if (to > from) ranges.push({ pack, from, to });
    }
    return ranges.toSorted((a, b) => a.pack - b.pack);
  }

  /** True when a head lies above the marks: a revision was made durable that the catalog does not know. */
  async hasHead(ranges: readonly LateRange[]): Promise<boolean> {
    const reader = this.#reader();
    try {
      for (const range of ranges) {
        for (let slot = range.from; slot < range.to; slot++) {
          const trailer = await reader.readTrailer({ pack: range.pack, slot });
          if (trailer?.kind === CELL_KIND.HEAD) return true;
        }
      }
      return false;
    } finally {
      await reader.close();
    }
  }

  /** Cells of these ranges in the order in which they were appended; what is torn is passed over. */
  async *cells(
    ranges: readonly LateRange[],
    isWanted: (trailer: SlotTrailer) => boolean = () => true,
  ): AsyncGenerator<LateCell> {
    const reader = this.#reader();
    try {
      for (const { pack, from, to } of ranges) {
        for (let slot = from; slot < to; slot++) {
          const cell = await readCell(reader, { pack, slot }, isWanted);
          if (cell !== undefined) yield cell;
        }
      }
    } finally {
      await reader.close();
    }
  }

  /** What was found survives a power cut from now on. */
  async sync(ranges: readonly LateRange[]): Promise<void> {
    for (const { pack } of ranges) {
      const file = await this.#files.open(`${this.#options.dir}/${packName(pack)}`, 'write');
      try {
        await file.datasync();
      } finally {
        await file.close();
      }
    }
    if (ranges.length > 0) await this.#files.syncDir(this.#options.dir);
  }

  #reader(): CellReader {
    return new PackCellReader(this.#options, this.#files);
  }
}

export function marksOf(ranges: readonly LateRange[]): PackMark[] {
  return ranges.map(({ pack, to }) => ({ pack, slots: to }));
}

/** Slots that lie whole in a pack file of this length. */
export function wholeSlots(sizeBytes: number): number {
  const slots = Math.floor((sizeBytes - PACK_HEADER_BYTES) / PACK_SLOT_BYTES);
  return Math.max(0, Math.min(PACK_SLOTS, slots));
}

async function readCell(
  reader: CellReader,
  position: CellPosition,
  isWanted: (trailer: SlotTrailer) => boolean,
): Promise<LateCell | undefined> {
  const trailer = await reader.readTrailer(position);
  if (trailer === undefined || !isWanted(trailer)) return undefined;
  try {
    const bytes = await reader.read(position);
    return leafHash(bytes).equals(trailer.leaf) ? { position, trailer, bytes } : undefined;
  } catch (error) {
    if (error instanceof BbError && error.code === 'INTEGRITY') return undefined;
    throw error;
  }
}
