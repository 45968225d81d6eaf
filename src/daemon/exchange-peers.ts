// PeerExchange: addresses of nodes that were reached lately, given and taken. What is received is a hint
// without any right: its introducer is remembered, and nothing is stored for it. What we give is the same
// for all callers, or a crawler could ask again and again until it knows everybody.

import type { OnionId } from '../core/ids.ts';
import { PEERS, PEER_EXCHANGE_PEERS, PEER_EXCHANGE_UNKNOWN_PEERS } from '../core/limits.ts';
import { newPeer } from './new-peer.ts';
import type { Session } from './session.ts';

/** A caller shares its peers; the answer is ours. */
export async function answerExchange(
  session: Session,
  caller: OnionId,
  theirs: readonly OnionId[],
): Promise<readonly OnionId[]> {
  await rememberHints(session, caller, theirs);
  return shareable(session, caller);
}

/** Shares peers with a peer that was just met, at most once a period. */
export async function exchangeWhenDue(session: Session, peer: OnionId, signal: AbortSignal): Promise<void> {
  const nowMs = session.deps.clock.monotonicMs();
  const lastMs = session.exchangedMs.get(peer);
  if (lastMs !== undefined && nowMs - lastMs < session.deps.periods.peerExchange) return;
  session.exchangedMs.set(peer, nowMs);
  const theirs = await session.client.exchangePeers(peer, shareable(session, peer), { signal });
  await rememberHints(session, peer, theirs);
}

function shareable(session: Session, caller: OnionId): OnionId[] {
  const nowMs = session.deps.clock.nowMs();
  return session.registry
    .peers()
    .filter((peer) => peer.onionId !== caller && nowMs - peer.lastReachedMs < session.deps.periods.peerFresh)
    .map((peer) => peer.onionId)
    .toSorted()
    .slice(0, isTrusted(session, caller) ? PEER_EXCHANGE_PEERS : PEER_EXCHANGE_UNKNOWN_PEERS);
}

/** Hints of strangers are not kept, and hints never take more than half of the places for peers. */
async function rememberHints(session: Session, introducer: OnionId, ids: readonly OnionId[]): Promise<void> {
  if (!isTrusted(session, introducer)) return;
  for (const id of ids.slice(0, PEER_EXCHANGE_PEERS)) {
    const isFull = session.registry.peers().length >= PEERS / 2;
    if (isFull || id === session.self || session.registry.peer(id) !== undefined) continue;
    await session.registry.updatePeer(id, (old) => old ?? { ...newPeer(session, id), introducer });
  }
}

function isTrusted(session: Session, peer: OnionId): boolean {
  return session.registry.peer(peer)?.added === true || session.registry.contract(peer) !== undefined;
}
