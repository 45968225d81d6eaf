// Floods of connections, against a real bbd on the socket that tor would use: its memory stays bounded, the calls of a
// contract peer on its warm channel go on, and whoever matters gets in. The full minute is `make scorecard`.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { HALF_OPEN_HANDSHAKES, HANDSHAKES_PER_SECOND, UNKNOWN_SESSIONS } from '../../src/core/limits.ts';
import type { GrpcPeerClient } from '../../src/rpc/peer/client.ts';
import { party } from '../contract/transport-fixture.ts';
import { resetPeak } from '../e2e/harness/memory.ts';
import { FLOOD_MIB, FloodedDaemon, FRIEND, inWords, STRANGER, timedCalls } from './flooded-daemon.ts';

const CALLS = 10;
const GAP_MS = 150;
const SECONDS = 2;
/** The flooder and the daemon share their processors with other tests. */
const SLACK_SECONDS = 5;
const PER_SECOND = 1000;

let daemon: FloodedDaemon;
let friend: GrpcPeerClient;

before(async () => {
  daemon = await FloodedDaemon.start();
  friend = daemon.client(FRIEND);
  await friend.healthCheck(daemon.id);
  await (await daemon.flood('hello', 2 * HANDSHAKES_PER_SECOND, 1)).over;
});

after(() => daemon[Symbol.asyncDispose]());

for (const kind of ['hello', 'held', 'silent'] as const) {
  test(`${PER_SECOND} connections a second (${kind}): memory is bounded, a warm channel answers`, async (context) => {
    const restMib = daemon.residentMib;
    resetPeak(daemon.pid);
    const flood = await daemon.flood(kind, PER_SECOND, SECONDS);
    const latencies = await timedCalls(friend, daemon.id, CALLS, GAP_MS);
    const { opened, answered } = await flood.over;
    const grownMib = daemon.peakMib - restMib;
    context.diagnostic(`${opened} connections, ${answered} answered; grew ${grownMib.toFixed(1)} MiB`);
    context.diagnostic(`calls: ${inWords(latencies)}`);
    assert.ok(opened > PER_SECOND, 'this was no flood');
    assert.ok(answered <= HANDSHAKES_PER_SECOND * (SECONDS + SLACK_SECONDS), `${answered} handshakes`);
    assert.ok(grownMib <= FLOOD_MIB, `${grownMib} MiB`);
  });
}

test('while all half-open handshakes are held a contract peer connects', async () => {
  // As many as are answered at the pace of handshakes while the contract peer makes its connection.
  const flood = await daemon.flood('held', HALF_OPEN_HANDSHAKES, 2);
  const another = daemon.client(FRIEND);
  await another.healthCheck(daemon.id);
  await flood.over;
  await another.healthCheck(daemon.id);
});

test('idle strangers keep neither a contract peer out nor a caller that is not known yet', async () => {
  const strangers = await Promise.all(
    Array.from({ length: UNKNOWN_SESSIONS }, (_, index) => daemon.http2(party(8000 + index))),
  );
  const pushedOut = Promise.race(strangers.map((session) => once(session, 'close')));
  const another = daemon.client(FRIEND);
  await another.healthCheck(daemon.id);
  assert.equal(strangers.filter((session) => session.destroyed).length, 0);
  // So calls the holder of an owner that lost its disk and knows nobody: as one stranger more.
  const holder = daemon.client(STRANGER);
  await holder.healthCheck(daemon.id);
  await holder.getContentRevision(daemon.id, Buffer.alloc(0)).catch(() => undefined);
  await pushedOut;
  assert.equal(strangers.filter((session) => session.destroyed).length, 1);
  assert.ok(holder.isConnected(daemon.id) && another.isConnected(daemon.id) && friend.isConnected(daemon.id));
  for (const session of strangers) session.destroy();
});
