// Comparison of secrets and MACs in constant time.

import { timingSafeEqual } from 'node:crypto';

/** False for different lengths; the time depends on the lengths only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
