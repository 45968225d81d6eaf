// Who may connect to whom: both ends of a connection are authenticated by their onion keys, or there is none. The same code
// runs over Tor; here a loopback stands in for it. Also the canary for the two names of grpc-js and Node that we lean on.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as plainConnect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { spawnSync } from 'node:child_process';
import {
  HALF_OPEN_HANDSHAKES,
  HANDSHAKES_PER_SECOND,
  SESSIONS_PER_PEER,
  SILENT_CONNECTIONS,
  UNKNOWN_SESSIONS,
} from '../../src/core/limits.ts';
import { DEADLINES_MS } from '../../src/core/policy/periods.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { clientHello } from '../net/client-hello.ts';
import { realClock } from '../net/real-clock.ts';
import { party, pour, SERVER, serveEcho, until, whoAmI } from './transport-fixture.ts';
import type { Rig } from './transport-fixture.ts';

const CALLER = party(2);

test('the server sees the caller by its key, the group is post-quantum, bytes flow', async () => {
  await using rig = await serveEcho();
  const groups: string[] = [];
  const client = rig.client(CALLER, groups);
  assert.equal(await whoAmI(client), CALLER.onion);
  assert.deepEqual(groups, ['X25519MLKEM768']);
  assert.equal(await pour(client, 64), 64 * 65_536);
  assert.deepEqual(rig.sessions, [`+${CALLER.onion}`]);
  client.close();
  await until(() => rig.sessions.length === 2);
  assert.equal(rig.sessions[1], `-${CALLER.onion}`);
});

test('two callers on one server are told apart, each on an isolation of its own', async () => {
  await using rig = await serveEcho();
  const other = party(3);
  const clients = [rig.client(CALLER), rig.client(other), rig.client(CALLER)] as const;
  assert.deepEqual(await Promise.all(clients.map((client) => whoAmI(client))), [
    CALLER.onion,
    other.onion,
    CALLER.onion,
  ]);
  assert.equal(new Set(rig.route.isolations).size, 3);
});

test('a server with another key than the dialled onion is refused, and learns no call', async () => {
  await using rig = await serveEcho({ tls: party(9).tls });
  await assert.rejects(whoAmI(rig.client(CALLER)), /does not have the key of the onion id/);
});

test('a caller without a certificate is destroyed before HTTP/2', async () => {
  await using rig = await serveEcho();
  const socket = await tlsTo(rig, {});
  await closed(socket);
  assert.deepEqual(rig.sessions, []);
});

