// What a peer that speaks its own HTTP/2 can do to us before any message is looked at: nothing much.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { deflateSync } from 'node:zlib';
import {
  HTTP2_HEADER_BYTES,
  HTTP2_NEW_STREAMS_PER_SECOND,
  HTTP2_RESETS_PER_MINUTE,
  HTTP2_STREAMS,
  RPC_REQUEST_BYTES,
} from '../../src/core/limits.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { realClock } from '../net/real-clock.ts';
import { party, serveEcho, until, whoAmI } from './transport-fixture.ts';
import type { Rig } from './transport-fixture.ts';

const CALLER = party(2);

test('a session is told its limits and held to them', async () => {
  await using rig = await serveEcho();
  const session = await http2To(rig);
  const settings = session.remoteSettings;
  assert.equal(settings.maxConcurrentStreams, HTTP2_STREAMS);
  assert.equal(settings.maxHeaderListSize, HTTP2_HEADER_BYTES);
  session.destroy();
});

test('headers beyond the limit end the stream, headers below it do not', async () => {
  await using rig = await serveEcho();
  const session = await http2To(rig);
  const fits = await answerTo(call(session, { 'x-pad': 'p'.repeat(HTTP2_HEADER_BYTES - 700) }));
  assert.equal(fits.trailers['grpc-status'], '0');
  const large = call(session, { 'x-pad': 'p'.repeat(HTTP2_HEADER_BYTES) });
  await closed(large);
  assert.notEqual(large.rstCode, constants.NGHTTP2_NO_ERROR);
  session.destroy();
});

test('a compressed call is refused before it is read', async () => {
  await using rig = await serveEcho();
  const session = await http2To(rig);
  const bomb = deflateSync(Buffer.alloc(10_000_000));
  const reply = await answerTo(call(session, { 'grpc-encoding': 'deflate' }, bomb, 1));
  assert.equal(reply.headers['grpc-status'], '12');
  assert.equal((await answerTo(call(session, { 'grpc-encoding': 'identity' }))).trailers['grpc-status'], '0');
  session.destroy();
});

test('a message beyond the limit is refused', async () => {
  await using rig = await serveEcho();
  const session = await http2To(rig);
  const most = RPC_REQUEST_BYTES + 1024;
  assert.equal((await answerTo(call(session, {}, Buffer.alloc(most)))).trailers['grpc-status'], '0');
  const reply = await answerTo(call(session, {}, Buffer.alloc(most + 1)));
  assert.equal(reply.headers['grpc-status'] ?? reply.trailers['grpc-status'], '8');
  session.destroy();
});

test('a second worth of new streams passes at once, the rest is spaced', async () => {
  const waits: number[] = [];
  const clock = hastyClock(waits);
  await using rig = await serveEcho({ clock });
  const client = rig.client(CALLER);
  for (let made = 0; made < HTTP2_NEW_STREAMS_PER_SECOND; made++) await whoAmI(client);
  assert.deepEqual(waits, []);
  await whoAmI(client);
  await whoAmI(client);
  assert.deepEqual(waits, [1000 / HTTP2_NEW_STREAMS_PER_SECOND, 2000 / HTTP2_NEW_STREAMS_PER_SECOND]);
});

test('rapid resets end the session, and only that session', async () => {
  await using rig = await serveEcho({ clock: hastyClock([]) });
  const friend = rig.client(party(3));
  await whoAmI(friend);
  const session = await http2To(rig);
  let sent = 0;
  let code = 0;
  session.on('goaway', (given) => (code = given));
  const ended = new Promise<void>((resolve) => session.once('close', () => resolve()));
  for (; sent < HTTP2_RESETS_PER_MINUTE; sent++) await reset(session);
  assert.equal((await answerTo(call(session))).trailers['grpc-status'], '0');
  await reset(session);
  await ended;
  assert.equal(code, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  await until(() => rig.sessions.includes(`-${CALLER.onion}`));
  assert.equal(await whoAmI(friend), party(3).onion);
});

async function http2To(rig: Rig): Promise<ClientHttp2Session> {
  const socket = connectTls({
    path: rig.socketPath,
    ...CALLER.tls,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    servername: '',
  });
  await once(socket, 'secureConnect');
  const session = connectHttp2('https://peer', { createConnection: () => socket });
  session.on('error', () => undefined);
  await once(session, 'remoteSettings');
  return session;
}

function call(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  message: Buffer = Buffer.alloc(0),
  compressedFlag = 0,
): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/test/WhoAmI',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.on('error', () => undefined);
  const frame = Buffer.alloc(5);
  frame.writeUInt8(compressedFlag, 0);
  frame.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([frame, message]));
  return stream;
}

/** Response headers and trailers of a call that ends in order. */
async function answerTo(stream: ClientHttp2Stream): Promise<{ headers: Headers; trailers: Headers }> {
  let headers: Headers = {};
  let trailers: Headers = {};
  stream.on('response', (got) => (headers = got as Headers));
  stream.on('trailers', (got) => (trailers = got as Headers));
  stream.resume();
  await closed(stream);
  return { headers, trailers };
}

type Headers = Readonly<Record<string, string | undefined>>;

function closed(stream: ClientHttp2Stream): Promise<void> {
  return new Promise((resolve) => stream.once('close', () => resolve()));
}

/** Starts a download and resets it while it runs. */
async function reset(session: ClientHttp2Session): Promise<void> {
  const stream = call(session, { ':path': '/test/Pour' }, Buffer.from('00000fff', 'hex'));
  await once(stream, 'response');
  const over = closed(stream);
  stream.resume().close(constants.NGHTTP2_CANCEL);
  await over;
}

/** Stands still, and ends the waits of streams, which it notes, at once. */
function hastyClock(waits: number[]): Clock {
  return {
    ...realClock,
    monotonicMs: () => 1000,
    after: (ms, callback) => {
      if (ms > 10_000) return () => undefined;
      waits.push(ms);
      setImmediate(callback);
      return () => undefined;
    },
  };
}
