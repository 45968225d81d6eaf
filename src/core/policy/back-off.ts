// Delays between tries. Randomness comes in as a fraction in [0, 1), so that a run can be replayed.

/** Doubling from `firstMs` (attempt 0) up to `maxMs`. */
export function backOffMs(attempt: number, firstMs: number, maxMs: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(Math.max(0, attempt), 40));
}

/** +-50 %: many nodes that lost the same peer must not call it at the same moment. */
export function jitteredMs(delayMs: number, fraction: number): number {
  return Math.round(delayMs * (0.5 + fraction));
}
