// How many new revisions each owner had us take lately: an owner cannot keep a storer busy for ever.

import type { OnionId } from '../core/ids.ts';
import { REVISIONS_PER_DAY } from '../core/limits.ts';

export class OfferCounts {
  readonly #times = new Map<OnionId, number[]>();

  add(owner: OnionId, nowMs: number): void {
    this.#times.set(owner, [...(this.#times.get(owner) ?? []), nowMs].slice(-REVISIONS_PER_DAY));
  }

  recent(owner: OnionId, nowMs: number, windowMs: number): number {
    return (this.#times.get(owner) ?? []).filter((time) => nowMs - time < windowMs).length;
  }
}
