// `bb storage held` and `gc`: what lies here for whom and until when, and what can go now.

import { CELL_BYTES } from '../core/limits.ts';
import { chargeOf } from './allowance.ts';
import { giveBytes } from './agreed-bytes.ts';
import { dropExpiredHolds } from './held.ts';
import type { HeldView } from './local-api.ts';
import { evictableBytes, evictExpired } from './make-space.ts';
import { remainingOf } from './remaining.ts';
import { rewritePacks } from './rewrite-packs.ts';
import type { Session } from './session.ts';
import { peerName } from './views.ts';

/** One row per owner with bytes here, the largest first. */
export async function heldViews(session: Session): Promise<readonly HeldView[]> {
  const owners = [...new Set(session.registry.held().map(({ value }) => value.owner))];
  const views = await Promise.all(
    owners.map(async (owner): Promise<HeldView> => {
      const contract = session.registry.contract(owner);
      const lists = session.registry.heldOf(owner).map(({ value }) => value);
      const bytes = (role: (typeof lists)[number]['role']): number =>
        lists.filter((list) => list.role === role).reduce((sum, { cells }) => sum + cells, 0) * CELL_BYTES;
      const kept = lists.filter(({ role }) => role === 'kept');
      const holdEnd = Math.max(0, ...kept.map(({ holdEndSeconds }) => holdEndSeconds));
      return {
        peer: owner,
        name: peerName(session, owner),
        state: contract?.state ?? '',
        chargeBytes: await chargeOf(session, owner),
        promisedBytes: contract === undefined ? 0 : giveBytes(session, contract),
        currentBytes: bytes('current'),
        pullingBytes: bytes('pulling'),
        keptRevisions: kept.length,
        holdSeconds: Math.max(0, holdEnd - session.node.countedSeconds),
        remainingSeconds: contract === undefined ? 0 : remainingOf(session, contract),
        evictableBytes: contract?.state === 'EXPIRED' ? await evictableBytes(session, owner) : 0,
      };
    }),
  );
  return views.toSorted((a, b) => b.chargeBytes - a.chargeBytes);
}

/** Lets go what no promise keeps: holds that are over, and with `evict` all replicas whose time is up; then rewrites packs. */
export async function collectGarbage(
  session: Session,
  evict: boolean,
): Promise<{ readonly droppedRevisions: number; readonly freedBytes: number; readonly rewrittenPacks: number }> {
  const before = await session.cells.diskBytes();
  const droppedRevisions = await dropExpiredHolds(session);
  if (evict) await evictExpired(session);
  const rewrittenPacks = await rewritePacks(session, session.scheduler.signal);
  return { droppedRevisions, rewrittenPacks, freedBytes: Math.max(0, before - (await session.cells.diskBytes())) };
}
