// Hashes and MACs over several parts, the only door to node:crypto for the rest of core.
// Invariant: parts are concatenated without lengths, so callers give fixed-size parts or one variable part last.

import { createHash, createHmac } from 'node:crypto';

/** SHA-256 of the concatenated parts; 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Buffer {
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
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** HMAC-SHA512; 64 bytes. */
export function hmacSha512(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const hmac = createHmac('sha512', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}
