// Byte strings for the plain implementation: nothing but Uint8Array. The files of this folder import nothing from src; they
// are a second reading of docs/storage-format.md, written to be followed by eye, not to be fast.

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';

export { bytesToHex as hex, concatBytes as join, hexToBytes as unhex, utf8ToBytes as ascii };

/** Big-endian unsigned number of `width` bytes. */
export function be(value: number | bigint, width: number): Uint8Array {
  const out = new Uint8Array(width);
  let rest = BigInt.asUintN(8 * width, BigInt(value));
  for (let at = width - 1; at >= 0; at--) {
    out[at] = Number(rest & 255n);
    rest >>= 8n;
  }
  return out;
}

/** Reads a big-endian unsigned number. */
export function readBe(bytes: Uint8Array, at: number, width: number): number {
  let value = 0n;
  for (const byte of bytes.slice(at, at + width)) value = (value << 8n) | BigInt(byte);
  return Number(value);
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return bytesToHex(a) === bytesToHex(b);
}

/** Test bytes of any length from a word: SHA-256(word || u32 i) for i = 0, 1, 2 ... */
export function recipe(word: string, length: number): Uint8Array {
  const out = new Uint8Array(Math.ceil(length / 32) * 32);
  for (let i = 0; 32 * i < length; i++) out.set(sha256(concatBytes(utf8ToBytes(word), be(i, 4))), 32 * i);
  return out.slice(0, length);
}
