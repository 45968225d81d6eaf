// Peers for local programs.

import type { PeerChange, PeerView } from '../../daemon/local-api.ts';
import { PeerAction } from '../../gen/clirpc/v1/clirpc.ts';
import type { ChangePeerRequest, ConnectedPeersResponse, Peer, PeerInfo } from '../../gen/clirpc/v1/clirpc.ts';
import { MalformedMessage, wireNumber } from '../wire-checks.ts';
import { peerMessage } from './views.ts';

/** What the caller typed for a peer: an onion id, a URI, a name or a prefix. */
export function peerReference(peer: Peer | undefined): string {
  const reference = peer?.onionServiceId || peer?.name || '';
  if (reference === '') throw new MalformedMessage('no peer was named');
  return reference;
}

/** The same, or empty where no peer was sent: one without a name is a mistake, and does not mean all or any of them. */
export function optionalReference(peer: Peer | undefined): string {
  return peer === undefined ? '' : peerReference(peer);
}

export function peerInfoMessage(peer: PeerView): PeerInfo {
  return {
    peer: peerMessage(peer.onionId, peer.name),
    added: peer.added,
    connected: peer.connected,
    lastReachedMs: BigInt(peer.lastReachedMs),
    keyExchange: peer.group,
    introducer: peer.introducer,
    contractState: peer.contractState,
    addedMs: BigInt(peer.addedMs),
    pinned: peer.pinned,
    blocked: peer.blocked,
    unlisted: peer.unlisted,
    limitBytes: BigInt(peer.limitBytes),
  };
}

export function peerChange({ action, name, limitBytes }: ChangePeerRequest): PeerChange {
  switch (action) {
    case PeerAction.PEER_ACTION_RENAME:
      return { kind: 'rename', name };
    case PeerAction.PEER_ACTION_LIMIT:
      return { kind: 'limit', limitBytes: wireNumber(limitBytes, 'limit_bytes') };
    default: {
      const kind = PLAIN_ACTIONS.get(action);
      if (kind === undefined) throw new MalformedMessage('the action is unknown');
      return { kind };
    }
  }
}

const PLAIN_ACTIONS = new Map<PeerAction, 'pin' | 'unpin' | 'block' | 'unblock' | 'remove'>([
  [PeerAction.PEER_ACTION_PIN, 'pin'],
  [PeerAction.PEER_ACTION_UNPIN, 'unpin'],
  [PeerAction.PEER_ACTION_BLOCK, 'block'],
  [PeerAction.PEER_ACTION_UNBLOCK, 'unblock'],
  [PeerAction.PEER_ACTION_REMOVE, 'remove'],
]);

export function peersMessage(peers: readonly PeerView[]): ConnectedPeersResponse {
  return {
    connectedPeers: peers.filter((peer) => peer.connected).map(peerInfoMessage),
    onlineNotConnectedPeers: peers.filter((peer) => !peer.connected && peer.online).map(peerInfoMessage),
    offlinePeers: peers.filter((peer) => !peer.connected && !peer.online).map(peerInfoMessage),
  };
}
