// What tor says: lines and events of its control port, and the SOCKS handshake. Tor is ours, but whatever listens on that
// socket is believed only as far as the grammar goes.

import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { onionIdFromPubkey } from '../../../src/core/ids.ts';
import { isBbError } from '../../../src/core/errors.ts';
import { readBootstrap } from '../../../src/net/tor/bootstrap.ts';
import { authenticate } from '../../../src/net/tor/control-auth.ts';
import { ControlReader, keywordArguments, malformed } from '../../../src/net/tor/control-lines.ts';
import { DescriptorUploads } from '../../../src/net/tor/descriptor-uploads.ts';
import { socksConnect } from '../../../src/net/tor/socks.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { mutateText } from '../mutate-text.ts';
import { sound } from '../target.ts';
import type { Target } from '../target.ts';

const ONION = onionIdFromPubkey(Buffer.alloc(32, 1));
/** Never reached: the canned tor always hangs up. The library keeps a timer for so long. */
const DEADLINE_MS = 100;
const lines = (...texts: string[]): Buffer => Buffer.from(texts.map((text) => `${text}\r\n`).join(''));
const NULL_AUTH = lines(
  '250-PROTOCOLINFO 1',
  '250-AUTH METHODS=NULL,HASHEDPASSWORD',
  '250-VERSION Tor="0.4.8.1"',
  '250 OK',
  '250 OK',
);

/** Answers like tor, with bytes prepared before. */
class CannedSocket extends Duplex {
  constructor() {
    super({ autoDestroy: true });
  }

  override _read(): void {}

  override _write(_bytes: Buffer, _encoding: string, done: () => void): void {
    done();
  }

  connect(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Tor answers one step at a time: the method, the login if one was asked for, the stream. Then it hangs up. */
async function shakeHands(input: Buffer): Promise<string> {
  const socket = new CannedSocket();
  const done = socksConnect(socket as unknown as Socket, ONION, 'circuit', DEADLINE_MS);
  done.catch(() => undefined);
  const login = input[1] === 2 ? 4 : 2;
  for (const part of [input.subarray(0, 2), input.subarray(2, login), input.subarray(login)]) {
    if (!socket.destroyed && part.length > 0) socket.emit('data', part);
    await turn();
  }
  socket.emit('close', false);
  try {
    await done;
    return 'connected';
  } finally {
    socket.destroy();
  }
}

export const NET_TARGETS: readonly Target[] = [
  {
    name: 'tor control replies',
    mutate: mutateText,
    seeds: () => [
      NULL_AUTH,
      lines('250+onions/current=', 'abc', '..def', '.', '250 OK'),
      lines('650 STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=85 TAG=ap_conn SUMMARY="Connecting \\303\\244 \\"x\\""'),
      lines(
        `650 HS_DESC UPLOAD ${ONION} UNKNOWN $ABC desc HSDIR_INDEX=1`,
        `650 HS_DESC UPLOADED ${ONION} UNKNOWN $ABC`,
      ),
    ],
    read: (input) => {
      const reader = new ControlReader();
      const uploads = new DescriptorUploads(ONION);
      const middle = input.length >> 1;
      for (const part of [input.subarray(0, middle), input.subarray(middle)]) {
        for (const reply of reader.feed(part)) {
          sound(reply.status >= 100 && reply.status <= 699, 'a status has three digits');
          for (const { text, data } of reply.lines) {
            keywordArguments(text);
            keywordArguments(data.join('\n'));
            const bootstrap = readBootstrap(text);
            sound(
              bootstrap === undefined || (bootstrap.percent >= 0 && bootstrap.percent <= 100),
              'percent are percent',
            );
            uploads.take(text);
          }
        }
      }
      return uploads.complete;
    },
    refusals: ['TOR_UNREACHABLE'],
  },
  {
    name: 'tor control greeting',
    mutate: mutateText,
    seeds: () => [NULL_AUTH],
    read: (input) => {
      const replies = new ControlReader().feed(input);
      return authenticate((line) => {
        const reply = replies.shift();
        sound(!/[\r\n\0]/.test(line), 'a command is one line');
        return reply === undefined ? Promise.reject(malformed('it ends')) : Promise.resolve(reply);
      });
    },
    refusals: ['TOR_UNREACHABLE'],
  },
  {
    name: 'socks replies',
    mutate: mutateBytes,
    seeds: () => [
      Buffer.from([5, 2, 1, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
      Buffer.from([5, 0, 5, 0, 0, 1, 127, 0, 0, 1, 0, 80]),
      Buffer.concat([Buffer.from([5, 2, 1, 0, 5, 0, 0, 3, 5]), Buffer.from('a.bcd'), Buffer.from([1, 187])]),
    ],
    read: (input) =>
      shakeHands(input).catch((error: unknown) => {
        if (isBbError(error)) sound(!error.message.includes(ONION), 'an error names no peer');
        throw error;
      }),
    refusals: ['PEER_UNREACHABLE'],
  },
];
