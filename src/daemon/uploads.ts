// What storers pull from us right now, in memory: how often a revision was offered, why it was refused, and what each
// open upload has served (core/policy/serving). After a restart the counts begin anew, and the next contact tells a refusal.

import type { CopyRefusal } from '../core/contract/verdict.ts';
import type { OnionId } from '../core/ids.ts';
import type { UploadServing } from '../core/policy/serving.ts';
import { OfferCounts } from './offer-counts.ts';

type Offers = { readonly contentId: Buffer; count: number; lastMs: number };

export class Uploads {
  readonly #servings = new Map<OnionId, UploadServing>();
  readonly #offers = new Map<OnionId, Offers>();
  readonly #challenges = new Set<{ readonly peer: OnionId; readonly contentId: Buffer }>();
  readonly #refusals = new Map<OnionId, { readonly contentId: Buffer; readonly why: CopyRefusal }>();

  /** Offers of other revisions than the one before. */
  readonly revisions = new OfferCounts();

  /** The open upload of this revision, if anything of it was asked for. */
  serving(peer: OnionId, contentId: Buffer): UploadServing | undefined {
    const serving = this.#servings.get(peer);
    return serving?.contentId.equals(contentId) ? serving : undefined;
  }

  begin(peer: OnionId, serving: UploadServing): void {
    this.#servings.set(peer, serving);
  }

  /** Monotonic time of the last served cell of this revision; undefined if none was. */
  progressMs(peer: OnionId, contentId: Buffer): number | undefined {
    return this.serving(peer, contentId)?.lastServedMs;
  }

  /** The upload is acknowledged or void. */
  close(peer: OnionId): void {
    this.#servings.delete(peer);
    this.#offers.delete(peer);
    this.#refusals.delete(peer);
  }

  /** Counts an offer of this revision. */
  offered(peer: OnionId, contentId: Buffer, nowMs: number): void {
    const offers = this.#offers.get(peer);
    const count = offers?.contentId.equals(contentId) ? offers.count + 1 : 1;
    if (count === 1) this.revisions.add(peer, nowMs);
    this.#offers.set(peer, { contentId, count, lastMs: nowMs });
  }

  offers(peer: OnionId, contentId: Buffer): { readonly count: number; readonly lastMs: number } | undefined {
    const offers = this.#offers.get(peer);
    return offers?.contentId.equals(contentId) ? offers : undefined;
  }

  /** What the peer says of this revision now; undefined = it does not refuse it. */
  answered(peer: OnionId, contentId: Buffer, why: CopyRefusal | undefined): void {
    if (why === undefined) this.#refusals.delete(peer);
    else this.#refusals.set(peer, { contentId, why });
  }

  refusal(peer: OnionId, contentId: Buffer): CopyRefusal | undefined {
    const refusal = this.#refusals.get(peer);
    return refusal?.contentId.equals(contentId) ? refusal.why : undefined;
  }

  /** Uploads to other peers that served a cell since `sinceMs`. */
  openToOthers(peer: OnionId, sinceMs: number): number {
    return [...this.#servings].filter(([other, serving]) => other !== peer && serving.lastServedMs >= sinceMs).length;
  }

  /** Holds back cells of the asked revision while a challenge on it is out; nests. */
  async whileChallenged<T>(peer: OnionId, contentId: Buffer, work: () => Promise<T>): Promise<T> {
    const challenge = { peer, contentId };
    this.#challenges.add(challenge);
    try {
      return await work();
    } finally {
      this.#challenges.delete(challenge);
    }
  }

  isChallenged(peer: OnionId, contentId: Buffer): boolean {
    return [...this.#challenges].some((out) => out.peer === peer && out.contentId.equals(contentId));
  }
}
