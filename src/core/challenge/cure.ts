// Proving a whole copy again after a default: checks of kind `cure` go round the blob, and when every cell was swept
// `held` in a row the copy is cured (docs/protocol.md, "Contract lifecycle").
// Invariant: cells count only while the same revision is swept without a gap; a wrong proof begins anew.

import { blobCellCount } from './plan.ts';
import type { BlobShape } from './plan.ts';
import type { ChallengeOutcome, ChallengeQuestion } from './question.ts';

export type Cure = { readonly contentId: Buffer; readonly cells: number };

export const NOT_CURED: Cure = { contentId: Buffer.alloc(0), cells: 0 };

/** Progress after a judged check of kind `cure`; silence changes nothing. */
export function cureAfter(
  before: Cure,
  question: ChallengeQuestion,
  outcome: ChallengeOutcome,
  shape: BlobShape,
): Cure {
  if (outcome === 'late' || outcome === 'unreachable') return before;
  if (outcome === 'wrong') return NOT_CURED;
  const swept = sweptCells(question, shape);
  const isSame = before.contentId.equals(question.contentId);
  return { contentId: question.contentId, cells: (isSame ? before.cells : 0) + swept };
}

export function isCured({ cells }: Cure, shape: BlobShape): boolean {
  return cells >= shape.indexCells + shape.dataCells;
}

/** Cells between the heads that the ranges ask for; the heads are in every question. */
function sweptCells({ ranges }: ChallengeQuestion, shape: BlobShape): number {
  const cells = ranges.reduce((sum, range) => sum + range.cells, 0);
  return Math.min(cells, blobCellCount(shape)) - 2 * shape.headCells;
}
