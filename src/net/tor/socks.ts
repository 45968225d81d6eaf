// The SOCKS5 handshake with tor (RFC 1928, RFC 1929; tor's socks-extensions for isolation and onion reply codes).
// The stream is isolated by its user name: tor gives each name circuits of its own (IsolateSOCKSAuth, its default).

import type { Socket } from 'node:net';
import { SocksClient } from 'socks';
import { BbError } from '../../core/errors.ts';
import type { OnionId } from '../../core/ids.ts';
import { ONION_PORT } from './onion-service.ts';

const USER_PASSWORD = 2;

/** Codes F0 to F7 are tor's own (ExtendedErrors). The text is for the log, the code names none of our peers. */
const REASONS: Readonly<Record<number, string>> = {
  0x01: 'tor could not open the stream',
  0x02: 'tor refused by its rules',
  0x03: 'the network is unreachable',
  0x04: 'the onion service cannot be reached',
  0x05: 'the onion service is not there',
  0x06: 'the circuit timed out',
  0xf0: 'the onion service is unknown to Tor or offline',
  0xf1: 'the onion service descriptor is invalid',
  0xf2: 'the onion service could not be introduced',
  0xf3: 'the onion service did not come to the rendezvous',
  0xf4: 'the onion service needs client authorisation',
  0xf5: 'the onion service refused the client authorisation',
  0xf6: 'the onion address is invalid',
  0xf7: 'the introduction timed out',
};

/**
 * Asks tor, over the connected `socket`, for a stream to the peer. PEER_UNREACHABLE when tor says no or says nothing
 * for `deadlineMs`; the socket is destroyed then. Afterwards it carries the peer's bytes only.
 */
export async function socksConnect(
  socket: Socket,
  peer: OnionId,
  isolation: string,
  deadlineMs: number,
): Promise<void> {
  const replyCode = watchReply(socket);
  try {
    await SocksClient.createConnection({
      // The address is not used: the connection exists. The library wants one.
      proxy: { host: 'localhost', port: 1, type: 5, userId: isolation, password: isolation },
      command: 'connect',
      destination: { host: `${peer}.onion`, port: ONION_PORT },
      existing_socket: socket,
      timeout: deadlineMs,
    });
  } catch (cause) {
    socket.destroy();
    const code = replyCode();
    const reason = code === undefined ? 'tor did not answer in time' : REASONS[code];
    throw new BbError('PEER_UNREACHABLE', reason ?? 'tor gave an unknown reason', { cause });
  }
}

/** The library does not know tor's own codes, so the code is read beside it: method, [login reply], then the reply. */
function watchReply(socket: Socket): () => number | undefined {
  let seen = Buffer.alloc(0);
  const look = (bytes: Buffer): void => {
    seen = Buffer.concat([seen, bytes]).subarray(0, 6);
    if (seen.length === 6) socket.off('data', look);
  };
  socket.on('data', look);
  return () => seen[seen[1] === USER_PASSWORD ? 5 : 3];
}
