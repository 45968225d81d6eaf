// What an owner serves of its own blob to a storer, so that a storer cannot answer challenges by
// pulling the blocks back (docs/protocol.md, "Serving rule"). One object per open upload, in memory: after a
// restart the counts begin anew, which costs an owner bytes and gives a cheater nothing it can plan with.
// A pull that was cut again and again must still come to its end: after a minute in which nothing was
// served the counts begin anew. What is not acknowledged cannot be challenged, so that costs bytes only.
// Invariant: a cell that the storer has acknowledged leaves us again only within the repair allowance.

import { REPAIR_CELLS, REPAIR_PERMILLE, UPLOAD_SERVINGS } from '../limits.ts';
import { DEADLINES_MS } from './periods.ts';

export type ServingAnswer =
  | 'serve'
  /** The storer has acknowledged this cell: it gets a reference, or must ask for repair. */
  | 'held-already'
  | 'too-often'
  | 'over-repair'
  /** A challenge on this revision is out. */
  | 'challenged';

export class UploadServing {
  readonly contentId: Buffer;
  readonly #cells: number;
  readonly #servings: Uint8Array;
  readonly #acknowledged: (cell: number) => boolean;
  #lastServedMs: number;
  #challenges = 0;

  /** `isAcknowledged(cell)`: the cell of this blob is also in the revision that the storer acknowledged last. */
  constructor(contentId: Buffer, cells: number, isAcknowledged: (cell: number) => boolean, nowMs: number) {
    this.contentId = contentId;
    this.#cells = cells;
    this.#servings = new Uint8Array(cells);
    this.#acknowledged = isAcknowledged;
    this.#lastServedMs = nowMs;
  }

  /** Asks for one cell and counts it if served. `isOpen` = offered and not acknowledged yet. */
  serve(cell: number, isOpen: boolean, nowMs: number): Exclude<ServingAnswer, 'over-repair'> {
    if (this.#challenges > 0) return 'challenged';
    if (!isOpen || this.#acknowledged(cell)) return 'held-already';
    if (nowMs - this.#lastServedMs >= DEADLINES_MS.uploadReopen) this.#servings.fill(0);
    const servings = this.#servings[cell] ?? UPLOAD_SERVINGS;
    if (servings >= UPLOAD_SERVINGS) return 'too-often';
    this.#servings[cell] = servings + 1;
    this.#lastServedMs = nowMs;
    return 'serve';
  }

  /** Asks for one cell of a repair. `repairedCells` = cells repaired for this storer in the last 30 days. */
  repair(repairedCells: number): 'serve' | 'over-repair' | 'challenged' {
    if (this.#challenges > 0) return 'challenged';
    return repairedCells < repairAllowanceCells(this.#cells) ? 'serve' : 'over-repair';
  }

  /** Between the issue of a challenge and its answer or deadline; nests. */
  challengeBegins(): void {
    this.#challenges += 1;
  }

  challengeEnds(): void {
    this.#challenges = Math.max(0, this.#challenges - 1);
  }

  /** Time of the last progress of the upload. */
  get lastServedMs(): number {
    return this.#lastServedMs;
  }
}

/** Cells of a blob that may be repaired in 30 days before the replica counts as lost. */
export function repairAllowanceCells(blobCells: number): number {
  return Math.max(REPAIR_CELLS, Math.floor((blobCells * REPAIR_PERMILLE) / 1000));
}
