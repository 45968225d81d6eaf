// Streams, deadlines and sessions of our client against our server: back-pressure, bounds, and what happens when one side is gone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBbError } from '../../src/core/errors.ts';
import { CELL_BYTES, DOWNLOADS_PER_PEER } from '../../src/core/limits.ts';
import { DEADLINES_MS } from '../../src/core/policy/periods.ts';
import { PeerRefusal } from '../../src/core/refusal.ts';
import type { PeerApi } from '../../src/daemon/peer-api.ts';
import type { DownloadRequest, DownloadSection, PeerConnection } from '../../src/ports/peer-client.ts';
import { CALLER, collect, PEER, serve } from './rpc-peer-fixture.ts';

const ID = Buffer.alloc(64, 7);
const ROOT = Buffer.alloc(32, 8);
const ASK: DownloadRequest = {
  contentId: ID,
  offset: 0,
  length: 0,
  referenceContentId: Buffer.alloc(0),
  repair: false,
  leaves: false,
};

const HALF = Buffer.alloc(65_536, 1);

test('a download brings its sections in order and the places of a caller are bounded', async () => {
  const sections: DownloadSection[] = [
    { kind: 'head', totalBytes: 2 * CELL_BYTES, root: ROOT },
    { kind: 'reference', offsetBytes: 5 * CELL_BYTES, lengthBytes: CELL_BYTES },
    { kind: 'raw', bytes: HALF },
    { kind: 'raw', bytes: HALF },
  ];
  const hang = new Promise<void>(() => undefined);
  let open = 0;
  const download: PeerApi['download'] = async function* (_caller, request, signal) {
    if (request.repair) {
      open += 1;
      yield { kind: 'head', totalBytes: CELL_BYTES, root: ROOT };
      await Promise.race([hang, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
      open -= 1;
      return;
    }
    yield* sections;
  };
  await using rig = await serve({ download });
  const request = { ...ASK, referenceContentId: ID };
  assert.deepEqual(await collect(rig.client.download(PEER, request, 2)), sections);
  assert.deepEqual(rig.opened, [2]);

  const abort = new AbortController();
  const streams = Array.from({ length: DOWNLOADS_PER_PEER }, (_, lane) =>
    rig.client
      .download(PEER, { ...ASK, repair: true }, 1 + (lane % 4), { signal: abort.signal })
      [Symbol.asyncIterator](),
  );
  await Promise.all(streams.map((stream) => stream.next()));
  assert.equal(open, DOWNLOADS_PER_PEER);
  await assert.rejects(
    collect(rig.client.download(PEER, ASK, 1)),
    (error: unknown) => error instanceof PeerRefusal && error.refusal === 'RATE_LIMITED',
  );
  abort.abort();
  for (const stream of streams)
    await assert.rejects(stream.next(), (error: unknown) => isBbError(error, 'INTERRUPTED'));
});

test('a reader that takes nothing stops the source, and leaving the loop ends it', async () => {
  let produced = 0;
  let ended: (() => void) | undefined;
  const over = new Promise<void>((resolve) => (ended = resolve));
  await using rig = await serve({
    download: async function* (_caller, _request, signal) {
      try {
        yield { kind: 'head', totalBytes: 4096 * CELL_BYTES, root: ROOT };
        while (!signal.aborted && produced < 8192) {
          produced += 1;
          yield { kind: 'raw', bytes: HALF };
        }
      } finally {
        ended?.();
      }
    },
  });
  let taken = 0;
  for await (const section of rig.client.download(PEER, ASK, 1)) {
    if (section.kind === 'raw' && ++taken === 3) break;
  }
  await over;
  assert.ok(produced < 512, `the source ran ${produced} sections ahead`);
});

test('a silent download ends as PEER_UNREACHABLE after its idle time', async () => {
  const hang = new Promise<void>(() => undefined);
  await using rig = await serve({
    download: async function* () {
      yield { kind: 'head', totalBytes: CELL_BYTES, root: ROOT };
      await hang;
    },
  });
  const stream = rig.client.download(PEER, ASK, 1)[Symbol.asyncIterator]();
  await stream.next();
  const next = stream.next();
  rig.clock.advance(DEADLINES_MS.downloadIdle);
  await assert.rejects(next, (error: unknown) => isBbError(error, 'PEER_UNREACHABLE'));
});

test('a call that is not answered ends at its deadline, a call given up ends at once', async () => {
  const asked: (() => void)[] = [];
  await using rig = await serve({
    healthCheck: () => {
      asked.shift()?.();
      return new Promise(() => undefined);
    },
  });
  const reached = (): Promise<void> => new Promise((resolve) => asked.push(resolve));
  let arrived = reached();
  const late = rig.client.healthCheck(PEER);
  await arrived;
  rig.clock.advance(DEADLINES_MS.call);
  await assert.rejects(late, (error: unknown) => isBbError(error, 'PEER_UNREACHABLE'));

  arrived = reached();
  const abort = new AbortController();
  const dropped = rig.client.healthCheck(PEER, { signal: abort.signal });
  await arrived;
  abort.abort();
  await assert.rejects(dropped, (error: unknown) => isBbError(error, 'INTERRUPTED'));
});

test('the control session tells when it is up, with its group, and when it is gone', async () => {
  const hello = { clientOnion: CALLER, serverOnion: PEER, protocolMin: 1, protocolMax: 1, instance: Buffer.alloc(0) };
  await using rig = await serve({ healthCheck: () => Promise.resolve(hello) });
  const events: PeerConnection[] = [];
  let wake: (() => void) | undefined;
  rig.client.onConnection((event) => {
    events.push(event);
    wake?.();
  });
  assert.equal(rig.client.isConnected(PEER), false);
  await rig.client.healthCheck(PEER);
  await rig.client.healthCheck(PEER);
  assert.equal(rig.client.isConnected(PEER), true);
  const gone = new Promise<void>((resolve) => (wake = resolve));
  rig.server.forceShutdown();
  await gone;
  assert.equal(rig.client.isConnected(PEER), false);
  assert.deepEqual(events, [
    { peer: PEER, up: true, group: 'X25519MLKEM768' },
    { peer: PEER, up: false, group: '' },
  ]);
  await assert.rejects(rig.client.healthCheck(PEER), (error: unknown) => isBbError(error, 'PEER_UNREACHABLE'));
  assert.deepEqual(rig.opened, [0, 0, 0]);
});

test('bulk lanes close when idle and the control channel stays; forget closes all', async () => {
  const hello = { clientOnion: CALLER, serverOnion: PEER, protocolMin: 1, protocolMax: 1, instance: Buffer.alloc(0) };
  await using rig = await serve({
    healthCheck: () => Promise.resolve(hello),
    download: async function* () {
      yield { kind: 'head', totalBytes: 0, root: ROOT };
    },
  });
  const both = async (): Promise<void> => {
    await rig.client.healthCheck(PEER);
    await collect(rig.client.download(PEER, ASK, 1));
  };
  await both();
  rig.clock.advance(DEADLINES_MS.laneIdle - 1);
  await both();
  assert.deepEqual(rig.opened, [0, 1]);
  rig.clock.advance(DEADLINES_MS.laneIdle);
  await both();
  assert.deepEqual(rig.opened, [0, 1, 1]);
  rig.client.forget(PEER);
  await both();
  assert.deepEqual(rig.opened, [0, 1, 1, 0, 1]);
});
