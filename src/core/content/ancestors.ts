// The window of ancestors in Metadata: 8-byte hashes of the content ids of the last 4 096 sequences, newest first. It
// tells an old revision of our own line from a fork (docs/protocol.md, "Recovery").
// Invariant: sequences rise by one and never restart, so the entry at index i belongs to sequence - 1 - i.

import { sha256 } from '../crypto/hash.ts';
import { invariant } from '../errors.ts';
import { ANCESTORS } from '../limits.ts';
import { compareRevisions } from './revision-order.ts';
import type { RevisionPlace } from './revision-order.ts';

export const ANCESTOR_BYTES = 8;

export type GenerationEnd = { readonly generation: number; readonly lastSequence: number };

/** A revision with what its Metadata says about the past. */
export type Lineage = RevisionPlace & {
  readonly contentId: Buffer;
  /** Packed, 8 bytes each, newest (sequence - 1) first. */
  readonly ancestors: Buffer;
  /** Finished generations, rising. */
  readonly generations: readonly GenerationEnd[];
};

/** `same`, `newer`: follow it; `ancestor`: known older; `stale`: older than the window, never a fork; `fork`: not our line. */
export type LineageVerdict = 'same' | 'newer' | 'ancestor' | 'stale' | 'fork';

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

/** Judges an authentic revision (its id opened with our key) against the line of `ours`. */
export function judgeLineage(ours: Lineage, place: RevisionPlace, contentId: Buffer): LineageVerdict {
  const order = compareRevisions(place, ours);
  if (order > 0) return 'newer';
  if (order === 0) return contentId.equals(ours.contentId) ? 'same' : 'fork';
  const ended = ours.generations.find((end) => end.generation === place.generation);
  if (place.sequence >= ours.sequence || (ended !== undefined && place.sequence > ended.lastSequence)) return 'fork';
  const at = ANCESTOR_BYTES * (ours.sequence - 1 - place.sequence);
  if (at >= ours.ancestors.length) return 'stale';
  return ancestorHash(contentId).equals(ours.ancestors.subarray(at, at + ANCESTOR_BYTES)) ? 'ancestor' : 'fork';
}
