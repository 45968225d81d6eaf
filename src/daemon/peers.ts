// Knowing peers: adding one, naming one, passing their addresses on.

import { requirePlainName } from '../core/display-name.ts';
import { BbError, isBbError } from '../core/errors.ts';
import { parseOnionId } from '../core/ids.ts';
import type { OnionId } from '../core/ids.ts';
import { PEERS } from '../core/limits.ts';
import type { PeerRecord } from '../core/records.ts';
import { newPeer } from './new-peer.ts';
import { markDirty } from './dirty.ts';
import type { PeerView } from './local-api.ts';
import { planFor } from './plan.ts';
import { meetPeer } from './presence.ts';
import { requireTor } from './require-tor.ts';
import type { Session } from './session.ts';
import { peerView } from './views.ts';

/** BAD_ONION_ID, OWN_ONION_ID, TOO_LARGE; NO_TOR, the peer being added all the same. With `wait` the peer is dialled now; unreachable is an answer, not an error. */
export async function connectPeer(
  session: Session,
  reference: string,
  name: string,
  wait: boolean,
): Promise<{ readonly peer: PeerView; readonly reached: boolean }> {
  const id = parseOnionId(reference);
  if (id === session.self) throw new BbError('OWN_ONION_ID', 'this is your own onion id');
  requirePlainName(name);
  const old = session.registry.peer(id);
  const namesake = session.registry.peers().find((peer) => peer.name === name && peer.onionId !== id);
  if (name !== '' && namesake !== undefined) {
    throw new BbError('EXISTS', 'another peer has this name already', { hint: 'Choose another --name.' });
  }
  if (old === undefined && session.registry.peers().length >= PEERS) {
    throw new BbError('TOO_LARGE', `at most ${PEERS} peers can be known`);
  }
  const record = await session.registry.updatePeer(id, (known) => ({
    ...(known ?? newPeer(session, id)),
    added: true,
    name: name === '' ? (known?.name ?? '') : name,
  }));
  if (old?.added !== true) {
    session.bus.emit('peer-added', { peer: id });
    await markDirty(session);
  }
  if (wait) requireTor(session); // the peer is known from now on all the same
  let reached = session.reach.isReachable(id);
  if (wait && !session.client.isConnected(id)) {
    reached = await meetPeer(session, id, session.scheduler.signal).then(
      () => true,
      (error: unknown) => {
        if (isBbError(error, 'INCOMPATIBLE')) throw error;
        return session.reach.isReachable(id); // it may have called in while our call looked for it
      },
    );
  }
  planFor(session, 'presence', id, 0);
  return { peer: peerView(session, session.registry.peer(id) ?? record), reached };
}

/** A peer by onion id, bb: URI, name or unique prefix of either; UNKNOWN_PEER. */
export function findPeer(session: Session, reference: string): OnionId {
  return knownPeer(session, reference) ?? unknownPeer(session, reference);
}

/** The same, undefined for one that is not known. */
export function knownPeer(session: Session, reference: string): OnionId | undefined {
  const peers = session.registry.peers();
  const bareId = bare(reference);
  const exact = peers.filter(({ onionId, name }) => name === reference || onionId === reference);
  const prefix = (peer: PeerRecord) => peer.name.startsWith(reference) || peer.onionId.startsWith(bareId);
  const found = exact.length > 0 ? exact : peers.filter(prefix);
  const [first] = found;
  if (bareId === '' || first === undefined) return undefined;
  if (found.length > 1) throw new BbError('USAGE', 'more than one peer is meant; use a longer name or the onion id');
  return first.onionId;
}

/** The difference between a typing error and a peer that was never added. */
function unknownPeer(session: Session, reference: string): never {
  const looksLikeId = bare(reference).length === 56;
  if (looksLikeId && parseOnionId(reference) === session.self) {
    throw new BbError('OWN_ONION_ID', 'this is your own onion id');
  }
  throw new BbError('UNKNOWN_PEER', 'no known peer has this name or onion id');
}

function bare(reference: string): string {
  return reference
    .toLowerCase()
    .replace(/^bb:(\/\/)?/, '')
    .replace(/\.onion$/, '');
}
