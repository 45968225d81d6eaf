// Challenge on the wire. Whether the question fits the blob is for the core to say; here only what any question must keep.

import type { CellRange, ChallengeQuestion } from '../../core/challenge/question.ts';
import {
  BLOB_CELLS,
  CHALLENGE_BLOCK_BYTES,
  CHALLENGE_MAX_BLOCKS,
  CHALLENGE_RANGES,
  RPC_MESSAGE_BYTES,
  RPC_REQUEST_BYTES,
} from '../../core/limits.ts';
import { PeerRefusal } from '../../core/refusal.ts';
import { ChallengeRequest, ChallengeResponse } from '../../gen/bbrpc/v1/bbrpc.ts';
import type { CellRange as WireRange } from '../../gen/bbrpc/v1/bbrpc.ts';
import { messageCodec } from '../message-codec.ts';
import { exactBytes, inRange } from '../wire-checks.ts';
import { CONTENT_ID_BYTES } from './revision-messages.ts';

const KEY_BYTES = 32;

export type Proof = { readonly mac: Buffer; readonly blocksRead: number };

export const challengeRequest = messageCodec<ChallengeRequest, ChallengeQuestion>(ChallengeRequest, {
  maxBytes: RPC_REQUEST_BYTES,
  shape: { 6: {} },
  toWire: (question) => ({
    contentId: question.contentId,
    nonce: question.nonce,
    seed: question.seed,
    count: question.count,
    block: question.blockBytes,
    ranges: question.ranges.map((range) => ({ startCell: BigInt(range.startCell), cells: range.cells })),
  }),
  fromWire: (wire) => {
    if (wire.count > CHALLENGE_MAX_BLOCKS || wire.block !== CHALLENGE_BLOCK_BYTES) throw new PeerRefusal('BAD_RANGE');
    return {
      contentId: exactBytes(wire.contentId, CONTENT_ID_BYTES, 'content_id'),
      nonce: exactBytes(wire.nonce, KEY_BYTES, 'nonce'),
      seed: exactBytes(wire.seed, KEY_BYTES, 'seed'),
      count: wire.count,
      blockBytes: wire.block,
      ranges: risingRanges(wire.ranges),
    };
  },
});

export const challengeResponse = messageCodec<ChallengeResponse, Proof>(ChallengeResponse, {
  maxBytes: RPC_MESSAGE_BYTES,
  shape: {},
  toWire: (proof) => proof,
  fromWire: (wire) => ({
    mac: exactBytes(wire.mac, KEY_BYTES, 'mac'),
    blocksRead: inRange(wire.blocksRead, 0, 0xffffffff, 'blocks_read'),
  }),
});

/** Rising, not overlapping, none empty, none beyond the largest blob; else BAD_RANGE. */
export function risingRanges(ranges: readonly WireRange[]): readonly CellRange[] {
  if (ranges.length > CHALLENGE_RANGES) throw new PeerRefusal('BAD_RANGE');
  let free = 0n;
  return ranges.map(({ startCell, cells }) => {
    const end = startCell + BigInt(cells);
    if (startCell < free || cells < 1 || end > BigInt(BLOB_CELLS)) throw new PeerRefusal('BAD_RANGE');
    free = end;
    return { startCell: Number(startCell), cells };
  });
}
