// What a caller can do before it says anything of storage: TLS, HTTP/2, messages, and sessions that it only holds.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { UNKNOWN_SESSIONS } from '../../src/core/limits.ts';
import { PEER_METHODS } from '../../src/rpc/peer/methods.ts';
import type { DaemonNode } from '../contract/daemon-node.ts';
import { DaemonWorld } from '../contract/daemon-world.ts';
import { party } from '../contract/transport-fixture.ts';
import { floodSession, HTTP2_FLOODS } from '../faults/http2-floods.ts';
import type { Adversary, Ending } from './adversary.ts';
import { MIB, proved } from './stage.ts';

async function victimOf(context: TestContext): Promise<DaemonNode> {
  const [victim] = await DaemonWorld.ready(context, 'victim');
  return victim ?? assert.fail();
}

async function tlsTo(node: DaemonNode, options: ConnectionOptions): Promise<TLSSocket> {
  const base = { path: node.socketPath, rejectUnauthorized: false, ALPNProtocols: ['h2'], servername: '' };
  const socket = connect({ ...base, ...options });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

/** The server speaks HTTP/2 first; to whom it does, that caller is in. */
async function entrance(node: DaemonNode, options: ConnectionOptions): Promise<string> {
  const socket = await tlsTo(node, options).catch(() => undefined);
  if (socket === undefined) return 'closed';
  const word = await new Promise<string>((resolve) => {
    socket.once('data', () => resolve('in'));
    socket.once('close', () => resolve('closed'));
  });
  socket.destroy();
  return word;
}

/** A certificate that is fine by X.509 and still no identity. */
function certificateOf(dir: string, newkey: readonly string[]): ConnectionOptions {
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const args = ['req', '-x509', '-nodes', '-days', '2', '-subj', '/CN=x', '-keyout', key, '-out', cert, '-newkey'];
  assert.equal(spawnSync('openssl', [...args, ...newkey]).status, 0);
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

async function badCertificates(context: TestContext): Promise<Ending> {
  const [victim, friend, liar] = await DaemonWorld.ready(context, 'victim', 'friend', 'liar');
  assert(victim && friend && liar);
  const { world } = victim;
  const none = await entrance(victim, {});
  const rsa = await entrance(victim, certificateOf(world.dir, ['rsa:2048']));
  const honest = await entrance(victim, party(9).tls);
  // The stream to the friend's onion ends at a node with another key.
  world.published.set(friend.id, liar);
  const impostor = await victim.session.client.healthCheck(friend.id, { deadlineMs: 5000 }).then(
    () => 'reached',
    () => 'refused',
  );
  return { none, rsa, honest, impostor };
}

const FLOODS = ['rapid reset', 'CONTINUATION', 'requests that are never finished'];
const FLOOD_MS = 20_000;
const BRIEF_MS = 3000;

/** Writes until the session ends. The pings come last: nothing but our own count ends them. */
async function floods(context: TestContext): Promise<Ending> {
  const victim = await victimOf(context);
  const ended: string[] = [];
  for (const name of [...FLOODS, 'PING']) {
    const flood = HTTP2_FLOODS.find((one) => one.name === name) ?? assert.fail(name);
    const socket = await tlsTo(victim, party(9).tls);
    await floodSession(socket, flood, name === 'PING' ? BRIEF_MS : FLOOD_MS).then(
      () => ended.push(name),
      () => undefined,
    );
  }
  return { ended: ended.join(), answers: (await entrance(victim, party(8).tls)) === 'in' };
}

/** gRPC status of a call with these bytes as its message. */
async function statusOf(node: DaemonNode, message: Buffer, headers: IncomingHttpHeaders = {}): Promise<string> {
  const socket = await tlsTo(node, party(9).tls);
  const session = connectHttp2('https://peer', { createConnection: () => socket });
  session.on('error', () => undefined);
  const stream = session.request({
    ':method': 'POST',
    ':path': PEER_METHODS.healthCheck.path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  let status = '';
  const note = (given: IncomingHttpHeaders) => (status = String(given['grpc-status'] ?? status));
  stream
    .on('response', note)
    .on('trailers', note)
    .on('error', () => undefined);
  const frame = Buffer.alloc(5);
  frame.writeUInt8(headers['grpc-encoding'] === undefined ? 0 : 1, 0);
  frame.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([frame, message]));
  stream.resume();
  await once(stream, 'close');
  session.destroy();
  return status;
}

/** Field 1000 that no message has, filled with bytes. */
function unknownField(length: number): Buffer {
  const size = Buffer.from([(length & 127) | 128, ((length >> 7) & 127) | 128, length >> 14]);
  return Buffer.concat([Buffer.from([0xc2, 0x3e]), size, Buffer.alloc(length)]);
}

async function badMessages(context: TestContext): Promise<Ending> {
  const victim = await victimOf(context);
  return {
    oversized: await statusOf(victim, unknownField(100_000)),
    compressed: await statusOf(victim, gzipSync(Buffer.alloc(0)), { 'grpc-encoding': 'gzip' }),
    trailing: await statusOf(victim, Buffer.alloc(3000, 0x0b)),
  };
}

/** As many strangers as there is room for sit on sessions when the only storer calls in. */
async function idlesInRecovery(context: TestContext): Promise<Ending> {
  const { owner, storers, world } = await proved(context, MIB, 'storer');
  const [storer = assert.fail()] = storers;
  await owner.wipe();
  world.cut(owner, storer);
  await owner.init('recover');
  const idle: TLSSocket[] = [];
  for (let number = 0; number < UNKNOWN_SESSIONS; number += 1) {
    const socket = await tlsTo(owner, party(100 + number).tls);
    await once(socket, 'data');
    idle.push(socket.resume());
  }
  world.mend(owner, storer);
  const held = storer.holdsFor(owner)?.contentId ?? assert.fail();
  const heard = await storer.session.client.getContentRevision(owner.id, held, { deadlineMs: 5000 }).then(
    () => true,
    () => false,
  );
  if (heard) await world.until('recovered', () => owner.said('recovery-complete').length > 0);
  for (const socket of idle) socket.destroy();
  return { heard, recovered: owner.said('recovery-complete').length > 0 };
}

export const PEERS: readonly Adversary[] = [
  {
    number: 28,
    name: 'TLS without certificate, with RSA, or with another key',
    does: 'calls without an identity, and answers at an onion that is not its own',
    play: badCertificates,
    expected: { none: 'closed', rsa: 'closed', honest: 'in', impostor: 'refused' },
    defence: 'the key of the certificate is the onion key, on both sides',
    without: [
      {
        file: 'net/tls-identity.ts',
        find: 'return pubkey !== undefined && isAcceptablePubkey(pubkey) ? pubkey : undefined;',
        put: 'return pubkey !== undefined && isAcceptablePubkey(pubkey) ? pubkey : Buffer.alloc(32, 7);',
      },
      { file: 'net/tls-identity.ts', find: "  sigalgs: 'ed25519',\n", put: '' },
      {
        file: 'net/tls-client.ts',
        find: '!peerPubkey(socket)?.equals(pubkeyFromOnionId(peer))',
        put: 'peer.length === 0',
      },
    ],
    succeeds: { none: 'in', rsa: 'in', honest: 'in', impostor: 'reached' },
  },
  {
    number: 29,
    name: 'floods of HTTP/2',
    does: 'rapid resets, CONTINUATION, requests without end, pings; more of them in test/faults/floods-http2.test.ts',
    play: floods,
    expected: { ended: [...FLOODS, 'PING'].join(), answers: true },
    defence: 'a session may reset and ping so often in a minute, then it ends',
    without: [{ file: 'rpc/peer/session-guard.ts', find: "session.on('ping', () => this.#countNuisance());", put: '' }],
    succeeds: { ended: FLOODS.join(), answers: true },
  },
  {
    number: 30,
    name: 'oversized, compressed or trailing messages',
    does: 'sends 100 KB where 64 are allowed, a message said to be compressed, a message of groups',
    play: badMessages,
    expected: { oversized: '8', compressed: '12', trailing: '3' },
    defence: 'size, encoding and shape are judged before a message is decoded',
    without: [
      { file: 'rpc/peer/injecting-server.ts', find: 'RPC_REQUEST_BYTES + 1024', put: '2 ** 24' },
      { file: 'rpc/message-codec.ts', find: 'if (bytes.length > parts.maxBytes)', put: 'if (bytes.length < 0)' },
      {
        file: 'rpc/peer/session-guard.ts',
        find: "if (encoding !== undefined && encoding !== 'identity')",
        put: "if (encoding === 'none')",
      },
      { file: 'rpc/message-codec.ts', find: 'scanMessage(bytes, parts.shape);', put: '' },
    ],
    succeeds: { oversized: '0', compressed: '0', trailing: '3' },
  },
  {
    number: 35,
    name: '32 idle strangers during a recovery',
    does: 'takes every place for strangers when the only storer of a dead disk calls in',
    play: idlesInRecovery,
    expected: { heard: true, recovered: true },
    defence: 'strangers push each other out: the newest comes in, and by an id that opens it is none any more',
    without: [
      {
        file: 'rpc/peer/caller-sessions.ts',
        find: 'meant.slice(0, Math.max(0, meant.length - count))',
        put: 'meant.slice(count)',
      },
    ],
    succeeds: { heard: false, recovered: false },
  },
];
