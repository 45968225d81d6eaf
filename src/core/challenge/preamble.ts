// What a challenge mac binds before the first byte of content: who asks whom, about what, and how
// (docs/protocol.md, "Spot checks"). An answer to any other question has another preamble.

import { CELL_BYTES } from '../limits.ts';
import { invariant } from '../errors.ts';
import type { ChallengeQuestion } from './question.ts';

const TAG = Buffer.from('bb1/chal\0', 'latin1');

/**
 * "bb1/chal" || 0 || challenger 32 || responder 32 || content_id 64 || seed 32 || u32 count || u32 block || u32 n ||
 * n x (u64 start || u32 cells) || u64 blob length in bytes; keys are onion public keys.
 */
export function challengePreamble(
  question: ChallengeQuestion,
  challenger: Uint8Array,
  responder: Uint8Array,
  blobCells: number,
): Buffer {
  invariant(challenger.length === 32 && responder.length === 32, 'an onion key has 32 bytes');
  invariant(question.contentId.length === 64 && question.seed.length === 32, 'question out of shape');
  const numbers = Buffer.alloc(12 + question.ranges.length * 12 + 8);
  let at = numbers.writeUInt32BE(question.count, 0);
  at = numbers.writeUInt32BE(question.blockBytes, at);
  at = numbers.writeUInt32BE(question.ranges.length, at);
  for (const range of question.ranges) {
    at = numbers.writeBigUInt64BE(BigInt(range.startCell), at);
    at = numbers.writeUInt32BE(range.cells, at);
  }
  numbers.writeBigUInt64BE(BigInt(blobCells * CELL_BYTES), at);
  return Buffer.concat([TAG, challenger, responder, question.contentId, question.seed, numbers]);
}