test('a caller with an RSA or P-256 certificate is destroyed before HTTP/2', async () => {
  await using rig = await serveEcho();
  for (const args of [['rsa:2048'], ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']]) {
    const socket = await tlsTo(rig, opensslIdentity(rig.dir, args)).catch(() => undefined);
    if (socket !== undefined) await closed(socket);
  }
  assert.deepEqual(rig.sessions, []);
});

test('a caller that does not speak HTTP/2 is destroyed', async () => {
  await using rig = await serveEcho();
  const socket = connect({
    path: rig.socketPath,
    ...CALLER.tls,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  });
  socket.on('error', () => undefined);
  await closed(socket);
  assert.deepEqual(rig.sessions, []);
});

test('a session ticket buys nothing: the handshake is full and shows the real certificate', async () => {
  await using rig = await serveEcho();
  const first = await tlsTo(rig, CALLER.tls);
  const [ticket] = (await once(first, 'session')) as [Buffer];
  first.destroy();
  const other = party(4);
  const second = await tlsTo(rig, { ...other.tls, session: ticket });
  assert.equal(second.isSessionReused(), false);
  await until(() => rig.sessions.includes(`+${other.onion}`));
  second.destroy();
});

test('TLS 1.2 is not spoken', async () => {
  await using rig = await serveEcho();
  await assert.rejects(tlsTo(rig, { ...CALLER.tls, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }));
});

test('connections that say nothing are bounded: the oldest makes room, an established session stays', async () => {
  await using rig = await serveEcho();
  const client = rig.client(CALLER);
  await whoAmI(client);
  const idle: Socket[] = [];
  while (idle.length < SILENT_CONNECTIONS) idle.push(await connection(rig));
  const other = party(5);
  assert.equal(await whoAmI(rig.client(other)), other.onion);
  await until(() => idle[0]?.destroyed === true);
  assert.equal(idle.filter((socket) => socket.destroyed).length, 1);
  assert.equal(await whoAmI(client), CALLER.onion);
  for (const socket of idle) socket.destroy();
  assert.equal(rig.sessions.filter((line) => line.startsWith('-')).length, 0);
});

test('half-open handshakes are bounded and paced: the oldest makes room, a caller that goes on gets in', async () => {
  await using rig = await serveEcho();
  const hello = await clientHello();
  const halfOpen: Socket[] = [];
  const startedMs = performance.now();
  while (halfOpen.length <= HALF_OPEN_HANDSHAKES) {
    const socket = await connection(rig);
    halfOpen.push(socket);
    socket.write(hello);
    await once(socket, 'data');
  }
  await until(() => halfOpen[0]?.destroyed === true);
  assert.equal(halfOpen.filter((socket) => socket.destroyed).length, 1);
  const atOnce = HANDSHAKES_PER_SECOND;
  const leastMs = ((HALF_OPEN_HANDSHAKES - atOnce) / HANDSHAKES_PER_SECOND) * 1000;
  assert.ok(performance.now() - startedMs >= leastMs, 'so many handshakes at once cost our peers their turn');
  assert.equal(await whoAmI(rig.client(CALLER)), CALLER.onion);
  for (const socket of halfOpen) socket.destroy();
});

/** A raw connection that is read and says nothing. The server takes one in a turn of its loop, and until then refuses. */
async function connection(rig: Rig): Promise<Socket> {
  for (;;) {
    const socket = plainConnect(rig.socketPath);
    const isConnected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.on('error', () => resolve(false));
    });
    if (isConnected) return socket.resume();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('strangers have one session each and push only each other out', async () => {
  const friend = party(6);
  await using rig = await serveEcho({ classify: (caller) => (caller === friend.onion ? 'known' : 'unknown') });
  const kept = rig.client(friend);
  await whoAmI(kept);
  const strangers = Array.from({ length: UNKNOWN_SESSIONS + 1 }, (_, index) => party(100 + index));
  for (const stranger of strangers) await whoAmI(rig.client(stranger));
  await until(() => rig.sessions.includes(`-${strangers[0]?.onion}`));
  assert.equal(rig.sessions.filter((line) => line.startsWith('-')).length, 1);

  const last = strangers.at(-1) ?? friend;
  await whoAmI(rig.client(last));
  await until(() => rig.sessions.includes(`-${last.onion}`));
  assert.equal(rig.sessions.filter((line) => line.startsWith('-')).length, 2);
  assert.equal(await whoAmI(kept), friend.onion);
});

test('a peer has room for its lanes and no more', async () => {
  await using rig = await serveEcho();
  for (let session = 0; session < SESSIONS_PER_PEER; session++) await whoAmI(rig.client(CALLER));
  assert.equal(rig.sessions.length, SESSIONS_PER_PEER);
  await whoAmI(rig.client(CALLER));
  await until(() => rig.sessions.length === SESSIONS_PER_PEER + 2);
  assert.equal(rig.sessions.at(-1), `-${CALLER.onion}`);
});

test('a stranger is cut after a minute, unless it became known meanwhile', async () => {
  const timers: (() => void)[] = [];
  const clock: Clock = {
    ...realClock,
    after: (ms, callback) => {
      if (ms === DEADLINES_MS.unknownSession) timers.push(callback);
      return () => undefined;
    },
  };
  const known = new Set([SERVER.onion]);
  await using rig = await serveEcho({ clock, classify: (caller) => (known.has(caller) ? 'known' : 'unknown') });
  const friend = party(7);
  await whoAmI(rig.client(CALLER));
  await whoAmI(rig.client(friend));
  known.add(friend.onion);
  for (const fire of timers) fire();
  await until(() => rig.sessions.includes(`-${CALLER.onion}`));
  assert.ok(!rig.sessions.includes(`-${friend.onion}`));
});

/** A TLS connection to the server without our own client code. */
async function tlsTo(rig: Rig, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({
    path: rig.socketPath,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    servername: '',
    ...options,
  });
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  socket.on('error', () => undefined).resume();
  return socket;
}

/** A certificate that is fine by X.509 and still no identity of ours. */
function opensslIdentity(dir: string, newkey: readonly string[]): { cert: string; key: string } {
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const base = ['req', '-x509', '-nodes', '-days', '2', '-subj', '/CN=x', '-keyout', key, '-out', cert, '-newkey'];
  const made = spawnSync('openssl', [...base, ...newkey], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

function closed(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
