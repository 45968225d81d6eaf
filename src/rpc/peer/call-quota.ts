// How much one peer may ask: calls in a minute, and Downloads at once. In memory only, bounded in the number of peers; a
// flood costs a map lookup. Real time: flood limits are never divided (docs/protocol.md, "Limits").

import {
  CONTRACT_CALLS_PER_MINUTE,
  DOWNLOADS_PER_PEER,
  QUOTA_PEERS,
  UNKNOWN_CALLS_PER_MINUTE,
} from '../../core/limits.ts';
import type { OnionId } from '../../core/ids.ts';
import { PeerRefusal } from '../../core/refusal.ts';
import type { CallerClass } from '../../daemon/peer-api.ts';
import type { Clock } from '../../ports/clock.ts';

const MINUTE_MS = 60_000;

const CALLS_PER_MINUTE: Readonly<Record<CallerClass, number>> = {
  own: UNKNOWN_CALLS_PER_MINUTE,
  known: CONTRACT_CALLS_PER_MINUTE,
  unknown: UNKNOWN_CALLS_PER_MINUTE,
  blocked: UNKNOWN_CALLS_PER_MINUTE,
};

type Bucket = { tokens: number; atMs: number; callsPerMinute: number };

export class CallQuota {
  readonly #clock: Clock;
  readonly #buckets = new Map<OnionId, Bucket>();
  readonly #downloads = new Map<OnionId, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one call; throws RATE_LIMITED with the seconds until the next one is free. */
  takeCall(caller: OnionId, callerClass: CallerClass): void {
    const perMinute = CALLS_PER_MINUTE[callerClass];
    const bucket = this.#refilled(caller, perMinute);
    if (bucket.tokens < 1) {
      throw new PeerRefusal('RATE_LIMITED', Math.ceil(((1 - bucket.tokens) * MINUTE_MS) / perMinute / 1000));
    }
    bucket.tokens -= 1;
  }

  /** Takes one of the caller's places for a Download; the returned function gives it back. */
  takeDownload(caller: OnionId): () => void {
    const running = this.#downloads.get(caller) ?? 0;
    if (running >= DOWNLOADS_PER_PEER) throw new PeerRefusal('RATE_LIMITED', 1);
    this.#downloads.set(caller, running + 1);
    return () => {
      const left = (this.#downloads.get(caller) ?? 1) - 1;
      if (left > 0) this.#downloads.set(caller, left);
      else this.#downloads.delete(caller);
    };
  }

  #refilled(caller: OnionId, perMinute: number): Bucket {
    const nowMs = this.#clock.monotonicMs();
    const old = this.#buckets.get(caller);
    // Taken out and put back, so that the map is in the order of last use and the first is the one to forget.
    this.#buckets.delete(caller);
    // A caller that became known starts with the full bucket of its new class.
    const kept =
      old?.callsPerMinute === perMinute ? old : { tokens: perMinute, atMs: nowMs, callsPerMinute: perMinute };
    const earned = ((nowMs - kept.atMs) * perMinute) / MINUTE_MS;
    const bucket = { tokens: Math.min(perMinute, kept.tokens + earned), atMs: nowMs, callsPerMinute: perMinute };
    this.#buckets.set(caller, bucket);
    const oldest = this.#buckets.keys().next();
    if (this.#buckets.size > QUOTA_PEERS && !oldest.done) this.#buckets.delete(oldest.value);
    return bucket;
  }
}
