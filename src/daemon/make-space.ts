// Space for a peer's bytes: when the disk or the budget is short, replicas whose remaining seconds are used up go, as few
// as needed (core/policy/evict). Kept revisions of an evicted owner stay for their hold.
// Invariant: promised = kept: only EXPIRED contracts lose bytes here.

import { isPaused } from '../core/contract/machine.ts';
import { acceptableBytes } from '../core/contract/default-policy.ts';
import type { OnionId } from '../core/ids.ts';
import { chooseEvictions, evictable } from '../core/policy/evict.ts';
import type { EvictFacts } from '../core/policy/evict.ts';
import { chargeOf, freeForPeers } from './allowance.ts';
import { step } from './contracts.ts';
import { dropReleased } from './held.ts';
import type { Session } from './session.ts';

type Expired = EvictFacts & { readonly peer: OnionId };

/** For bytes of `owner`, of which nothing goes to make room for others of its own. */
export async function makeSpace(session: Session, owner: OnionId, neededBytes: number): Promise<void> {
  const onDisk = isSpaceComing(session) ? 0 : neededBytes - (await freeForPeers(session));
  const lacking = Math.max(onDisk, await overBudget(session, neededBytes));
  if (lacking <= 0) return;
  const others = (await facts(session)).filter(({ peer }) => peer !== owner);
  await evict(session, chooseEvictions(others, lacking), 'its time was up and the space was needed');
}

/** What went lies in packs that are rewritten after a tick: until then the disk looks as full as before. */
function isSpaceComing({ evictedMs, deps }: Session): boolean {
  return deps.clock.monotonicMs() - evictedMs < 2 * deps.periods.tick;
}

/** `bb storage gc --evict`: all whose time is up. */
export async function evictExpired(session: Session): Promise<void> {
  await evict(session, evictable(await facts(session)), 'its time was up and the user wanted the space');
}

async function evict(session: Session, chosen: readonly Expired[], reason: string): Promise<void> {
  for (const { peer, bytes } of chosen) {
    await step(session, peer, { kind: 'evicted' }, reason);
    await dropReleased(session, peer);
    session.evictedMs = session.deps.clock.monotonicMs();
    session.bus.emit('evicted', { peer, bytes: String(bytes) });
  }
}

/** Bytes that peers would occupy beyond what the user allows. */
async function overBudget(session: Session, neededBytes: number): Promise<number> {
  const owners = new Set(session.registry.held().map(({ value }) => value.owner));
  let used = 0;
  for (const owner of owners) used += await chargeOf(session, owner);
  return used + neededBytes - acceptableBytes(session.settings.storageLimitBytes, 0);
}

async function facts(session: Session): Promise<readonly Expired[]> {
  const nowSeconds = session.node.countedSeconds;
  const expired = session.registry.contracts().filter(({ state }) => state === 'EXPIRED');
  return Promise.all(
    expired.map(async (contract) => ({
      peer: contract.peer,
      state: contract.state,
      enteredSeconds: contract.life.enteredSeconds,
      bytes: await evictableBytes(session, contract.peer),
      isPaused: isPaused(contract, session.recoveringPeers.has(contract.peer), nowSeconds),
    })),
  );
}

/** What goes with the replica of an owner: everything but what a hold keeps. */
export async function evictableBytes(session: Session, owner: OnionId): Promise<number> {
  const kept = await chargeOf(session, owner, ({ role }) => role === 'kept');
  return (await chargeOf(session, owner)) - kept;
}
