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
  /** Packed like `ancestors`, in no order of sequences: what was merged into this line or given up. */
  readonly settled: Buffer;
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
  const own = ancestorHash(contentId);
  if (hashes(ours.settled).some((hash) => hash.equals(own))) return 'ancestor';
  const ended = ours.generations.find((end) => end.generation === place.generation);
  if (place.sequence >= ours.sequence || (ended !== undefined && place.sequence > ended.lastSequence)) return 'fork';
  const at = ANCESTOR_BYTES * (ours.sequence - 1 - place.sequence);
  if (at >= ours.ancestors.length) return 'stale';
  return own.equals(ours.ancestors.subarray(at, at + ANCESTOR_BYTES)) ? 'ancestor' : 'fork';
}

/**
 * What `settled` of a line is after `other` was merged into it or given up: the revision and those of its past that are
 * not of the line. Cut to 4 096, the newest stay.
 */
export function settle(ours: Lineage, other: Pick<Lineage, 'contentId' | 'sequence' | 'ancestors'>): Buffer {
  const added = [ancestorHash(other.contentId)];
  for (const [at, hash] of hashes(other.ancestors).entries()) {
    const mine = ANCESTOR_BYTES * (ours.sequence - (other.sequence - at));
    if (mine >= 0 && hash.equals(ours.ancestors.subarray(mine, mine + ANCESTOR_BYTES))) break;
    if (mine === -ANCESTOR_BYTES && hash.equals(ancestorHash(ours.contentId))) break;
    added.push(hash);
  }
  const known = new Set(hashes(ours.settled).map((hash) => hash.toString('latin1')));
  const fresh = added.filter((hash) => !known.has(hash.toString('latin1')));
  return Buffer.concat([...fresh, ours.settled]).subarray(0, ANCESTOR_BYTES * ANCESTORS);
}

function hashes(packed: Buffer): Buffer[] {
  return Array.from({ length: packed.length / ANCESTOR_BYTES }, (_, at) =>
    packed.subarray(at * ANCESTOR_BYTES, (at + 1) * ANCESTOR_BYTES),
  );
}
