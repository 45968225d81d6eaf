// Packs stored chunks into cells of one kind. Best fit from a short queue: when the queue is full, the largest chunk that
// still fits goes into the open cell; when none fits, the cell is done. Deterministic: the same chunks in the same order
// give the same cells. Holds at most PACKER_QUEUE_CHUNKS + one cell.

import { CELL_BYTES, PACKER_QUEUE_CHUNKS } from '../limits.ts';
import { bytesInCell, CELL_COUNT_BYTES, encodeCell } from './cell-codec.ts';
import type { StoredChunk } from './cell-codec.ts';

export type PackedCell = {
  /** CELL_BYTES of plaintext. */
  readonly plain: Buffer;
  /** In the order of the cell's directory. */
  readonly chunks: readonly StoredChunk[];
};

export class Packer {
  #cell: StoredChunk[];
  #freeBytes: number;
  readonly #queue: StoredChunk[] = [];

  /** `initial`: the chunks of the partly filled last cell of this kind, which is rewritten with them in front. */
  constructor(initial: readonly StoredChunk[] = []) {
    this.#cell = [...initial];
    this.#freeBytes = CELL_BYTES - CELL_COUNT_BYTES;
    for (const chunk of initial) this.#freeBytes -= bytesInCell(chunk.stored.length);
  }

  /** Takes a chunk (the bytes must stay unchanged) and returns the cell that it completed, if any. */
  push(chunk: StoredChunk): PackedCell | undefined {
    this.#queue.push(chunk);
    return this.#queue.length < PACKER_QUEUE_CHUNKS ? undefined : this.#placeOne();
  }

  /** The remaining cells; the last may be partly filled. None when nothing was given. */
  finish(): PackedCell[] {
    const cells: PackedCell[] = [];
    while (this.#queue.length > 0) {
      const cell = this.#placeOne();
      if (cell !== undefined) cells.push(cell);
    }
    if (this.#cell.length > 0) cells.push(this.#close());
    return cells;
  }

  #placeOne(): PackedCell | undefined {
    let index = this.#bestFit();
    let closed: PackedCell | undefined;
    if (index < 0) {
      closed = this.#close();
      index = this.#bestFit();
    }
    const [chunk] = this.#queue.splice(index, 1);
    if (chunk !== undefined) {
      this.#cell.push(chunk);
      this.#freeBytes -= bytesInCell(chunk.stored.length);
    }
    return closed;
  }

  /** Index of the largest queued chunk that fits, the earliest of equals; -1 when none does. */
  #bestFit(): number {
    let best = -1;
    let bestBytes = 0;
    for (const [index, chunk] of this.#queue.entries()) {
      const { length } = chunk.stored;
      if (length > bestBytes && bytesInCell(length) <= this.#freeBytes) {
        best = index;
        bestBytes = length;
      }
    }
    return best;
  }

  #close(): PackedCell {
    const chunks = this.#cell;
    this.#cell = [];
    this.#freeBytes = CELL_BYTES - CELL_COUNT_BYTES;
    return { plain: encodeCell(chunks), chunks };
  }
}
