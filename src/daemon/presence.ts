// Being in touch: one warm control session to each peer that matters. A lost peer is probed again
// and again, patiently, for as long as we hold bytes for it: that is how a node that lost its disk is
// found by its storers (docs/protocol.md, "Rescue by presence").

import { probeDelayMs } from '../core/policy/probe.ts';
import { BbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import { meet } from './contact.ts';
import { isStanding, isWordDue } from './contracts.ts';
import { exchangeWhenDue } from './exchange-peers.ts';
import { planFor } from './plan.ts';
import type { Session } from './session.ts';

/** The version of the protocol that this program speaks (docs/protocol.md). */
export const PROTOCOL_VERSION = 1;

/** The task: a peer that is not in touch is probed; after a failure the next probe is planned. */
export async function probe(session: Session, peer: OnionId, signal: AbortSignal): Promise<void> {
  if (session.client.isConnected(peer) && session.contacts.get(peer)?.isMet === true) return;
  if (session.deps.tor.state().phase !== 'ready') return; // planned again when Tor is up
  try {
    await meetPeer(session, peer, signal);
  } catch (error) {
    if (signal.aborted) return;
    session.deps.log.debug('probe failed', { peer, detail: String(error) });
    planNextProbe(session, peer);
  }
}

/** The task: ask one peer what it holds of ours; the answer lands in noteHolder. */
export async function askHolder(session: Session, peer: OnionId, signal: AbortSignal): Promise<void> {
  if (peer !== session.self) await meetPeer(session, peer, signal);
}

/**
 * At each tick: a session may stay up for months, and what a peer promises or holds against us changes meanwhile. Who is
 * not well with us is asked at each, so that a warning does not stay longer than its cause. A word that only its machine has
 * to answer is said again at each as well.
 */
export function planMeetings(session: Session): void {
  const { clock, periods } = session.deps;
  for (const contract of session.registry.contracts()) {
    const { peer, state } = contract;
    const lastMs = session.metMs.get(peer);
    if (isWordDue(contract) && session.client.isConnected(peer)) planFor(session, 'close', peer, 0);
    if (!isStanding(state) || lastMs === undefined || !session.client.isConnected(peer)) continue;
    const isWell = (session.peerStates.get(peer) ?? 'ACTIVE') === 'ACTIVE';
    if (!isWell || clock.monotonicMs() - lastMs >= periods.meetAgain) planFor(session, 'ask', peer, 0);
  }
}

/** Reaches a peer at its onion and remembers that. */
export async function reachPeer(session: Session, peer: OnionId, signal: AbortSignal): Promise<void> {
  const hello = await session.client.healthCheck(peer, { signal });
  if (hello.serverOnion !== peer) throw new BbError('BAD_PEER_DATA', 'the peer says that it is another one');
  if (hello.protocolMin > PROTOCOL_VERSION) {
    throw new BbError('INCOMPATIBLE', 'the peer speaks only later versions of the protocol');
  }
  await rememberReached(session, peer);
}

/** Reaches a peer and exchanges what is held for whom. */
export async function meetPeer(session: Session, peer: OnionId, signal: AbortSignal): Promise<void> {
  await reachPeer(session, peer, signal);
  const contact = session.contacts.get(peer);
  await meet(session, peer, signal);
  if (contact !== undefined) contact.isMet = true;
  await exchangeWhenDue(session, peer, signal);
}

/** A session of ours to a peer began or ended. The self-dial is no peer: it would make a lonely node look connected. */
export function onOutgoing(session: Session, peer: OnionId, up: boolean, group: string): void {
  if (peer === session.self) return;
  session.reach.outgoing(peer, up, group);
  session.bus.emit(up ? 'peer-connected' : 'peer-disconnected', { peer });
  if (up) {
    session.contacts.set(peer, { isMet: false });
    planFor(session, 'presence', peer, 0);
  } else {
    session.contacts.delete(peer);
    planNextProbe(session, peer);
  }
}

/** A peer's session to us began or ended: a chance to meet it without waiting for the next probe. */
export function onIncoming(session: Session, peer: OnionId, up: boolean, group: string): void {
  if (peer === session.self) return;
  // A dial that began while it was away may hang on what its old address left in Tor.
  if (up && !session.reach.isReachable(peer)) session.client.redial(peer);
  session.reach.incoming(peer, up, group);
  if (!up && session.registry.peer(peer) === undefined) session.reach.forget(peer);
  if (up && session.registry.contract(peer) !== undefined && !session.client.isConnected(peer)) {
    planFor(session, 'presence', peer, 0);
  }
}

function planNextProbe(session: Session, peer: OnionId): void {
  const record = session.registry.peer(peer);
  const contract = session.registry.contract(peer);
  if (record?.added !== true && (contract === undefined || contract.state === 'RELEASED')) return;
  const failures = session.reach.failed(peer);
  const lostForMs = session.deps.clock.monotonicMs() - session.reach.lostMs(peer);
  planFor(
    session,
    'presence',
    peer,
    probeDelayMs(lostForMs, failures - 1, session.deps.periods, session.deps.random.fraction()),
  );
}

async function rememberReached(session: Session, peer: OnionId): Promise<void> {
  const record = session.registry.peer(peer);
  const nowMs = session.deps.clock.nowMs();
  if (record === undefined) return;
  if (record.dialledBack && nowMs - record.lastReachedMs < session.deps.periods.tick) return;
  await session.registry.noteOfPeer(peer, (old) => ({ ...old, dialledBack: true, lastReachedMs: nowMs }));
}
