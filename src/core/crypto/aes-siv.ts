// AES-256-SIV (RFC 5297) with one associated-data string: deterministic sealing of small records.
// Output = 16-byte synthetic IV || ciphertext.

import { aessiv } from '@noble/ciphers/aes.js';
import { invariant } from '../errors.ts';

export const SIV_BYTES = 16;

/** `key` has 64 bytes; the result is 16 bytes longer than `plain`. */
export function sivSeal(key: Uint8Array, aad: Uint8Array, plain: Uint8Array): Buffer {
  invariant(key.length === 64, 'an AES-256-SIV key has 64 bytes');
  return asBuffer(aessiv(key, aad).encrypt(plain));
}

/** Undefined when key, associated data or bytes do not fit. */
export function sivOpen(key: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Buffer | undefined {
  invariant(key.length === 64, 'an AES-256-SIV key has 64 bytes');
  if (sealed.length < SIV_BYTES) return undefined;
  try {
    return asBuffer(aessiv(key, aad).decrypt(sealed));
  } catch {
    return undefined;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
