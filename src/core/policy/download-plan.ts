// The plan of a pull: a stream of references and leaves that must cover a blob exactly once, from its
// first cell to its last (docs/protocol.md, "Plan, then fetch"). Every byte comes from a peer.
// Invariant: memory is bounded by `totalCells`, which the caller has checked against the allowance;
// a finished plan names each cell of the blob exactly once and no cell of the reference twice.

import { BbError, invariant } from '../errors.ts';
import { CELL_BYTES, BLOB_CELLS, LEAVES_PER_SECTION } from '../limits.ts';

const LEAF_BYTES = 32;

export type PlanSection =
  | { readonly kind: 'reference'; readonly offsetBytes: number; readonly lengthBytes: number }
  | { readonly kind: 'leaves'; readonly leaves: Buffer };

/** A run of cells of the new blob that start at `cell`: what it is in the reference, or its leaves. */
export type PlannedRun =
  | { readonly kind: 'reference'; readonly cell: number; readonly referenceCell: number; readonly cells: number }
  | { readonly kind: 'leaves'; readonly cell: number; readonly cells: number; readonly leaves: Buffer };

export class DownloadPlan {
  readonly #totalCells: number;
  readonly #referenceCells: number;
  /** One bit per cell of the reference. */
  readonly #used: Uint8Array;
  #nextCell = 0;

  /** `referenceCells` = 0 without a reference: then every reference is refused. */
  constructor(totalCells: number, referenceCells: number) {
    invariant(totalCells > 0 && totalCells <= BLOB_CELLS, 'the size of a plan is checked before');
    this.#totalCells = totalCells;
    this.#referenceCells = referenceCells;
    this.#used = new Uint8Array(Math.ceil(referenceCells / 8));
  }

  /** Checks the next section; BAD_PEER_DATA if it leaves the blob, the reference or the rules. */
  add(section: PlanSection): PlannedRun {
    const cell = this.#nextCell;
    const run: PlannedRun =
      section.kind === 'leaves'
        ? { kind: 'leaves', cell, cells: leafCount(section.leaves), leaves: section.leaves }
        : { kind: 'reference', cell, ...this.#reference(section.offsetBytes, section.lengthBytes) };
    if (run.cells > this.#totalCells - cell) throw bad('goes beyond the end of the blob');
    this.#nextCell += run.cells;
    return run;
  }

  /** To be called at the end of the stream; BAD_PEER_DATA if cells are missing. */
  finish(): void {
    if (this.#nextCell !== this.#totalCells) throw bad('ends before the blob does');
  }

  #reference(offsetBytes: number, lengthBytes: number): { referenceCell: number; cells: number } {
    const referenceCell = wholeCells(offsetBytes);
    const cells = wholeCells(lengthBytes);
    if (cells === 0) throw bad('has an empty reference');
    if (referenceCell >= this.#referenceCells || cells > this.#referenceCells - referenceCell) {
      throw bad('refers to cells that the reference does not have');
    }
    if (cells > this.#totalCells - this.#nextCell) throw bad('goes beyond the end of the blob');
    for (let at = referenceCell; at < referenceCell + cells; at += 1) this.#use(at);
    return { referenceCell, cells };
  }

  /** A blob never has one cell twice; a plan that says so would occupy more than it is charged for. */
  #use(cell: number): void {
    const byte = this.#used[cell >> 3] ?? 0;
    const bit = 1 << (cell & 7);
    if (byte & bit) throw bad('refers to one cell twice');
    this.#used[cell >> 3] = byte | bit;
  }
}

function leafCount(leaves: Buffer): number {
  const count = leaves.length / LEAF_BYTES;
  if (!Number.isInteger(count) || count < 1 || count > LEAVES_PER_SECTION) throw bad('has a torn run of leaves');
  return count;
}

function wholeCells(bytes: number): number {
  const cells = bytes / CELL_BYTES;
  if (!Number.isSafeInteger(bytes) || !Number.isInteger(cells) || cells < 0) throw bad('is not made of whole cells');
  return cells;
}

function bad(what: string): BbError {
  return new BbError('BAD_PEER_DATA', `the plan of a pull ${what}`);
}
