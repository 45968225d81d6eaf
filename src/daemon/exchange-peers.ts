// PeerExchange: addresses of nodes that were reached lately, given and taken. What is received is a hint
// without any right: its introducer is remembered, and nothing is stored for it. What we give is the same
// for all callers for a week, or a crawler could ask again and again until it knows everybody.

import type { OnionId } from '../core/ids.ts';
import { PEERS, PEER_EXCHANGE_PEERS, PEER_EXCHANGE_UNKNOWN_PEERS } from '../core/limits.ts';
import { peerSample } from '../core/policy/peer-sample.ts';
import type { PeerRecord } from '../core/records.ts';
import type { PeerShare } from '../ports/peer-client.ts';
import { newPeer } from './new-peer.ts';
import { planFor } from './plan.ts';
import type { Session } from './session.ts';

/** A caller shares its peers; the answer is ours. */
export async function answerExchange(session: Session, caller: OnionId, theirs: PeerShare): Promise<PeerShare> {
  await rememberHints(session, caller, theirs);
  return share(session, caller);
}

/** Shares peers with a peer that was just met, at most once a period. */
export async function exchangeWhenDue(session: Session, peer: OnionId, signal: AbortSignal): Promise<void> {
  const nowMs = session.deps.clock.monotonicMs();
  const lastMs = session.exchangedMs.get(peer);
  if (lastMs !== undefined && nowMs - lastMs < session.deps.periods.peerExchange) return;
  session.exchangedMs.set(peer, nowMs);
  const theirs = await session.client.exchangePeers(peer, share(session, peer), { signal });
  await rememberHints(session, peer, theirs);
}

/** At each tick: a session may stay up for months, and who joined meanwhile would never be heard of. */
export function planExchanges(session: Session): void {
  const { clock, periods } = session.deps;
  for (const [peer, lastMs] of session.exchangedMs) {
    const isDue = clock.monotonicMs() - lastMs >= periods.peerExchangeAgain;
    if (isDue && session.client.isConnected(peer) && isTrusted(session, peer)) planFor(session, 'exchange', peer, 0);
  }
}

function share(session: Session, caller: OnionId): PeerShare {
  const { clock, periods } = session.deps;
  const nowMs = clock.nowMs();
  const isFresh = ({ onionId, lastReachedMs }: PeerRecord): boolean =>
    session.client.isConnected(onionId) || nowMs - lastReachedMs < periods.peerFresh; // noted when a session began
  const fresh = session.registry
    .peers()
    .filter((peer) => !peer.unlisted && !peer.blocked && isFresh(peer))
    .map(({ onionId }) => onionId);
  const count = isTrusted(session, caller) ? PEER_EXCHANGE_PEERS : PEER_EXCHANGE_UNKNOWN_PEERS;
  const peers = peerSample(session.peerRanks, session.self, fresh, nowMs, periods, count).filter((id) => id !== caller);
  return { peers, unlisted: session.settings.unlisted };
}

/** Hints of strangers are not kept, and hints never take more than half of the places for peers. */
async function rememberHints(session: Session, introducer: OnionId, theirs: PeerShare): Promise<void> {
  const { registry } = session;
  const known = registry.peer(introducer);
  if (known !== undefined && known.unlisted !== theirs.unlisted) {
    await registry.noteOfPeer(introducer, (old) => ({ ...old, unlisted: theirs.unlisted }));
  }
  if (!isTrusted(session, introducer)) return;
  for (const id of theirs.peers.slice(0, PEER_EXCHANGE_PEERS)) {
    if (id === session.self || registry.peer(id) !== undefined) continue;
    if (registry.peers().length >= PEERS / 2 && !(await forgetHint(session))) return;
    await registry.updatePeer(id, (old) => old ?? { ...newPeer(session, id), introducer });
  }
}

/** The oldest hint that was never reached makes room for a newer one. False when there is none. */
async function forgetHint(session: Session): Promise<boolean> {
  const { registry } = session;
  const isHint = (peer: PeerRecord): boolean =>
    !peer.added && !peer.blocked && peer.lastReachedMs === 0 && registry.contract(peer.onionId) === undefined;
  const [oldest] = registry
    .peers()
    .filter(isHint)
    .toSorted((a, b) => a.addedMs - b.addedMs);
  if (oldest === undefined) return false;
  await registry.deletePeer(oldest.onionId);
  return true;
}

function isTrusted(session: Session, peer: OnionId): boolean {
  return session.registry.peer(peer)?.added === true || session.registry.contract(peer) !== undefined;
}
