// Puts the raw sections of a range back together into cells. Sections come from a peer: they may be cut
// anywhere, but never exceed what was asked for. Invariant: at most one cell is held.

import { BbError } from '../errors.ts';
import { CELL_BYTES, DOWNLOAD_SECTION_BYTES } from '../limits.ts';

export type AssembledCell = { readonly cell: number; readonly bytes: Buffer };

export class CellAssembler {
  readonly #endCell: number;
  #cell: number;
  /** The cell that is being put together; made when its first byte comes. */
  #bytes: Buffer | undefined;
  #filled = 0;

  constructor(startCell: number, cells: number) {
    this.#cell = startCell;
    this.#endCell = startCell + cells;
  }

  /** The cells that this section completes, in order; BAD_PEER_DATA if it is empty, too long or beyond the range. */
  add(section: Uint8Array): AssembledCell[] {
    const left = (this.#endCell - this.#cell) * CELL_BYTES - this.#filled;
    if (section.length === 0 || section.length > DOWNLOAD_SECTION_BYTES || section.length > left) {
      throw new BbError('BAD_PEER_DATA', 'a section of a download is out of range');
    }
    const complete: AssembledCell[] = [];
    for (let at = 0; at < section.length; ) {
      const count = Math.min(section.length - at, CELL_BYTES - this.#filled);
      this.#bytes ??= Buffer.allocUnsafe(CELL_BYTES); // given out when every byte of it is written
      this.#bytes.set(section.subarray(at, at + count), this.#filled);
      at += count;
      this.#filled += count;
      if (this.#filled === CELL_BYTES) {
        complete.push({ cell: this.#cell, bytes: this.#bytes });
        this.#cell += 1;
        this.#filled = 0;
        this.#bytes = undefined;
      }
    }
    return complete;
  }

  /** First cell that is not complete: where a cut range is resumed. */
  get nextCell(): number {
    return this.#cell;
  }

  get isComplete(): boolean {
    return this.#cell === this.#endCell;
  }
}
