// The calling end: TLS over a stream that Tor opened. The peer's key must be the key of the onion id that was dialled.

import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { BbError } from '../core/errors.ts';
import { pubkeyFromOnionId } from '../core/ids.ts';
import type { OnionId } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';
import { keyExchangeGroup, peerPubkey, TLS_OPTIONS } from './tls-identity.ts';
import type { TlsIdentity } from './tls-identity.ts';

export type SecureStream = { readonly socket: TLSSocket; readonly group: string };

/** PEER_UNREACHABLE when the handshake fails or takes `deadlineMs`, BAD_PEER_DATA for another key than dialled. */
export async function secureStream(
  raw: Socket,
  identity: TlsIdentity,
  peer: OnionId,
  clock: Clock,
  deadlineMs: number,
): Promise<SecureStream> {
  // No server name: the stream inside Tor is addressed by its onion, and the certificate has no names.
  const socket = connect({ ...TLS_OPTIONS, socket: raw, cert: identity.cert, key: identity.key, servername: '' });
  const stopTimer = clock.after(deadlineMs, () => socket.destroy(new Error('the handshake took too long')));
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.on('error', reject);
      socket.once('close', () => reject(new Error('the stream ended during the handshake')));
    });
  } catch (cause) {
    socket.destroy();
    throw new BbError('PEER_UNREACHABLE', 'no secure connection to the peer', { cause });
  } finally {
    stopTimer();
  }
  if (socket.alpnProtocol !== 'h2' || !peerPubkey(socket)?.equals(pubkeyFromOnionId(peer))) {
    socket.destroy();
    throw new BbError('BAD_PEER_DATA', 'what answered does not have the key of the onion id');
  }
  return { socket, group: keyExchangeGroup(socket) };
}
