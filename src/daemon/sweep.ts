// What a crash can leave behind takes space and nothing else: a superseded revision that was not forgotten yet, a list of
// leaves whose record was not written or is gone already, cells of a recovery that is over. Thrown away at unlock.
// Invariant: promised = kept: a list goes only when no record names it, a revision only when nothing needs it.

import { toBbError } from '../core/errors.ts';
import { dropList } from './held.ts';
import type { Session } from './session.ts';
import { dropSuperseded } from './superseded.ts';

/** Runs before anything else of the session does. A disk on which this fails, a full one, can still be read. */
export async function sweep(session: Session): Promise<void> {
  const { deps, registry, node } = session;
  try {
    if (node.mode === 'normal' && node.forks.length === 0) await deps.workers.dropRecoveries();
    const { revisions, heldLists } = await deps.catalog.inventory();
    await dropSuperseded(session, revisions);
    const promised = new Set(registry.held().map(({ value }) => value.list));
    for (const list of heldLists) if (!promised.has(list)) await dropList(session, list);
  } catch (error) {
    deps.log.warn('clean-up after the last stop failed', { code: toBbError(error).code });
  }
}
