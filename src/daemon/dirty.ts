// A change of peers, terms or settings must get into a revision, or it would not survive the disk.
// Until it is in one the newest revision counts as not yet stored.

import { BbError } from '../core/errors.ts';
import { commitRevision, unchangedContent } from './commit-revision.ts';
import { emptyContent } from './empty-content.ts';
import { plan, planPublishAll } from './plan.ts';
import type { Session } from './session.ts';

/** Durable at once; the revision follows after the debounce. */
export async function markDirty(session: Session): Promise<void> {
  session.dirtyMarks += 1;
  await session.registry.updateNode((node) => {
    if (node === undefined) throw new BbError('INTERNAL', 'the node record is gone');
    return { ...node, dirty: true };
  });
  plan(session, 'commit', session.deps.periods.publishDebounce);
}

/** The task: seals today's peers, terms and settings into a revision. Also planned at unlock. */
export async function commitDirty(session: Session, signal: AbortSignal): Promise<void> {
  await session.contentLock.run(async () => {
    if (!session.node.dirty || session.node.mode !== 'normal') return;
    const { newest } = session;
    await commitRevision(
      session,
      newest === undefined ? await emptyContent(session, signal) : unchangedContent(newest),
    );
  });
  planPublishAll(session, 0);
}
