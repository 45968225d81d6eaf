// Numbers that depend on a text only.

import { createHash } from 'node:crypto';
import type { Chance } from './disk-model.ts';

/** Uniform in [0, 1): SHA-256 of the seed and a counter, 53 bits at a time. */
export function chanceOf(seed: string): Chance {
  let count = 0;
  let block = Buffer.alloc(0);
  return () => {
    if (block.length < 8) block = createHash('sha256').update(`${seed}/${count++}`).digest();
    const value = block.readBigUInt64BE() >> 11n;
    block = block.subarray(8);
    return Number(value) / 2 ** 53;
  };
}
