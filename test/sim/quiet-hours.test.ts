// What a node does while nothing happens: most of a year is like that, and each write is a sync of a real disk. And how quiet
// a trouble is that lasts: each message is one on a circuit of Tor, and what nobody can help is not asked for every second.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plan, planFor } from '../../src/daemon/plan.ts';
import { edited, fileOf } from './acts.ts';
import { circleOf, comeBack, protectedSoon, set } from './circle.ts';
import type { SimNode } from './sim-node.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './sim-world.ts';

test('in a quiet hour a node writes its contracts once in ten minutes, all of them together', async () => {
  const { world, nodes } = await circleOf('quiet hours', 4);
  await world.pass(3.5 * DAY_MS); // once a day each peer is asked again, and its answer is written by itself
  const [owner] = nodes;
  const writes: number[] = [];
  const { onRecords } = world;
  world.onRecords = (node, puts, deletes) => {
    const contracts = puts.filter(({ kind }) => kind === 'contract').length;
    if (node === owner && contracts > 0) writes.push(contracts);
    onRecords(node, puts, deletes);
  };
  await world.pass(HOUR_MS);
  assert.deepEqual(writes, [3, 3, 3, 3, 3, 3]);
});

/** Every cell that this one keeps for others is bad, or each `every`-th. */
function rot({ disk }: SimNode, every = 1): void {
  for (const { slots } of disk.packs.values()) {
    for (const [at, slot] of slots.entries()) if (at % every === 0) slots[at] = { ...slot, fault: 'flipped' };
  }
}

test('two nodes that recover and wait leave each other in peace, and the one that lost cells of both', async () => {
  const circle = await circleOf('two recoveries', 4);
  const { world, nodes } = circle;
  const [one, two, holder, away] = nodes as [SimNode, SimNode, SimNode, SimNode];
  await set(circle, two, [fileOf('accounts', 9)]);
  await world.pass(HOUR_MS);
  away.suspend();
  rot(holder, 5);
  // One holder of three says that this is the newest, so that it has to be waited for; and it cannot give everything.
  await comeBack(circle, one);
  await comeBack(circle, two);
  await world.pass(4 * HOUR_MS);
  const before = world.network.messages;
  planFor(one.session, 'ask', two.id, 0); // one of them asks, for whatever reason
  await world.pass(6 * HOUR_MS);
  assert.deepEqual(
    [one, two].map(({ session }) => session.node.mode),
    ['recovering', 'recovering'],
  );
  const messages = world.network.messages - before;
  assert.ok(messages <= 200, `${messages} messages in six hours`);
});

test('a holder of a cell that it lost for good tells the owner once, however often that one asks for it', async () => {
  const circle = await circleOf('asked again and again', 3);
  const { world, nodes } = circle;
  const [owner, holder, away] = nodes as [SimNode, SimNode, SimNode];
  away.suspend();
  rot(holder, 5);
  await comeBack(circle, owner);
  await world.pass(HOUR_MS);
  let confessions = 0;
  world.watchers.push((node, { name }) => {
    if (node === holder && name === 'held-cells-lost') confessions += 1;
  });
  for (let times = 0; times < 20; times += 1) {
    plan(owner.session, 'recover', 0);
    await world.pass(MINUTE_MS);
  }
  assert.ok(confessions <= 2, `${confessions} confessions`);
});

test('a holder that was away while a recovery waited is asked as soon as it is back', async () => {
  const circle = await circleOf('back again', 3);
  const { world, nodes } = circle;
  const [owner, whole, rotten] = nodes as [SimNode, SimNode, SimNode];
  rot(rotten, 3);
  const isKnown = (): boolean => owner.session?.recovery.holders.get(whole.id) !== undefined;
  world.watchers.push((node, { name }) => {
    if (node === owner && name === 'holder-found' && isKnown()) whole.suspend();
  });
  await comeBack(circle, owner);
  await world.pass(30 * HOUR_MS);
  assert.ok(isKnown() && owner.session.node.mode === 'recovering', 'it is known, and nobody else has everything');
  world.watchers.pop();
  whole.resume();
  await world.until('it has recovered', () => owner.session.node.mode === 'normal', HOUR_MS / 2);
});

test('a clock that was set back by a year keeps no revision from being offered', async () => {
  const circle = await circleOf('a clock set back', 3);
  const { world, nodes } = circle;
  const [owner] = nodes as [SimNode];
  await set(circle, owner, [edited(fileOf('photos', 12), 0, 3)]);
  owner.machine.wallOffsetMs -= 365 * DAY_MS;
  await protectedSoon(world, owner);
});

test('a storer that says that it holds what it lost for good is asked for a proof about once an hour', async () => {
  const circle = await circleOf('beyond repair', 3);
  const { world, nodes } = circle;
  const [owner, storer] = nodes as [SimNode, SimNode];
  // Everything is given again once.
  rot(storer);
  await world.pass(3 * DAY_MS);
  rot(storer);
  await world.pass(3 * DAY_MS);
  let checks = 0;
  world.watchers.push((node, { name, attributes }) => {
    if (node === owner && name === 'check-judged' && attributes['peer'] === storer.id) checks += 1;
  });
  await world.pass(12 * HOUR_MS);
  assert.ok(checks <= 18, `${checks} checks in twelve hours`);
});
