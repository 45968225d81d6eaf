// How many new revisions each owner had us take lately, so that no owner keeps a storer busy for ever, and how many we
// offered to each storer.

import type { OnionId } from '../core/ids.ts';
import { REVISIONS_PER_DAY } from '../core/limits.ts';

export class OfferCounts {
  readonly #times = new Map<OnionId, number[]>();

  add(peer: OnionId, nowMs: number): void {
    this.#times.set(peer, [...(this.#times.get(peer) ?? []), nowMs].slice(-REVISIONS_PER_DAY));
  }

  recent(peer: OnionId, nowMs: number, windowMs: number): number {
    return (this.#times.get(peer) ?? []).filter((time) => nowMs - time < windowMs).length;
  }

  /** Since the last one; undefined if there was none. */
  sinceLastMs(peer: OnionId, nowMs: number): number | undefined {
    const lastMs = this.#times.get(peer)?.at(-1);
    return lastMs === undefined ? undefined : nowMs - lastMs;
  }
}
