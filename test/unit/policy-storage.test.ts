// Whose bytes go when space is needed, and which of many superseded revisions stay.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONTRACT_STATES } from '../../src/core/contract/state.ts';
import { chooseEvictions, evictable } from '../../src/core/policy/evict.ts';
import type { EvictFacts } from '../../src/core/policy/evict.ts';
import { PERIODS_MS } from '../../src/core/policy/periods.ts';
import { thinnedLists } from '../../src/core/policy/thin-lists.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

const expired = (name: string, enteredSeconds: number, bytes: number): EvictFacts & { name: string } => ({
  name,
  state: 'EXPIRED',
  enteredSeconds,
  bytes,
  isPaused: false,
});

test('only EXPIRED bytes go, whatever is needed', () => {
  for (const state of CONTRACT_STATES) {
    const contracts = [{ ...expired('a', 0, 10), state }];
    for (const chosen of [chooseEvictions(contracts, 10), evictable(contracts)]) {
      assert.equal(chosen.length, state === 'EXPIRED' ? 1 : 0, state);
    }
  }
  assert.deepEqual(chooseEvictions([{ ...expired('a', 0, 10), isPaused: true }], 1), []);
});

test('the longest expired goes first, and no more than is needed', () => {
  const all = [expired('young', 300, 10), expired('old', 100, 10), expired('empty', 1, 0), expired('middle', 200, 10)];
  const names = (needed: number) => chooseEvictions(all, needed).map(({ name }) => name);
  assert.deepEqual(names(0), []);
  assert.deepEqual(names(1), ['old']);
  assert.deepEqual(names(10), ['old']);
  assert.deepEqual(names(11), ['old', 'middle']);
  assert.deepEqual(names(30), ['old', 'middle', 'young']);
  assert.deepEqual(names(31), [], 'nothing goes in vain');
});

/** A revision that was current from `from` to `to`, in a hold of 90 days. */
const list = (from: number, to: number) => ({ currentSeconds: from, keptSeconds: to, holdEndSeconds: to + 90 * DAY });

test('of the revisions superseded within an hour the longest current one and the last one stay', () => {
  const good = list(0, 10 * HOUR);
  const rush = Array.from({ length: 40 }, (_, index) => list(10 * HOUR + index, 10 * HOUR + index + 1));
  const gone = thinnedLists([good, ...rush], 10 * HOUR + 50, PERIODS_MS);
  assert.equal(gone.length, 39);
  assert(!gone.includes(good));
  assert(!gone.includes(rush[39] ?? good), 'the last change can be taken back');
});

test('revisions of different hours stay for a day, then one per day does', () => {
  const hourly = Array.from({ length: 24 }, (_, hour) => list(hour * HOUR, (hour + 1) * HOUR - 1));
  assert.equal(thinnedLists(hourly, DAY, PERIODS_MS).length, 0);
  const later = thinnedLists(hourly, 3 * DAY, PERIODS_MS);
  assert.equal(later.length, 23);
  assert(!later.includes(hourly[23] ?? good()), 'of equals the later stays');
});

function good(): never {
  throw new Error('there are 24 lists');
}

test('one whose hold is over does not push out another one of its day', () => {
  const [first, second, last] = [list(0, 6 * HOUR), list(6 * HOUR, 8 * HOUR), list(8 * HOUR, 9 * DAY)];
  const early = { ...first, holdEndSeconds: 8 * DAY };
  assert.deepEqual(thinnedLists([early, second, last], 8 * DAY - 1, PERIODS_MS), [second]);
  assert.deepEqual(thinnedLists([early, second, last], 8 * DAY, PERIODS_MS), []);
});

test('so few lists remain of a hold of 90 days that the report of them has room', () => {
  const every = 10 * 60;
  const lists = Array.from({ length: (90 * DAY) / every }, (_, index) => list(index * every, (index + 1) * every));
  const stays = lists.length - thinnedLists(lists, 90 * DAY, PERIODS_MS).length;
  assert(stays <= 24 + 90 + 2, `${stays}`);
});
