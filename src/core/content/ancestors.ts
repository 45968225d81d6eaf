// The window of ancestors in Metadata: 8-byte hashes of the content ids of the last 4 096 sequences, newest first. It
// tells an old revision of our own line from a fork (docs/protocol.md, "Recovery").
// Invariant: sequences rise by one and never restart, so the entry at index i belongs to sequence - 1 - i.

import { sha256 } from '../crypto/hash.ts';
import { invariant } from '../errors.ts';
import { ANCESTORS } from '../limits.ts';

export const ANCESTOR_BYTES = 8;

export type GenerationEnd = { readonly generation: number; readonly lastSequence: number };

/** `ancestor`: known and older; `stale`: older than the window, never a fork; `fork`: not on our line. */
export type AncestorVerdict = 'ancestor' | 'stale' | 'fork';

/** First 8 bytes of SHA-256(content_id). */
export function ancestorHash(contentId: Uint8Array): Buffer {
  return sha256(contentId).subarray(0, ANCESTOR_BYTES);
}

/** Window of the next revision: the superseded one in front, cut to 4 096. */
export function pushAncestor(ancestors: Buffer, supersededId: Uint8Array): Buffer {
  invariant(ancestors.length % ANCESTOR_BYTES === 0, 'a window of ancestors has whole entries');
  const kept = ancestors.subarray(0, ANCESTOR_BYTES * (ANCESTORS - 1));
  return Buffer.concat([ancestorHash(supersededId), kept]);
}

/**
 * Judges an authentic id (it opened with our key) that is ordered below our revision `ourSequence`, whose window is
 * `ancestors`. Only an older generation can have a sequence of ours or above: then our line has left it, a fork.
 */
export function ancestorVerdict(
  ancestors: Buffer,
  ourSequence: number,
  sequence: number,
  contentId: Uint8Array,
): AncestorVerdict {
  if (sequence >= ourSequence) return 'fork';
  const at = ANCESTOR_BYTES * (ourSequence - 1 - sequence);
  if (at >= ancestors.length) return 'stale';
  return ancestorHash(contentId).equals(ancestors.subarray(at, at + ANCESTOR_BYTES)) ? 'ancestor' : 'fork';
}
