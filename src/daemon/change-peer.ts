// `bb peers rename, pin, unpin, limit, block, unblock, remove, ping`: what the user decides about one peer.
// Invariant: promised = kept: no decision here shortens what a standing contract promises.

import { requirePlainName } from '../core/display-name.ts';
import { BbError } from '../core/errors.ts';
import { formatBytes } from '../core/format-bytes.ts';
import type { OnionId } from '../core/ids.ts';
import type { PeerRecord } from '../core/records.ts';
import { pendingOf } from './answer-proposal.ts';
import { giveBytes } from './agreed-bytes.ts';
import { dropOpen, isStanding } from './contracts.ts';
import { markDirty } from './dirty.ts';
import type { PeerChange, PeerView } from './local-api.ts';
import { planFor } from './plan.ts';
import { meetPeer } from './presence.ts';
import { requireTor } from './require-tor.ts';
import type { Session } from './session.ts';
import { peerView } from './views.ts';

/** EXISTS for a name that is taken, CONFLICT where a contract stands in the way. Undefined after a removal. */
export async function changePeer(session: Session, peer: OnionId, change: PeerChange): Promise<PeerView | undefined> {
  const after = change.kind === 'remove' ? await remove(session, peer) : await update(session, peer, change);
  session.bus.emit(change.kind === 'remove' ? 'peer-removed' : 'peer-changed', { peer, change: change.kind });
  await markDirty(session);
  return after === undefined ? undefined : peerView(session, after);
}

/** Milliseconds of one answered call over Tor. PEER_UNREACHABLE, NO_TOR. */
export async function pingPeer(session: Session, peer: OnionId, signal: AbortSignal): Promise<number> {
  requireTor(session);
  if (!session.client.isConnected(peer)) await meetPeer(session, peer, signal);
  const startedMs = session.deps.clock.monotonicMs();
  await session.client.healthCheck(peer, { signal });
  return session.deps.clock.monotonicMs() - startedMs;
}

async function update(
  session: Session,
  peer: OnionId,
  change: Exclude<PeerChange, { kind: 'remove' }>,
): Promise<PeerRecord> {
  if (change.kind === 'rename') requireFreeName(session, peer, change.name);
  if (change.kind === 'limit') requireAbovePromise(session, peer, change.limitBytes);
  if (change.kind === 'block') await requireNoContract(session, peer, 'blocked');
  const after = await session.registry.updatePeer(peer, (old) => {
    if (old === undefined) throw new BbError('UNKNOWN_PEER', 'no known peer has this name or onion id');
    return changed(old, change);
  });
  if (change.kind === 'block') session.client.forget(peer);
  if (change.kind === 'pin' || change.kind === 'unblock') planFor(session, 'presence', peer, 0);
  return after;
}

function changed(old: PeerRecord, change: Exclude<PeerChange, { kind: 'remove' }>): PeerRecord {
  switch (change.kind) {
    case 'rename':
      return { ...old, name: change.name };
    case 'pin':
      return { ...old, pinned: true, added: true, blocked: false };
    case 'unpin':
      return { ...old, pinned: false };
    case 'limit':
      return { ...old, limitBytes: change.limitBytes };
    case 'block':
      return { ...old, blocked: true, added: false, pinned: false };
    case 'unblock':
      return { ...old, blocked: false };
  }
}

async function remove(session: Session, peer: OnionId): Promise<undefined> {
  await requireNoContract(session, peer, 'removed');
  await session.registry.deletePeer(peer);
  session.client.forget(peer);
}

function requireFreeName(session: Session, peer: OnionId, name: string): void {
  requirePlainName(name);
  if (session.registry.peers().some((other) => other.name === name && name !== '' && other.onionId !== peer)) {
    throw new BbError('EXISTS', 'another peer has this name already', { hint: 'Choose another name.' });
  }
}

function requireAbovePromise(session: Session, peer: OnionId, limitBytes: number): void {
  const contract = session.registry.contract(peer);
  const promised = contract !== undefined && isStanding(contract.state) ? giveBytes(session, contract) : 0;
  if (limitBytes === 0 || limitBytes >= promised) return;
  const hint = 'Agree on less first: bb contracts amend.';
  throw new BbError('CONFLICT', `${formatBytes(promised)} are promised to this peer`, { hint });
}

/** A proposal that waits for our user is refused by this; a contract has to be ended first. */
async function requireNoContract(session: Session, peer: OnionId, what: string): Promise<void> {
  const contract = session.registry.contract(peer);
  if (contract !== undefined && isStanding(contract.state)) {
    const hint = 'Give notice first: bb contracts end.';
    throw new BbError('CONFLICT', `a peer with a contract cannot be ${what}`, { hint });
  }
  const pending = pendingOf(session, peer);
  if (pending !== undefined) await dropOpen(session, peer, pending.terms, `the peer was ${what}`);
}
