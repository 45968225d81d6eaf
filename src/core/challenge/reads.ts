// The bytes a challenge covers, in the order in which they enter the mac: first the sampled blocks,
// then the cells of the ranges (docs/protocol.md, "Spot checks"). Both sides walk this one list.

import { CELL_BYTES } from '../limits.ts';
import { sampledBlock } from './blocks.ts';
import type { ChallengeQuestion } from './question.ts';

/** A part of one cell of the blob. */
export type CellRead = { readonly cell: number; readonly offsetBytes: number; readonly lengthBytes: number };

/** The reads of a question that `validateQuestion` accepted for a blob of `blobCells` cells. */
export function* challengeReads(question: ChallengeQuestion, blobCells: number): Generator<CellRead> {
  const { blockBytes } = question;
  const blocksPerCell = CELL_BYTES / blockBytes;
  for (let i = 0; i < question.count; i += 1) {
    const block = sampledBlock(question.seed, i, blobCells * blocksPerCell);
    yield {
      cell: Math.floor(block / blocksPerCell),
      offsetBytes: (block % blocksPerCell) * blockBytes,
      lengthBytes: blockBytes,
    };
  }
  for (const range of question.ranges) {
    for (let cell = range.startCell; cell < range.startCell + range.cells; cell += 1) {
      yield { cell, offsetBytes: 0, lengthBytes: CELL_BYTES };
    }
  }
}

/** How many blocks the answer covers: the `blocks_read` of an honest responder. */
export function blocksRead(question: ChallengeQuestion): number {
  const cells = question.ranges.reduce((sum, range) => sum + range.cells, 0);
  return question.count + cells * (CELL_BYTES / question.blockBytes);
}
