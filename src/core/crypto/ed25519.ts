// Ed25519 (RFC 8032) on raw 32-byte keys. node:crypto knows keys only in DER, so they are wrapped in fixed prefixes.

import { createPrivateKey, createPublicKey, sign as nodeSign, verify as nodeVerify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { invariant } from '../errors.ts';

const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
export const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

const P = 2n ** 255n - 19n;
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
/** y of a point of order 8. */
const ORDER_8_Y = 55188659117513257062467267217118295137698188065244968500265048394206261417927n;
/** y coordinates of the eight points of small order (x differs by its sign only). */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([0n, 1n, P - 1n, ORDER_8_Y, P - ORDER_8_Y]);

export type Ed25519Pair = { readonly privateKey: KeyObject; readonly pubkey: Buffer };

/** Key pair of a 32-byte seed; the seed is copied into OpenSSL, the caller may wipe it. */
export function ed25519Pair(seed: Uint8Array): Ed25519Pair {
  invariant(seed.length === 32, 'an Ed25519 seed has 32 bytes');
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return { privateKey, pubkey: Buffer.from(spki.subarray(SPKI_PREFIX.length)) };
}

/** 64-byte signature. */
export function ed25519Sign(privateKey: KeyObject, message: Uint8Array): Buffer {
  return nodeSign(null, message, privateKey);
}

/** False for every defect: wrong lengths, a key that is not acceptable, a wrong signature. */
export function ed25519Verify(pubkey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64 || !isAcceptablePubkey(pubkey)) return false;
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, pubkey]), format: 'der', type: 'spki' });
  return nodeVerify(null, message, key, signature);
}

/**
 * A key that may be an identity: 32 bytes, y in canonical form (below p), on the curve, not of small order. Small-order
 * keys would let one signature fit many messages; other encodings would give one key several names.
 */
export function isAcceptablePubkey(pubkey: Uint8Array): boolean {
  if (pubkey.length !== 32) return false;
  const littleEndian = Buffer.from(pubkey);
  littleEndian[31] = (littleEndian[31] ?? 0) & 0x7f;
  const y = BigInt(`0x${littleEndian.reverse().toString('hex')}`);
  if (y >= P || SMALL_ORDER_Y.has(y)) return false;
  const yy = (y * y) % P;
  // x^2 = u / v is a square exactly when u * v is one (v is never 0 on this curve).
  return power(((yy + P - 1n) * (D * yy + 1n)) % P, (P - 1n) / 2n) === 1n;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}
