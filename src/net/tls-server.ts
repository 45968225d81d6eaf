// The answering end: TLS on the Unix socket behind our onion service. No byte above TLS is read before the caller's key
// is known. Invariant: at most HALF_OPEN_HANDSHAKES strangers are in a handshake; the oldest makes room for the newest.

import { chmod, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { BbError } from '../core/errors.ts';
import { HALF_OPEN_HANDSHAKES } from '../core/limits.ts';
import { DEADLINES_MS } from '../core/policy/periods.ts';
import { peerPubkey, TLS_OPTIONS } from './tls-identity.ts';
import type { TlsIdentity } from './tls-identity.ts';

export type TlsServer = { close(): Promise<void> };

/**
 * Listens on the Unix socket `path` (an old file there is removed). `onCaller` gets each connection whose certificate key
 * may be an identity, with that 32-byte key; all others are destroyed. UNUSABLE_ENVIRONMENT when it cannot listen.
 */
export async function listenTls(
  path: string,
  identity: TlsIdentity,
  onCaller: (socket: TLSSocket, pubkey: Buffer) => void,
): Promise<TlsServer> {
  const halfOpen = new Set<Socket>();
  const open = new Set<Socket>();
  const server = createServer({
    ...TLS_OPTIONS,
    cert: identity.cert,
    key: identity.key,
    requestCert: true,
    handshakeTimeout: DEADLINES_MS.handshake,
  });
  server.on('connection', (raw: Socket) => {
    halfOpen.add(raw);
    open.add(raw);
    raw.once('close', () => {
      halfOpen.delete(raw);
      open.delete(raw);
    });
    const [oldest] = halfOpen;
    if (halfOpen.size > HALF_OPEN_HANDSHAKES) oldest?.destroy();
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('secureConnection', (socket) => {
    halfOpen.delete(rawSocketOf(socket));
    socket.on('error', () => socket.destroy());
    const pubkey = socket.alpnProtocol === 'h2' ? peerPubkey(socket) : undefined;
    if (pubkey === undefined) socket.destroy();
    else onCaller(socket, pubkey);
  });

  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new BbError('UNUSABLE_ENVIRONMENT', 'the socket behind the onion service cannot be made', { cause })),
    );
    server.listen(path, resolve);
  });
  await chmod(path, 0o600);
  return {
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** The accepted socket under a TLS one. Node keeps it in a field without a public name; the transport test notices. */
function rawSocketOf(socket: TLSSocket): Socket {
  return (socket as unknown as { _parent: Socket })._parent;
}
