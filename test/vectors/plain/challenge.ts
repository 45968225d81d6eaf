// Spot checks by the second implementation: which blocks a seed chooses, and the mac over blocks and cells.

import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ascii, be, hex, join, recipe } from './bytes.ts';

const CELL = 131_072;
const BLOCK = 4096;

type Case = {
  readonly cells: number;
  readonly count: number;
  readonly ranges: readonly { readonly startCell: number; readonly cells: number }[];
};

const CASES: readonly Case[] = [
  { cells: 3, count: 0, ranges: [{ startCell: 0, cells: 3 }] },
  {
    cells: 40,
    count: 16,
    ranges: [
      { startCell: 0, cells: 1 },
      { startCell: 5, cells: 2 },
      { startCell: 39, cells: 1 },
    ],
  },
  { cells: 40, count: 5, ranges: [] },
];

/** Block i = HMAC-SHA256(seed, u32 i), read as one 256-bit number, mod the number of blocks. */
function block(seed: Uint8Array, i: number, blocks: number): number {
  return Number(BigInt(`0x${hex(hmac(sha256, seed, be(i, 4)))}`) % BigInt(blocks));
}

function answer({ cells, count, ranges }: Case) {
  const blob = recipe('challenged blob', cells * CELL);
  const challenger = recipe('challenger', 32);
  const responder = recipe('responder', 32);
  const contentId = recipe('challenged id', 64);
  const nonce = recipe('challenge nonce', 32);
  const seed = recipe('challenge seed', 32);
  const blocks = Array.from({ length: count }, (_, i) => block(seed, i, blob.length / BLOCK));
  const message = join(
    ascii('bb1/chal'),
    be(0, 1),
    challenger,
    responder,
    contentId,
    seed,
    be(count, 4),
    be(BLOCK, 4),
    be(ranges.length, 4),
    ...ranges.map((range) => join(be(range.startCell, 8), be(range.cells, 4))),
    be(blob.length, 8),
    ...blocks.map((at) => blob.slice(at * BLOCK, (at + 1) * BLOCK)),
    ...ranges.map((range) => blob.slice(range.startCell * CELL, (range.startCell + range.cells) * CELL)),
  );
  return {
    blob: { recipe: 'challenged blob', bytes: blob.length },
    challenger: hex(challenger),
    responder: hex(responder),
    contentId: hex(contentId),
    nonce: hex(nonce),
    seed: hex(seed),
    count,
    block: BLOCK,
    ranges,
    blocks,
    mac: hex(hmac(sha256, nonce, message)),
  };
}

export function challengeVectors() {
  return {
    cases: CASES.map(answer),
    // Numbers of the first three blocks in blobs of so many blocks, for a seed of 32 zero bytes.
    draws: [1, 2, 1025, 2 ** 24, 2 ** 24 - 1].map((blocks) => ({
      blocks,
      drawn: [0, 1, 2].map((i) => block(new Uint8Array(32), i, blocks)),
    })),
  };
}
