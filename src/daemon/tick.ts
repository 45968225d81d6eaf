// Every 10 minutes: counts the time in which this node was up and connected, drops what no promise
// keeps any more, and looks again at what every contact should have started.

import { BbError } from '../core/errors.ts';
import { planCheck } from './check-peer.ts';
import { planExchanges } from './exchange-peers.ts';
import { dropTombstones } from './tombstones.ts';
import { isHealingDue } from './heal-own.ts';
import { areHoldsDue, dropExpiredHolds } from './held.ts';
import { plan, planFor } from './plan.ts';
import { planMeetings } from './presence.ts';
import { wantsPublish } from './replica.ts';
import { watchCopies } from './seek-storers.ts';
import type { Session } from './session.ts';
import { tickContracts } from './tick-contracts.ts';

export async function tick(session: Session): Promise<void> {
  const { clock, periods, timeDivisor } = session.deps;
  plan(session, 'tick', periods.tick);
  const elapsed = session.ticks.elapsed(clock.monotonicMs(), clock.nowMs());
  if (elapsed.jumped) session.deps.log.warn('the wall clock jumped; this tick counts nothing');
  if (!session.reach.anyReachable()) plan(session, 'selfDial', 0);
  const seconds = session.reach.anyReachable() || session.selfReached ? (elapsed.ms * timeDivisor) / 1000 : 0;
  if (seconds > 0) {
    await session.registry.updateNode((node) => {
      if (node === undefined) throw new BbError('INTERNAL', 'the node record is gone');
      return { ...node, countedSeconds: node.countedSeconds + seconds };
    });
  }
  await tickContracts(session);
  await watchCopies(session);
  if (areHoldsDue(session)) await dropExpiredHolds(session);
  await dropTombstones(session);
  planExchanges(session);
  planMeetings(session);
  if (isHealingDue(session)) plan(session, 'heal', 0);
  if (session.node.forks.length > 0) plan(session, 'merge', 0);
  for (const contract of session.registry.contracts()) {
    const { peer } = contract;
    if (!session.reach.isReachable(peer)) continue; // the next contact plans all of this
    if (wantsPublish(session, contract)) planFor(session, 'publish', peer, 0);
    planCheck(session, peer);
    if (session.untold.has(peer)) planFor(session, 'ask', peer, 0);
  }
}
