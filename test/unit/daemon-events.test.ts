// Events are in order, bounded, and end with their subscriber.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT_BACKLOG, EVENT_HISTORY, EVENT_SUBSCRIBERS } from '../../src/core/limits.ts';
import { EventBus } from '../../src/daemon/event-bus.ts';
import { Jobs } from '../../src/daemon/jobs.ts';
import type { DaemonEvent } from '../../src/daemon/local-api.ts';
import { ManualClock } from './manual-clock.ts';

async function take(events: AsyncGenerator<DaemonEvent>, count: number): Promise<DaemonEvent[]> {
  const taken: DaemonEvent[] = [];
  for (let i = 0; i < count; i += 1) {
    const next = await events.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}

test('a subscriber sees what happens after it subscribed, in order', async () => {
  const bus = new EventBus(new ManualClock());
  bus.emit('before');
  const stop = new AbortController();
  const events = bus.subscribe(false, stop.signal);
  const [first] = await take(events, 1);
  assert.equal(first?.name, 'subscribed');
  bus.emit('one', { a: '1' });
  bus.emit('two');
  const [one, two] = await take(events, 2);
  assert.deepEqual([one?.name, two?.name], ['one', 'two']);
  assert.deepEqual(one?.attributes, { a: '1' });
  assert.equal((two?.sequence ?? 0) - (one?.sequence ?? 0), 1);
  stop.abort();
  assert.equal((await events.next()).done, true);
});

test('who asks for recent events gets them before `subscribed`, without progress and never from before a lock', async () => {
  const bus = new EventBus(new ManualClock());
  const stop = new AbortController();
  const namesOf = async (count: number) =>
    (await take(bus.subscribe(true, stop.signal, true), count)).map(({ name }) => name);
  bus.emit('old');
  bus.forget();
  assert.deepEqual(await namesOf(1), ['subscribed']);
  new Jobs(new ManualClock(), bus).start('seal').progress('seal', 1, 2);
  bus.emit('new');
  assert.deepEqual(await namesOf(3), ['job-started', 'new', 'subscribed']);
  for (let i = 0; i < EVENT_HISTORY; i += 1) bus.emit(`e${i}`);
  const kept = await namesOf(EVENT_HISTORY + 1);
  assert.deepEqual([kept[0], kept.at(-2), kept.at(-1)], ['e0', `e${EVENT_HISTORY - 1}`, 'subscribed']);
  stop.abort();
});

test('a subscriber that does not read loses the oldest events and is told how many', async () => {
  const bus = new EventBus(new ManualClock());
  const stop = new AbortController();
  const events = bus.subscribe(false, stop.signal);
  await take(events, 1);
  for (let i = 0; i < EVENT_BACKLOG + 3; i += 1) bus.emit('e', { i: String(i) });
  const [lost, next] = await take(events, 2);
  assert.equal(lost?.name, 'events-lost');
  assert.equal(lost?.attributes['count'], '3');
  assert.equal(next?.attributes['i'], '3');
  stop.abort();
  await events.return(undefined);
});

test('one subscriber more than the bound is refused', async () => {
  const bus = new EventBus(new ManualClock());
  const stop = new AbortController();
  const all = Array.from({ length: EVENT_SUBSCRIBERS }, () => bus.subscribe(false, stop.signal));
  for (const events of all) await events.next();
  await assert.rejects(bus.subscribe(false, stop.signal).next(), { code: 'CONFLICT' });
  await all[0]?.return(undefined);
  assert.equal((await bus.subscribe(false, stop.signal).next()).value?.name, 'subscribed');
});

test('progress is announced to those who asked, with speed and remaining time', async () => {
  const clock = new ManualClock();
  const bus = new EventBus(clock);
  const jobs = new Jobs(clock, bus);
  const stop = new AbortController();
  const quiet = bus.subscribe(false, stop.signal);
  const loud = bus.subscribe(true, stop.signal);
  await take(quiet, 1);
  await take(loud, 1);
  const job = jobs.start('ingest');
  job.progress('read', 0, 1000);
  await clock.advance(1000);
  job.progress('read', 500, 1000);
  assert.deepEqual(jobs.views(), [
    { job: 'ingest-1', phase: 'read', done: 500, total: 1000, bytesPerSec: 500, etaSec: 1 },
  ]);
  job.end('done');
  assert.deepEqual(jobs.views(), []);
  assert.deepEqual(
    (await take(loud, 4)).map((event) => event.name),
    ['job-started', 'progress', 'progress', 'job-ended'],
  );
  assert.deepEqual(
    (await take(quiet, 2)).map((event) => event.name),
    ['job-started', 'job-ended'],
  );
  stop.abort();
});
