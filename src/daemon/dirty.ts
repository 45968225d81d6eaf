// A change of peers, terms or settings must get into a revision, or it would not survive the disk.
// Until it is in one the newest revision counts as not yet stored.

import { BbError } from '../core/errors.ts';
import { commitRevision, unchangedContent } from './commit-revision.ts';
import { planPublishAll } from './publish.ts';
import type { Session } from './session.ts';

/** Durable at once; the revision follows after the debounce. */
export async function markDirty(session: Session): Promise<void> {
  await session.registry.updateNode((node) => {
    if (node === undefined) throw new BbError('INTERNAL', 'the node record is gone');
    return { ...node, dirty: true };
  });
  planDirtyCommit(session);
}

/** Also called at unlock: a daemon killed during the debounce goes on. */
export function planDirtyCommit(session: Session): void {
  if (!session.node.dirty || session.node.mode !== 'normal') return;
  session.scheduler.plan('commit', 'commit', session.deps.periods.publishDebounce, async (signal) => {
    await session.contentLock.run(async () => {
      if (!session.node.dirty || session.node.mode !== 'normal') return;
      const staged = session.newest === undefined ? await emptyContent(session, signal) : unchangedContent(session.newest);
      await commitRevision(session, staged);
    });
    planPublishAll(session, 0);
  });
}

/** The first revision of a node without files: its peers and contracts are worth a copy, too. */
function emptyContent(session: Session, signal: AbortSignal) {
  return session.deps.workers.ingest(
    {
      change: { kind: 'remove', name: Buffer.alloc(0) },
      snapshotId: session.deps.random.bytes(16),
      nowMs: session.deps.clock.nowMs(),
    },
    undefined,
    () => undefined,
    signal,
  );
}
