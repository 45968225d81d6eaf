// Hashes and MACs over several parts, the only door to node:crypto for the rest of core.
// Invariant: parts are concatenated without lengths, so callers give fixed-size parts or one variable part last.

import { createHash, hash as hashAtOnce } from 'node:crypto';

/** Up to here it is cheaper to put the parts together first: a hash object costs as much as hashing some hundred bytes. */
const SHORT_BYTES = 512;

/** SHA-256 of the concatenated parts; 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Buffer {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  if (bytes <= SHORT_BYTES) return hashAtOnce('sha256', Buffer.concat(parts, bytes), 'buffer');
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** A hash fed piece by piece: for files that do not fit in memory. `digest` ends it. */
export type RunningHash = { update(bytes: Uint8Array): void; digest(): Buffer };

export function startSha256(): RunningHash {
  const hash = createHash('sha256');
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
}

/** HMAC-SHA256; 32 bytes. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  return hmac('sha256', 64, key, parts);
}

/** HMAC-SHA512; 64 bytes. */
export function hmacSha512(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  return hmac('sha512', 128, key, parts);
}

/**
 * RFC 2104 over two plain hashes: node's createHmac spends 11 microseconds on looking at a key that is bytes, as much as
 * hashing a small chunk takes.
 */
function hmac(algorithm: string, blockBytes: number, key: Uint8Array, parts: readonly Uint8Array[]): Buffer {
  const padded = Buffer.alloc(blockBytes);
  padded.set(key.length > blockBytes ? createHash(algorithm).update(key).digest() : key);
  for (let at = 0; at < blockBytes; at++) padded[at] = (padded[at] as number) ^ INNER_PAD;
  const inner = createHash(algorithm).update(padded);
  for (const part of parts) inner.update(part);
  for (let at = 0; at < blockBytes; at++) padded[at] = (padded[at] as number) ^ INNER_PAD ^ OUTER_PAD;
  const mac = createHash(algorithm).update(padded).update(inner.digest()).digest();
  padded.fill(0);
  return mac;
}

const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
