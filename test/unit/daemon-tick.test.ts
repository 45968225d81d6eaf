// Time that counts: the smaller of two clocks, and nothing when the wall clock jumps.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TickClock } from '../../src/daemon/tick-clock.ts';

const MINUTE = 60_000;

for (const { name, monotonic, wall, ms, jumped } of [
  { name: 'both clocks agree', monotonic: 10 * MINUTE, wall: 10 * MINUTE, ms: 10 * MINUTE, jumped: false },
  { name: 'the wall clock is a little slow', monotonic: 10 * MINUTE, wall: 9 * MINUTE, ms: 9 * MINUTE, jumped: false },
  { name: 'the wall clock goes back a little', monotonic: MINUTE, wall: -MINUTE, ms: 0, jumped: false },
  { name: 'ten minutes apart is no jump', monotonic: 20 * MINUTE, wall: 10 * MINUTE, ms: 10 * MINUTE, jumped: false },
  { name: 'more than ten minutes apart is a jump', monotonic: 20 * MINUTE, wall: 10 * MINUTE - 1, ms: 0, jumped: true },
  { name: 'ten years ahead counts nothing', monotonic: MINUTE, wall: 5_256_000 * MINUTE, ms: 0, jumped: true },
  { name: 'ten years back counts nothing', monotonic: MINUTE, wall: -5_256_000 * MINUTE, ms: 0, jumped: true },
]) {
  test(name, () => {
    const clock = new TickClock(1000, 50_000);
    assert.deepEqual(clock.elapsed(1000 + monotonic, 50_000 + wall), { ms, jumped });
    assert.deepEqual(clock.elapsed(1000 + monotonic + 5, 50_000 + wall + 5), { ms: 5, jumped: false });
  });
}
