// HKDF-SHA256 in its two steps (RFC 5869): one extract per secret, one expand per label.

import { invariant } from '../errors.ts';
import { hmacSha256 } from './hash.ts';

const HASH_BYTES = 32;

/** 32-byte pseudorandom key from a salt and input keying material (RFC 5869, 2.2). */
export function hkdfExtract(salt: string, material: Uint8Array): Buffer {
  return hmacSha256(Buffer.from(salt, 'ascii'), material);
}

/** `bytes` (1 to 8 160) of key for an ASCII label (RFC 5869, 2.3). */
export function hkdfExpand(prk: Uint8Array, label: string, bytes: number): Buffer {
  invariant(bytes >= 1 && bytes <= 255 * HASH_BYTES, 'an HKDF output has 1 to 8160 bytes');
  const info = Buffer.from(label, 'ascii');
  const out = Buffer.alloc(bytes);
  let block: Buffer = Buffer.alloc(0);
  for (let counter = 1, at = 0; at < bytes; counter++) {
    block = hmacSha256(prk, block, info, Buffer.of(counter));
    at += block.copy(out, at);
  }
  block.fill(0);
  return out;
}
