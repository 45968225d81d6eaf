// What an owner serves of its own blob to a storer, so that a storer cannot answer challenges by
// pulling the blocks back (docs/protocol.md, "Serving rule"). One object per open upload, in memory: after a
// restart the counts begin anew, which costs an owner bytes and gives a cheater nothing it can plan with.
// A pull that was cut again and again must still come to its end: after a minute in which nothing was
// served the counts begin anew. What is not acknowledged cannot be challenged, so that costs bytes only.
// What is acknowledged can, so when everything is given again after a loss (repair.ts) the counts stay.
// Invariant: a cell that the storer has acknowledged leaves us again only after it confessed that it lost it.

import { UPLOAD_SERVINGS } from '../limits.ts';
import { DEADLINES_MS } from './periods.ts';

export type ServingAnswer =
  | 'serve'
  /** The storer has acknowledged this cell: it gets a reference, or must ask for repair. */
  | 'held-already'
  | 'too-often';

/** An upload of what was never acknowledged, or everything once more after a loss. */
export type ServingKind = 'upload' | 'repull';

export class UploadServing {
  readonly contentId: Buffer;
  readonly kind: ServingKind;
  readonly #servings: Uint8Array;
  readonly #acknowledged: (cell: number) => boolean;
  #lastServedMs: number;

  /** `isAcknowledged(cell)`: the cell of this blob is also in the revision that the storer acknowledged last. */
  constructor(
    contentId: Buffer,
    cells: number,
    isAcknowledged: (cell: number) => boolean,
    nowMs: number,
    kind: ServingKind = 'upload',
  ) {
    this.contentId = contentId;
    this.kind = kind;
    this.#servings = new Uint8Array(cells);
    this.#acknowledged = isAcknowledged;
    this.#lastServedMs = nowMs;
  }

  /** Asks for one cell and counts it if served. `isOpen` = offered and not acknowledged yet. */
  serve(cell: number, isOpen: boolean, nowMs: number): ServingAnswer {
    if (!isOpen || this.#acknowledged(cell)) return 'held-already';
    const isReopened = this.kind === 'upload' && nowMs - this.#lastServedMs >= DEADLINES_MS.uploadReopen;
    if (isReopened) this.#servings.fill(0);
    const servings = this.#servings[cell] ?? UPLOAD_SERVINGS;
    if (servings >= UPLOAD_SERVINGS) return 'too-often';
    this.#servings[cell] = servings + 1;
    this.#lastServedMs = nowMs;
    return 'serve';
  }

  /** A cell that was counted could not be served: our own disk was at fault. */
  takeBack(cell: number): void {
    this.#servings[cell] = Math.max(0, (this.#servings[cell] ?? 0) - 1);
  }

  /** Time of the last progress of the upload. */
  get lastServedMs(): number {
    return this.#lastServedMs;
  }
}
