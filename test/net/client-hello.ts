// What a client of ours says first. Said again and again it costs the one who says it nothing, and a server a handshake.

import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { connect } from 'node:tls';
import { TLS_OPTIONS } from '../../src/net/tls-identity.ts';

export async function clientHello(): Promise<Buffer> {
  const [near, far] = duplexPair();
  const socket = connect({ ...TLS_OPTIONS, socket: near, servername: '' });
  socket.on('error', () => undefined);
  const [bytes] = (await once(far, 'data')) as [Buffer];
  socket.destroy();
  return bytes;
}
