// Floods within a session, against a real bbd: each ends that session and no other, and costs the daemon little memory.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { resetPeak } from '../e2e/harness/memory.ts';
import { FLOOD_MIB, FloodedDaemon, FRIEND, STRANGER } from './flooded-daemon.ts';
import { floodSession, HTTP2_FLOODS } from './http2-floods.ts';

const PATIENCE_MS = 10_000;

let daemon: FloodedDaemon;

before(async () => {
  daemon = await FloodedDaemon.start();
});

after(() => daemon[Symbol.asyncDispose]());

test('every flood of HTTP/2 ends its session, and a contract peer does not notice', async (context) => {
  const friend = daemon.client(FRIEND);
  await friend.healthCheck(daemon.id);
  (await daemon.http2(STRANGER)).destroy();
  const restMib = daemon.residentMib;
  resetPeak(daemon.pid);
  for (const flood of HTTP2_FLOODS) {
    const tookMib = await floodSession(await daemon.tls(STRANGER), flood, PATIENCE_MS);
    assert.ok(friend.isConnected(daemon.id), flood.name);
    await friend.healthCheck(daemon.id);
    context.diagnostic(`${flood.name}: ended after ${tookMib.toFixed(2)} MiB`);
  }
  const grownMib = daemon.peakMib - restMib;
  context.diagnostic(`memory grew by ${grownMib.toFixed(1)} MiB at most`);
  assert.ok(grownMib <= FLOOD_MIB, `${grownMib} MiB`);
});
