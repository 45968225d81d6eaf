// Superseded revisions of our own: each stays while a peer holds or pulls it, while it is what a peer proved last (the first
// check of the next one asks for what is new since), or while it is a fork that nobody merged. The rest is forgotten, and
// never beside an ingest that may be reusing its cells.

import type { ReplicaRecord } from '../core/records.ts';
import { plan } from './plan.ts';
import type { Session } from './session.ts';

/** Drops those of `candidates` that nothing needs. The caller holds session.contentLock. */
export async function dropSuperseded(session: Session, candidates: readonly Buffer[]): Promise<void> {
  for (const id of candidates) if (!isNeeded(session, id)) await session.deps.catalog.dropRevision(id);
}

/** The same when nobody changes our content. */
export function planDrop(session: Session, candidates: readonly Buffer[]): void {
  session.superseded.push(...candidates);
  plan(session, 'prune', 0);
}

/** The task. */
export function prune(session: Session): Promise<void> {
  return session.contentLock.run(() => dropSuperseded(session, session.superseded.splice(0)));
}

function isNeeded(session: Session, id: Buffer): boolean {
  const isListed = session.registry
    .contracts()
    .some(({ replica }) => replica.lists.some((list) => list.equals(id)) || isProvedBase(replica, id));
  const isFork = session.node.forks.some((fork) => fork.equals(id));
  return isListed || isFork || session.newest?.row.contentId.equals(id) === true;
}

/** A copy that is gone has no next check. */
function isProvedBase({ proved, lists }: ReplicaRecord, id: Buffer): boolean {
  return lists.length > 0 && proved.equals(id);
}
