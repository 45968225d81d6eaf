// Which cells of a blob a question covers: its ranges, and the cells of the sampled blocks. How the sample is drawn is a
// matter of price, as nothing but the figures of detection depends on it.

import type { ChallengeQuestion } from '../../src/core/challenge/question.ts';
import { challengeReads } from '../../src/core/challenge/reads.ts';

/** By a cheap generator of the same size; exactly as src does; not at all, so that only ranges find anything. */
export type Sampling = 'stand-in' | 'real' | 'none';

export function coveredCells(question: ChallengeQuestion, blobCells: number, sampling: Sampling): number[] {
  if (sampling === 'real') return realCells(question, blobCells);
  const cells = new Set<number>();
  const count = sampling === 'none' ? 0 : question.count;
  let state = question.seed.readUInt32LE(0) | 1;
  for (let i = 0; i < count && cells.size < blobCells; i += 1) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    cells.add((state >>> 0) % blobCells);
  }
  for (const { startCell, cells: length } of question.ranges) {
    for (let i = 0; i < length; i += 1) cells.add(startCell + i);
  }
  return [...cells];
}

/** The last question is asked and answered, so it is walked once for both. */
let last: { readonly question: ChallengeQuestion; readonly cells: number[] } | undefined;

function realCells(question: ChallengeQuestion, blobCells: number): number[] {
  if (last?.question !== question) {
    const cells = new Set<number>();
    for (const { cell } of challengeReads(question, blobCells)) cells.add(cell);
    last = { question, cells: [...cells] };
  }
  return last.cells;
}
