// What storers pull from us right now, in memory: when a pull last made progress, how often each
// cell was served, and whether a challenge is out (then no raw cell of that revision is served, or
// the storer could answer it with our own bytes).

import type { OnionId } from '../core/ids.ts';

/** A cell of an open upload is served so often, for pulls that were cut. */
const SERVES_PER_CELL = 3;

type Upload = {
  readonly contentId: Buffer;
  readonly serves: Uint8Array;
  progressMs: number;
};

export class Uploads {
  readonly #uploads = new Map<OnionId, Upload>();
  readonly #challenged = new Set<OnionId>();

  /** Counts one serving of a cell; false when it was served too often. */
  serve(peer: OnionId, contentId: Buffer, cell: number, cells: number, nowMs: number): boolean {
    let upload = this.#uploads.get(peer);
    if (upload === undefined || !upload.contentId.equals(contentId)) {
      upload = { contentId, serves: new Uint8Array(cells), progressMs: nowMs };
      this.#uploads.set(peer, upload);
    }
    const serves = upload.serves[cell] ?? SERVES_PER_CELL;
    if (serves >= SERVES_PER_CELL) return false;
    upload.serves[cell] = serves + 1;
    upload.progressMs = nowMs;
    return true;
  }

  /** Monotonic time of the last served cell of this revision; undefined if none was. */
  progressMs(peer: OnionId, contentId: Buffer): number | undefined {
    const upload = this.#uploads.get(peer);
    return upload?.contentId.equals(contentId) ? upload.progressMs : undefined;
  }

  /** The upload is acknowledged: nothing of it needs to be served again. */
  close(peer: OnionId): void {
    this.#uploads.delete(peer);
  }

  isChallenged(peer: OnionId): boolean {
    return this.#challenged.has(peer);
  }

  /** Marks a challenge to `peer` as out while `work` runs. */
  async whileChallenged<T>(peer: OnionId, work: () => Promise<T>): Promise<T> {
    this.#challenged.add(peer);
    try {
      return await work();
    } finally {
      this.#challenged.delete(peer);
    }
  }
}
