// The user's word (`bb init complete`) on a fork: this machine goes on, in a generation above the fork, which
// stays known and shown. Until then nothing is published beside it.

import { commitRevision, unchangedContent } from './commit-revision.ts';
import { hasLiveFork } from './lineage.ts';
import { planPublishAll } from './plan.ts';
import type { Session } from './session.ts';

export async function outliveForks(session: Session): Promise<void> {
  await session.contentLock.run(async () => {
    const { newest } = session;
    if (newest === undefined || session.node.mode !== 'normal' || !hasLiveFork(session)) return;
    await commitRevision(session, unchangedContent(newest), newest, newest.row.generation + 1);
  });
  planPublishAll(session, 0);
}
