// A cut network and clocks that lie: promises are counted in time that was really lived through, and everything heals.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { edited } from './acts.ts';
import { circleOf, protectedSoon, set } from './circle.ts';
import type { SimNode } from './sim-node.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './sim-world.ts';

test('a network that is cut in two is one again, and the newest revision reaches the other side', async () => {
  const circle = await circleOf('cut in two', 4);
  const { world, nodes } = circle;
  const [owner, near] = nodes as [SimNode, SimNode];
  const side = (node: number): boolean => node === owner.index || node === near.index;
  world.network.isCut = (from, to) => side(from) !== side(to);
  for (const node of nodes) world.network.cut(node.index, ({ from, to }) => side(from.node) !== side(to.node));
  const [photos, letters] = owner.files;
  assert.ok(photos && letters);
  await set(circle, owner, [edited(photos, 0, 2), letters]);
  await world.pass(2 * HOUR_MS);
  const status = await owner.api.status();
  assert.deepEqual([status.verdict, status.verifiedReplicas], ['AT_RISK', 1]);
  const { copies, files, names } = status.weakest ?? assert.fail();
  assert.deepEqual(
    [copies, files, names.map(String)],
    [1, 1, ['photos']],
    'what changed is weakest, the rest is at three',
  );

  world.network.isCut = () => false;
  await protectedSoon(world, owner);
  assert.deepEqual((await owner.api.status()).weakest, { copies: 3, files: 2, names: [] });
});

test('a wall clock that jumps by years adds nothing to what was promised and takes nothing from it', async () => {
  const { world, nodes } = await circleOf('clocks', 3);
  const [owner, storer] = nodes as [SimNode, SimNode];
  const promised = async (): Promise<number> => {
    const [view] = await storer.api.contracts(owner.id);
    return view?.theirRemainingSeconds ?? Number.NaN;
  };
  for (const years of [10, -20]) {
    const before = await promised();
    storer.machine.wallOffsetMs += years * 365 * DAY_MS;
    await world.pass(HOUR_MS);
    const gained = (await promised()) - before;
    assert.ok(gained >= 0 && gained <= HOUR_MS / 1000, `${gained} seconds after a jump of ${years} years`);
  }
  await protectedSoon(world, owner);
});

test('three weeks of sleep count for nothing, and no contract dies of them', async () => {
  const { world, nodes } = await circleOf('long sleep', 3);
  const [owner, storer] = nodes as [SimNode, SimNode];
  const countedBefore = storer.session.node.countedSeconds;
  storer.suspend();
  await world.pass(21 * DAY_MS);
  storer.resume();
  await world.pass(30 * MINUTE_MS);
  assert.ok(storer.session.node.countedSeconds - countedBefore < 3600);
  await protectedSoon(world, owner);
  assert.equal(owner.session.registry.contract(storer.id)?.state, 'ACTIVE');
});
