// Which blocks a challenge samples: nobody can tell before the seed is known, everybody can after
// (docs/protocol.md, "Spot checks"). Block numbers repeat when the draw repeats; order matters.

import { hmacSha256 } from '../crypto/hash.ts';
import { invariant } from '../errors.ts';

/** Above this the running remainder would leave the exact integers. */
const MAX_BLOCKS = 2 ** 44;

/** Number of the `i`-th sampled block: HMAC-SHA256(seed, u32 i) as a 256-bit number mod `blockCount`. */
export function sampledBlock(seed: Uint8Array, i: number, blockCount: number): number {
  invariant(Number.isSafeInteger(blockCount) && blockCount > 0 && blockCount <= MAX_BLOCKS, 'block count out of range');
  const counter = Buffer.alloc(4);
  counter.writeUInt32BE(i);
  let remainder = 0;
  for (const byte of hmacSha256(seed, counter)) remainder = (remainder * 256 + byte) % blockCount;
  return remainder;
}
