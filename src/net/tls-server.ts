// The answering end: TLS on the Unix socket behind our onion service. No byte above TLS is read before the caller's key
// is known, and no handshake begins but through the gate (handshake-gate.ts), which bounds how many and how fast.

import { chmod, rm } from 'node:fs/promises';
import { createServer as createRawServer } from 'node:net';
import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { BbError } from '../core/errors.ts';
import { DEADLINES_MS } from '../core/policy/periods.ts';
import { handshakeGate } from './handshake-gate.ts';
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
  const open = new Set<Socket>();
  const server = createServer({
    ...TLS_OPTIONS,
    cert: identity.cert,
    key: identity.key,
    requestCert: true,
    handshakeTimeout: DEADLINES_MS.handshake,
  });
  const gate = handshakeGate((raw) => server.emit('connection', raw));
  const listener = createRawServer((raw) => {
    open.add(raw);
    raw.once('close', () => open.delete(raw));
    gate.arrived(raw);
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('secureConnection', (socket) => {
    gate.passed(rawSocketOf(socket));
    socket.on('error', () => socket.destroy());
    const pubkey = socket.alpnProtocol === 'h2' ? peerPubkey(socket) : undefined;
    if (pubkey === undefined) socket.destroy();
    else onCaller(socket, pubkey);
  });

  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', (cause) =>
      reject(new BbError('UNUSABLE_ENVIRONMENT', 'the socket behind the onion service cannot be made', { cause })),
    );
    listener.listen(path, resolve);
  });
  await chmod(path, 0o600);
  return {
    close: async () => {
      gate.close();
      const closed = new Promise((resolve) => listener.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** The accepted socket under a TLS one. Node keeps it in a field without a public name; the transport test notices. */
function rawSocketOf(socket: TLSSocket): Socket {
  return (socket as unknown as { _parent: Socket })._parent;
}
