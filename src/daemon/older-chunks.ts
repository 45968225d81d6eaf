// The last resort of a recovery that is stuck: content of other revisions that holders still have, as a whole. What a lost cell
// held of a file that did not change may lie in another cell there, because the last cell of a content is packed anew with what
// comes next; the worker finds it in whichever cell is here.
// Invariant: promised = kept: nothing is called lost before every revision that peers hold was asked for.

import { compareRevisions } from '../core/content/revision-order.ts';
import { RESTORE_SOURCES } from '../core/limits.ts';
import { splitIds } from './commit-revision.ts';
import { fetchContent } from './fetch-content.ts';
import type { Fetch } from './fetch-content.ts';
import { openHead } from './open-head.ts';
import type { FoundId } from './recovery.ts';
import type { Session } from './session.ts';

/** Each is fetched to where its holders give no more. A failure is no reason to wait: the user may go on without the rest. */
export async function keepOlderContent(
  session: Session,
  { row, job, isOver, onCell }: Pick<Fetch, 'row' | 'job' | 'isOver' | 'onCell'>,
  signal: AbortSignal,
): Promise<void> {
  for (const id of newestFirst(session)) {
    if (id.contentId.equals(row.contentId)) continue;
    try {
      const head = await openHead(session, id, signal);
      if (head === undefined) continue;
      const work = await session.deps.workers.startRecovery(head.row, splitIds(head.metadata.indexCells));
      try {
        await fetchContent(session, { row: head.row, work, job, isOver, onCounts: () => undefined, onCell }, signal);
      } finally {
        await work.close();
      }
    } catch (error) {
      if (signal.aborted || isOver()) throw error;
      session.deps.log.debug('an older revision could not be fetched', { detail: String(error) });
    }
  }
}

function newestFirst({ recovery }: Session): FoundId[] {
  const found = new Map<string, FoundId>();
  for (const holder of recovery.holders.values()) {
    for (const id of holder.found) found.set(id.contentId.toString('hex'), id);
  }
  return [...found.values()].sort((a, b) => compareRevisions(b, a)).slice(0, 1 + RESTORE_SOURCES);
}
