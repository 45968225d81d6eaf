// Which of the revisions that peers hold is restored: the one with the highest (generation, sequence);
// time never decides (docs/protocol.md, "Recovery").

import { compareRevisions } from '../content/revision-order.ts';
import type { RevisionPlace } from '../content/revision-order.ts';

export type FoundRevision = RevisionPlace & { readonly contentId: Buffer };

/**
 * The newest of authentic revisions; undefined for none. Two different ids at one place are a fork: the one with the
 * smaller id is taken, so that every run decides alike, and `forks` names the others.
 */
export function chooseRevision<R extends FoundRevision>(
  found: readonly R[],
): { readonly newest: R; readonly forks: readonly R[] } | undefined {
  const sorted = found.toSorted((a, b) => compareRevisions(b, a) || Buffer.compare(a.contentId, b.contentId));
  const [newest] = sorted;
  if (newest === undefined) return undefined;
  const isRival = (other: R): boolean =>
    compareRevisions(other, newest) === 0 && !other.contentId.equals(newest.contentId);
  return { newest, forks: sorted.filter(isRival) };
}
