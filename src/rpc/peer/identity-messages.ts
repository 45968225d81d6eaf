// HealthCheck and PeerExchange on the wire: who the two sides are, and whom they know.

import { onionIdFromPubkey, parseOnionId, pubkeyFromOnionId } from '../../core/ids.ts';
import type { OnionId } from '../../core/ids.ts';
import { PEER_EXCHANGE_PEERS, RPC_MESSAGE_BYTES, RPC_REQUEST_BYTES } from '../../core/limits.ts';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  PeerExchangeRequest,
  PeerExchangeResponse,
} from '../../gen/bbrpc/v1/bbrpc.ts';
import type { Peer } from '../../gen/bbrpc/v1/bbrpc.ts';
import type { Hello, PeerShare } from '../../ports/peer-client.ts';
import { messageCodec } from '../message-codec.ts';
import { atMost, exactBytes, exactOrEmpty, inRange, MalformedMessage } from '../wire-checks.ts';

const INSTANCE_BYTES = 16;
const VERSION_MAX = 0xffff;

export const healthCheckRequest = messageCodec<HealthCheckRequest, void>(HealthCheckRequest, {
  maxBytes: RPC_REQUEST_BYTES,
  shape: {},
  toWire: () => HealthCheckRequest.create(),
  fromWire: () => undefined,
});

export const healthCheckResponse = messageCodec<HealthCheckResponse, Hello>(HealthCheckResponse, {
  maxBytes: RPC_MESSAGE_BYTES,
  shape: {},
  toWire: (hello) => ({ ...hello }),
  fromWire: (wire) => ({
    clientOnion: exactOnionId(wire.clientOnion),
    serverOnion: exactOnionId(wire.serverOnion),
    protocolMin: inRange(wire.protocolMin, 1, VERSION_MAX, 'protocol_min'),
    protocolMax: inRange(wire.protocolMax, wire.protocolMin, VERSION_MAX, 'protocol_max'),
    instance: exactOrEmpty(wire.instance, INSTANCE_BYTES, 'instance'),
  }),
});

export const peerExchangeRequest = messageCodec<PeerExchangeRequest, PeerShare>(PeerExchangeRequest, {
  maxBytes: RPC_REQUEST_BYTES,
  ...shares(),
});

export const peerExchangeResponse = messageCodec<PeerExchangeResponse, PeerShare>(PeerExchangeResponse, {
  maxBytes: RPC_MESSAGE_BYTES,
  ...shares(),
});

/** Request and response are the same. */
function shares() {
  return {
    shape: { 1: {} },
    toWire: ({ peers, unlisted }: PeerShare) => ({ peers: peers.map(peerOf), unlisted }),
    fromWire: (wire: PeerExchangeRequest): PeerShare => ({ peers: idsOf(wire.peers), unlisted: wire.unlisted }),
  };
}

function peerOf(id: OnionId): Peer {
  return { onionPubkey: pubkeyFromOnionId(id) };
}

function idsOf(peers: readonly Peer[]): readonly OnionId[] {
  return atMost(peers, PEER_EXCHANGE_PEERS, 'peers').map((peer) =>
    onionIdFromPubkey(exactBytes(peer.onionPubkey, 32, 'onion_pubkey')),
  );
}

/** Only the one canonical spelling; what people may type is not what daemons may send. */
function exactOnionId(text: string): OnionId {
  if (!/^[a-z2-7]{56}$/.test(text)) throw new MalformedMessage('an onion id is malformed');
  try {
    return parseOnionId(text);
  } catch {
    throw new MalformedMessage('an onion id has a wrong checksum');
  }
}
