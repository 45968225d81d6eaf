// The gRPC server for peers. grpc-js cannot tell who calls when certificates are self-signed, so TLS is ours (net/tls-server)
// and only authenticated connections are handed to it. Invariant: a call that reaches a handler has a caller.

import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServerOptions } from '@grpc/grpc-js';
import type { Http2Server, ServerHttp2Session } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { ed25519KeyOfCertificate } from '../../core/crypto/certificate.ts';
import { invariant } from '../../core/errors.ts';
import { onionIdFromPubkey } from '../../core/ids.ts';
import type { OnionId } from '../../core/ids.ts';
import { HTTP2_SESSION_MIB, HTTP2_STREAMS, RPC_MESSAGE_BYTES, RPC_REQUEST_BYTES } from '../../core/limits.ts';
import { DEADLINES_MS } from '../../core/policy/periods.ts';
import type { PeerApi } from '../../daemon/peer-api.ts';
import { listenTls } from '../../net/tls-server.ts';
import type { TlsServer } from '../../net/tls-server.ts';
import type { TlsIdentity } from '../../net/tls-identity.ts';
import type { Clock } from '../../ports/clock.ts';
import { CallerSessions } from './caller-sessions.ts';
import type { PeerService } from './peer-service.ts';
import type { CallerOf } from './server-calls.ts';
import { guardSessions } from './session-guard.ts';

export type PeerServerOptions = {
  readonly socketPath: string;
  readonly identity: TlsIdentity;
  readonly service: Pick<PeerService, 'definition'> & { readonly handlers: Parameters<Server['addService']>[1] };
};

export type PeerServerDeps = { readonly api: Pick<PeerApi, 'classify' | 'session'>; readonly clock: Clock };

const OPTIONS: ServerOptions = {
  'grpc.max_concurrent_streams': HTTP2_STREAMS,
  'grpc-node.max_session_memory': HTTP2_SESSION_MIB,
  'grpc.max_receive_message_length': RPC_REQUEST_BYTES + 1024,
  'grpc.max_send_message_length': RPC_MESSAGE_BYTES,
  'grpc.keepalive_time_ms': DEADLINES_MS.keepalive,
  'grpc.keepalive_timeout_ms': DEADLINES_MS.keepaliveTimeout,
  'grpc.enable_channelz': 0,
};

/** Serves peers on the Unix socket behind the onion service until close(). */
export async function servePeers(options: PeerServerOptions, deps: PeerServerDeps): Promise<TlsServer> {
  const server = new Server(OPTIONS);
  server.addService(options.service.definition, options.service.handlers);
  const inner = innerServerOf(server);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const http2 = inner();
  guardSessions(http2, deps.clock);

  const sessions = new CallerSessions((caller) => deps.api.classify(caller), deps.clock);
  let injecting: OnionId | undefined;
  http2.on('session', (session) => {
    if (injecting === undefined) session.destroy();
    else follow(session, injecting, sessions, deps.api);
  });
  const inject = (socket: TLSSocket, pubkey: Buffer): void => {
    // grpc-js shows the certificate only of sockets that a certificate authority vouched for. Here the key itself does.
    socket.authorized = true;
    injecting = onionIdFromPubkey(pubkey);
    try {
      injector.injectConnection(socket);
    } finally {
      injecting = undefined;
    }
  };
  const tls = await listenTls(options.socketPath, options.identity, inject);
  return {
    close: async () => {
      await tls.close();
      injector.destroy();
      server.forceShutdown();
    },
  };
}

/** 32-byte onion key of the caller. */
export const callerOf: CallerOf = (call) => {
  const certificate = call.getAuthContext().sslPeerCertificate;
  return certificate === undefined ? undefined : ed25519KeyOfCertificate(certificate.raw);
};

function follow(
  session: ServerHttp2Session,
  caller: OnionId,
  sessions: CallerSessions,
  api: Pick<PeerApi, 'session'>,
): void {
  const over = sessions.began(caller, () => session.destroy());
  session.on('error', () => session.destroy());
  api.session(caller, true, '');
  session.once('close', () => {
    over();
    api.session(caller, false, '');
  });
}

/**
 * grpc-js does not show the HTTP/2 server it makes for an injector, and the limits must sit there. Its maker is wrapped on
 * this one object; the exact version is pinned and the transport test notices a change.
 */
function innerServerOf(server: Server): () => Http2Server {
  const maker = server as unknown as { createHttp2Server?: (credentials: ServerCredentials) => Http2Server };
  const make = maker.createHttp2Server;
  let made: Http2Server | undefined;
  maker.createHttp2Server = (credentials) => {
    made = make?.call(server, credentials);
    invariant(made, 'this version of grpc-js makes its HTTP/2 server in another way');
    return made;
  };
  return () => {
    invariant(made, 'this version of grpc-js makes its HTTP/2 server in another way');
    return made;
  };
}
