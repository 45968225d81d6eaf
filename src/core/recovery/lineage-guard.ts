// What an id of our own means that a peer names, and whether an offer may name it as previous
// (docs/protocol.md, "Lineage guard"). The compare-and-swap protects the copies only because of this rule.
// Invariant: an id above the base is never overwritten; it forces recovery.

import { judgeLineage } from '../content/ancestors.ts';
import type { Lineage, LineageVerdict } from '../content/ancestors.ts';
import type { RevisionPlace } from '../content/revision-order.ts';

export type OwnIdJudgement =
  /** Empty: the peer knows none. */
  | 'none'
  /** Ours, or an older one of our line. */
  | 'ours'
  /** Authentic and not above the base, but not of our line. */
  | 'fork'
  /** Authentic and above the base. */
  | 'newer'
  /** It does not open: a fault of the peer. */
  | 'foreign';

/**
 * `place` is the opened content_id, undefined if it does not open. `line` is the newest revision we have,
 * undefined while we have none.
 */
export function judgeOwnId(
  contentId: Buffer,
  place: RevisionPlace | undefined,
  line: Lineage | undefined,
): OwnIdJudgement {
  if (contentId.length === 0) return 'none';
  if (place === undefined) return 'foreign';
  if (line === undefined) return 'newer';
  return JUDGEMENT[judgeLineage(line, place, contentId)];
}

const JUDGEMENT: { readonly [verdict in LineageVerdict]: OwnIdJudgement } = {
  same: 'ours',
  ancestor: 'ours',
  stale: 'ours',
  fork: 'fork',
  newer: 'newer',
};

/** True if an offer to a peer may name as previous the id that was so judged. Once per peer for a foreign id. */
export function mayNameAsPrevious(judgement: OwnIdJudgement, wasForeignNamedBefore: boolean): boolean {
  switch (judgement) {
    case 'none':
    case 'ours':
    case 'fork':
      return true;
    case 'foreign':
      return !wasForeignNamedBefore;
    case 'newer':
      return false;
  }
}
