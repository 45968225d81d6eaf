// gRPC credentials for a peer behind an onion service. grpc-js connects to Tor's SOCKS socket; the connector below asks
// Tor for the stream, runs TLS over it, and lets nothing pass unless the peer has the key of its onion id. This is the
// seam of grpc-js meant for it, but its names start with `_`: the exact version is pinned, the transport test notices.

import { CallCredentials, ChannelCredentials } from '@grpc/grpc-js';
import type { experimental } from '@grpc/grpc-js';
import { isBbError } from '../../core/errors.ts';
import type { OnionId } from '../../core/ids.ts';
import { DEADLINES_MS } from '../../core/policy/periods.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OnionRoute } from '../../net/onion-route.ts';
import { secureStream } from '../../net/tls-client.ts';
import type { TlsIdentity } from '../../net/tls-identity.ts';

type SecureConnector = experimental.SecureConnector;
type Socket = Parameters<SecureConnector['connect']>[0];
type SecureConnectResult = Awaited<ReturnType<SecureConnector['connect']>>;

export type OnionCredentialsOptions = {
  readonly route: OnionRoute;
  readonly identity: TlsIdentity;
  readonly peer: OnionId;
  /** Streams of different isolation never share a circuit. */
  readonly isolation: string;
  readonly clock: Clock;
  /** Called with the TLS key exchange group each time the peer has proved its key. */
  readonly onSecure: (group: string) => void;
};

export class OnionChannelCredentials extends ChannelCredentials {
  readonly #options: OnionCredentialsOptions;

  constructor(options: OnionCredentialsOptions) {
    super();
    this.#options = options;
  }

  override _isSecure(): boolean {
    return true;
  }

  /** Never equal to another: two peers must not share a connection. */
  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(): SecureConnector {
    return {
      connect: (socket) => this.#connect(socket),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => CallCredentials.createEmpty(),
      destroy: () => undefined,
    };
  }

  async #connect(raw: Socket): Promise<SecureConnectResult> {
    const { route, identity, peer, isolation, clock, onSecure } = this.#options;
    raw.on('error', () => raw.destroy());
    try {
      await route.open(raw, peer, isolation, DEADLINES_MS.connect);
      const { socket, group } = await secureStream(raw, identity, peer, clock, DEADLINES_MS.connect);
      onSecure(group);
      return { socket, secure: true };
    } catch (error) {
      raw.destroy();
      // grpc-js shows this text in the status of calls; it goes no further than our own log.
      throw new Error(isBbError(error) ? error.message : 'no connection', { cause: error });
    }
  }
}
