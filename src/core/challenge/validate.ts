// A question from the wire, against the blob it asks about. Invariant: what passes here can be walked
// with `challengeReads` without a read outside the blob and with bounded work.

import { CHALLENGE_BLOCK_BYTES, CHALLENGE_MAX_BLOCKS, CHALLENGE_RANGES } from '../limits.ts';
import { PeerRefusal } from '../refusal.ts';
import { rangeCellsMax } from './bounds.ts';
import type { ChallengeQuestion } from './question.ts';

/** Throws PeerRefusal BAD_RANGE unless the question is in shape, asks something, and stays inside the blob. */
export function validateQuestion(question: ChallengeQuestion, blobCells: number): void {
  if (!isInShape(question) || !areRangesInside(question, blobCells)) throw new PeerRefusal('BAD_RANGE');
}

function isInShape(question: ChallengeQuestion): boolean {
  const { contentId, nonce, seed, count, blockBytes, ranges } = question;
  return (
    contentId.length === 64 &&
    nonce.length === 32 &&
    seed.length === 32 &&
    blockBytes === CHALLENGE_BLOCK_BYTES &&
    isIn(count, 0, CHALLENGE_MAX_BLOCKS) &&
    ranges.length <= CHALLENGE_RANGES &&
    (count > 0 || ranges.length > 0)
  );
}

function areRangesInside({ ranges }: ChallengeQuestion, blobCells: number): boolean {
  let end = 0;
  let total = 0;
  for (const range of ranges) {
    if (!isIn(range.startCell, end, blobCells - 1) || !isIn(range.cells, 1, blobCells - range.startCell)) return false;
    end = range.startCell + range.cells;
    total += range.cells;
  }
  return blobCells > 0 && total <= rangeCellsMax(blobCells);
}

function isIn(value: number, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max;
}
