// Chance of a run of faults: the moments at which daemons die and the bytes that they keep, all of it from one seed.

import { createCipheriv, createHash } from 'node:crypto';

function digest(seed: number, what: string): Buffer {
  return createHash('sha256').update(`${seed}/${what}`).digest();
}

/**
 * `count` fractions of an operation, 0 to 1: one anywhere in each of `count` equal parts of it, so that all of it is met.
 * The same seed and operation give the same moments, in a drawn order.
 */
export function moments(seed: number, operation: string, count: number): number[] {
  const drawn = Array.from({ length: count }, (_, part) => {
    const bytes = digest(seed, `${operation}/${part}`);
    return { fraction: (part + bytes.readUInt32BE(0) / 2 ** 32) / count, order: bytes.readUInt32BE(4) };
  });
  return drawn.toSorted((a, b) => a.order - b.order).map(({ fraction }) => fraction);
}

/** Bytes that do not compress and are in no other place. */
export function noise(seed: number, what: string, bytes: number): Buffer {
  return createCipheriv('aes-256-ctr', digest(seed, what), Buffer.alloc(16)).update(Buffer.alloc(bytes));
}
