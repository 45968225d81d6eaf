// The one loop: what is planned runs at its time, once, bounded, and stops when told.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scheduler } from '../../src/daemon/scheduler.ts';
import { ManualClock, settle } from './manual-clock.ts';

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function fixture() {
  const clock = new ManualClock();
  return { clock, scheduler: new Scheduler(clock, SILENT) };
}

test('a task runs when its time has come, not before, and once', async () => {
  const { clock, scheduler } = fixture();
  let runs = 0;
  scheduler.plan('tick', 'a', 100, async () => void (runs += 1));
  await clock.advance(99);
  assert.equal(runs, 0);
  await clock.advance(1);
  assert.equal(runs, 1);
  await clock.advance(1000);
  assert.equal(runs, 1);
});

test('planned twice, a task keeps the earlier time', async () => {
  const { clock, scheduler } = fixture();
  const ran: string[] = [];
  scheduler.plan('tick', 'a', 100, async () => void ran.push('late'));
  scheduler.plan('tick', 'a', 10, async () => void ran.push('early'));
  scheduler.plan('tick', 'a', 500, async () => void ran.push('newest'));
  await clock.advance(10);
  assert.deepEqual(ran, ['newest']);
  await clock.advance(1000);
  assert.equal(ran.length, 1);
});

test('planned while it runs, a task runs once more afterwards', async () => {
  const { clock, scheduler } = fixture();
  let runs = 0;
  let release: () => void = () => undefined;
  scheduler.plan('tick', 'a', 0, async () => {
    runs += 1;
    if (runs === 1) await new Promise<void>((resolve) => (release = resolve));
  });
  await clock.advance(0);
  scheduler.plan('tick', 'a', 5, async () => void (runs += 1));
  await clock.advance(100);
  assert.equal(runs, 1);
  release();
  await settle();
  await clock.advance(5);
  assert.equal(runs, 2);
});

test('a class never runs more tasks at once than its bound', async () => {
  const { clock, scheduler } = fixture();
  let running = 0;
  let most = 0;
  const releases: (() => void)[] = [];
  for (let i = 0; i < 5; i += 1) {
    scheduler.plan('pull', `pull:${i}`, 0, async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => releases.push(resolve));
      running -= 1;
    });
  }
  await clock.advance(0);
  assert.equal(running, 2);
  while (releases.length > 0) {
    releases.shift()?.();
    await settle();
  }
  assert.equal(running, 0);
  assert.equal(most, 2);
});

test('a task that fails harms no other', async () => {
  const { clock, scheduler } = fixture();
  let ran = false;
  scheduler.plan('tick', 'bad', 0, async () => {
    throw new Error('planted');
  });
  scheduler.plan('tick', 'good', 0, async () => void (ran = true));
  await clock.advance(0);
  await settle();
  assert.equal(ran, true);
});

test('stop aborts what runs, waits for it, and plans nothing any more', async () => {
  const { clock, scheduler } = fixture();
  let ended = false;
  scheduler.plan('tick', 'a', 0, async (signal) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    ended = true;
  });
  let later = false;
  scheduler.plan('commit', 'b', 50, async () => void (later = true));
  await clock.advance(0);
  await scheduler.stop();
  assert.equal(ended, true);
  scheduler.plan('tick', 'c', 0, async () => void (later = true));
  await clock.advance(1000);
  assert.equal(later, false);
});
