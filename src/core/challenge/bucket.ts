// How many challenges a peer may ask: 4 at once, one more per hour and one more for each newly accepted
// revision (docs/protocol.md, "Spot checks"). Bounds the disk reads that a peer can cause.

import { CHALLENGE_BUCKET } from '../limits.ts';

/** `sinceMs` = the moment from which the next refill is counted. */
export type ChallengeBucket = { readonly tokens: number; readonly sinceMs: number };

export function fullBucket(nowMs: number): ChallengeBucket {
  return { tokens: CHALLENGE_BUCKET, sinceMs: nowMs };
}

/** Takes one token if there is one; `retryMs` is how long until the next otherwise. */
export function takeChallenge(
  bucket: ChallengeBucket,
  nowMs: number,
  refillMs: number,
): { readonly bucket: ChallengeBucket; readonly granted: boolean; readonly retryMs: number } {
  const filled = refill(bucket, nowMs, refillMs);
  if (filled.tokens < 1) return { bucket: filled, granted: false, retryMs: filled.sinceMs + refillMs - nowMs };
  return { bucket: { ...filled, tokens: filled.tokens - 1 }, granted: true, retryMs: 0 };
}

/** One more for a newly accepted revision, also above a full bucket, but at most twice its size. */
export function creditChallenge(bucket: ChallengeBucket): ChallengeBucket {
  return { ...bucket, tokens: Math.min(bucket.tokens + 1, 2 * CHALLENGE_BUCKET) };
}

function refill(bucket: ChallengeBucket, nowMs: number, refillMs: number): ChallengeBucket {
  const earned = Math.max(0, Math.floor((nowMs - bucket.sinceMs) / refillMs));
  if (bucket.tokens >= CHALLENGE_BUCKET) return { ...bucket, sinceMs: nowMs };
  if (earned === 0) return bucket;
  const tokens = Math.min(CHALLENGE_BUCKET, bucket.tokens + earned);
  return { tokens, sinceMs: tokens === CHALLENGE_BUCKET ? nowMs : bucket.sinceMs + earned * refillMs };
}
