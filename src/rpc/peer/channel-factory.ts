// gRPC channels to peers through Tor: which options, and why (docs/protocol.md, "Transport").

import { Channel } from '@grpc/grpc-js';
import type { ChannelOptions } from '@grpc/grpc-js';
import type { OnionId } from '../../core/ids.ts';
import { FLOW_WINDOW_BYTES, RPC_MESSAGE_BYTES, RPC_REQUEST_BYTES } from '../../core/limits.ts';
import { DEADLINES_MS } from '../../core/policy/periods.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { OnionRoute } from '../../net/onion-route.ts';
import type { TlsIdentity } from '../../net/tls-identity.ts';
import { OnionChannelCredentials } from './onion-credentials.ts';
import type { OpenChannel } from './peer-lane.ts';

export type ChannelDeps = {
  readonly route: OnionRoute;
  readonly identity: TlsIdentity;
  readonly clock: Clock;
  readonly random: Random;
};

/** What GrpcPeerClient needs. Each channel has a circuit of its own: its isolation name is never used again. */
export function peerChannels(deps: ChannelDeps): OpenChannel {
  const prefix = deps.random.bytes(8).toString('hex');
  let opened = 0;
  return ({ peer, lane, onSecure }) => {
    const isolation = `${prefix}:${peer}:${lane}:${opened++}`;
    const credentials = new OnionChannelCredentials({ ...deps, peer, isolation, onSecure });
    return new Channel(grpcTarget(deps.route.target(peer)), credentials, channelOptions(peer));
  };
}

function channelOptions(peer: OnionId): ChannelOptions {
  return {
    // Without it the path of the socket would be sent to the peer.
    'grpc.default_authority': `${peer}.onion`,
    // A proxy of the environment would be a way around Tor.
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    // All peers have the same target; a shared pool would mix their connections.
    'grpc.use_local_subchannel_pool': 1,
    'grpc-node.flow_control_window': FLOW_WINDOW_BYTES,
    'grpc.keepalive_time_ms': DEADLINES_MS.keepalive,
    'grpc.keepalive_timeout_ms': DEADLINES_MS.keepaliveTimeout,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.initial_reconnect_backoff_ms': DEADLINES_MS.reconnectMin,
    'grpc.max_reconnect_backoff_ms': DEADLINES_MS.reconnectMax,
    'grpc.client_idle_timeout_ms': 2_147_483_647,
    'grpc.max_send_message_length': RPC_REQUEST_BYTES + 1024,
    'grpc.max_receive_message_length': RPC_MESSAGE_BYTES,
    'grpc.enable_retries': 0,
    'grpc.enable_channelz': 0,
  };
}

/** `host:port` or the path of a Unix socket as a gRPC name that needs no resolver. */
function grpcTarget(target: string): string {
  return target.startsWith('/') ? `unix:${target}` : `ipv4:${target}`;
}
