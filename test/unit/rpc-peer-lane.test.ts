// One connect: refusals are counted, a circuit that hangs is replaced for as long as there is time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectivityState } from '@grpc/grpc-js';
import type { Channel } from '@grpc/grpc-js';
import type { OnionId } from '../../src/core/ids.ts';
import { CONNECT_ATTEMPTS } from '../../src/core/limits.ts';
import { DEADLINES_MS } from '../../src/core/policy/periods.ts';
import { PeerLane } from '../../src/rpc/peer/peer-lane.ts';
import { ManualClock } from './manual-clock.ts';

/** A lane whose n-th channel is in the n-th of `states` and stays there; the last state is that of all later ones. */
function laneOf(...states: connectivityState[]) {
  const clock = new ManualClock();
  let opened = 0;
  const open = (): Channel => {
    const state = states[Math.min(opened++, states.length - 1)];
    const channel = {
      getConnectivityState: () => state,
      watchConnectivityState: () => undefined,
      close: () => undefined,
    };
    return channel as unknown as Channel;
  };
  const lane = new PeerLane({ peer: 'peer' as OnionId, lane: 0, open, clock, onState: () => undefined });
  const outcome = lane.hold().then(
    () => 'connected',
    (error: { code: string }) => error.code,
  );
  return { lane, outcome, pass: (ms: number) => clock.advance(ms), opened: () => opened };
}

test('a circuit that hangs is given up for a fresh one that gets more time, and does not count as a refusal', async () => {
  const hangs = Array.from({ length: CONNECT_ATTEMPTS }, () => connectivityState.CONNECTING);
  const { outcome, pass, opened } = laneOf(...hangs, connectivityState.READY);
  for (let hung = 1; hung <= CONNECT_ATTEMPTS; hung += 1) {
    await pass(DEADLINES_MS.connectAttempt * 2 ** (hung - 1) - 1);
    assert.equal(opened(), hung);
    await pass(1);
    await pass(DEADLINES_MS.reconnectMin);
  }
  assert.equal(await outcome, 'connected');
});

test('a redial gives up the circuit that is waited for, and disturbs no connection', async () => {
  const { lane, outcome, pass, opened } = laneOf(connectivityState.CONNECTING, connectivityState.READY);
  await pass(0);
  lane.redial();
  await pass(0);
  await pass(DEADLINES_MS.reconnectMin);
  assert.equal(await outcome, 'connected');
  lane.redial();
  await pass(DEADLINES_MS.reconnectMin);
  assert.equal(lane.up, true);
  assert.equal(opened(), 2);
});

test('a peer that refuses is not reached after CONNECT_ATTEMPTS', async () => {
  const { outcome, pass, opened } = laneOf(connectivityState.TRANSIENT_FAILURE);
  await pass(0);
  for (let attempt = 1; attempt < CONNECT_ATTEMPTS; attempt += 1) await pass(DEADLINES_MS.reconnectMin);
  assert.equal(await outcome, 'PEER_UNREACHABLE');
  assert.equal(opened(), CONNECT_ATTEMPTS);
});

test('all circuits hanging, it ends at the deadline of a connect', async () => {
  const { outcome, pass } = laneOf(connectivityState.CONNECTING);
  await pass(0);
  for (let ms = 0; ms <= DEADLINES_MS.connect; ms += 1000) await pass(1000);
  assert.equal(await outcome, 'PEER_UNREACHABLE');
});
