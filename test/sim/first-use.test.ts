// The first weeks of ordinary people: nobody cheats, and yet nothing is as regular as a protocol would like it. In each story
// all contracts are ACTIVE and all contents PROTECTED in the end, and no copy was ever given up for lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CELL_BYTES } from '../../src/core/limits.ts';
import { agree, befriend, edited, fileOf, verdictOf } from './acts.ts';
import { insist, protectedSoon, set } from './circle.ts';
import type { Circle } from './circle.ts';
import { Oracle } from './oracle.ts';
import type { NetworkModel } from './sim-network.ts';
import { TOR_MODEL } from './sim-network.ts';
import type { SimNode } from './sim-node.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SimWorld } from './sim-world.ts';

const GIB_CELLS = 1024 ** 3 / CELL_BYTES;

type Pair = Circle & { readonly owner: SimNode; readonly friend: SimNode; readonly states: string[] };

/** Two friends with a contract for so many cells in both directions; `states` gets every state that it enters. */
async function pairOf(seed: string, cells: number, model: NetworkModel = TOR_MODEL): Promise<Pair> {
  const world = new SimWorld(seed, model);
  const oracle = new Oracle(world);
  const owner = await world.does(world.bornNode());
  const friend = await world.does(world.bornNode());
  await world.pass(5 * MINUTE_MS);
  await insist(world, () => befriend(owner, friend));
  await insist(world, () => agree(owner, friend, cells));
  const states: string[] = [];
  world.watchers.push((_node, { name, attributes }) => {
    if (name === 'contract-state') states.push(attributes['to'] ?? '');
  });
  for (const node of world.nodes) await world.does(node.api.setStorage(100 * 1024 ** 3, 1));
  return { world, oracle, nodes: world.nodes, owner, friend, states };
}

async function protectedPair(seed: string): Promise<Pair> {
  const pair = await pairOf(seed, 1000);
  for (const node of pair.nodes) await set(pair, node, [fileOf(`${node.name} photos`, 40), fileOf('letters', 3)]);
  for (const node of pair.nodes) await protectedSoon(pair.world, node);
  return pair;
}

/** Both are protected and neither is late with anything; `states`: what the contract may have gone through. */
async function isHealthy({ world, nodes, states }: Pair, ...expected: string[]): Promise<void> {
  for (const node of nodes) await protectedSoon(world, node);
  await world.pass(30 * MINUTE_MS);
  for (const node of nodes) {
    assert.equal(await verdictOf(node), 'PROTECTED');
    assert.deepEqual(
      node.session.registry.contracts().map(({ state }) => state),
      ['ACTIVE'],
    );
  }
  assert.deepEqual([...new Set(states)].toSorted(), expected);
}

async function remaining(storer: SimNode, owner: SimNode): Promise<number> {
  return (await storer.api.contracts(owner.id))[0]?.theirRemainingSeconds ?? Number.NaN;
}

/** A 64th of the cells on lines that are 64 times as slow stands for 8 GiB. */
const SCALE = 64;

test('first use: one friend, 10 KB against 8 GiB', async () => {
  const [low, high] = TOR_MODEL.bytesPerSecond;
  const pair = await pairOf('10 KB against 8 GiB', 10 * GIB_CELLS, {
    ...TOR_MODEL,
    bytesPerSecond: [low / SCALE, high / SCALE],
  });
  const { world, owner, friend } = pair;
  await set(pair, owner, [fileOf('letter', 1)]);
  await set(pair, friend, [fileOf('films', (8 * GIB_CELLS) / SCALE)]);
  await protectedSoon(world, owner);
  await world.pass(14 * DAY_MS);
  await isHealthy(pair);
  const days = [await remaining(owner, friend), await remaining(friend, owner)].map((seconds) => seconds / 86_400);
  assert.ok(
    days.every((each) => each > 35 && each < 40),
    `both earn the same time, not ${days.join(' and ')} days`,
  );
});

test('first use: two laptops, each on for half the day, with two hours in common', async () => {
  const pair = await protectedPair('laptops');
  const { world, owner, friend } = pair;
  const sleeps = (node: SimNode, fromHour: number): void => {
    const night = (): void => {
      world.time.at(DAY_MS, night);
      world.time.at(12 * HOUR_MS, () => node.resume());
      node.suspend();
    };
    world.time.at(fromHour * HOUR_MS, night);
  };
  sleeps(owner, 12); // on from 0 to 12
  sleeps(friend, 22); // on from 10 to 22
  await world.pass(9 * DAY_MS);
  const [photos, letters] = owner.files;
  assert.ok(photos && letters);
  await set(pair, owner, [edited(photos, 3, 5), letters]);
  await world.pass(2 * DAY_MS);
  assert.equal(await verdictOf(owner), 'PROTECTED');
  await world.pass(10 * DAY_MS + 11 * HOUR_MS);
  await isHealthy(pair);
});

test('first use: a first upload that takes eight days', async () => {
  const cells = 2400;
  const streams = 8.5; // of one pull, as measured
  const bytesPerSecond = (cells * CELL_BYTES) / streams / (8 * 86_400);
  const pair = await pairOf('eight days', 4000, { ...TOR_MODEL, bytesPerSecond: [bytesPerSecond, bytesPerSecond] });
  const { world, owner, friend, states } = pair;
  await set(pair, friend, [fileOf('letter', 1)]);
  await set(pair, owner, [fileOf('films', cells)]);
  await world.pass(3 * DAY_MS);
  await set(pair, owner, [...owner.files, fileOf('one more', 1)]); // what came so far counts for it, too
  const holds = (): boolean => (owner.session.registry.contract(friend.id)?.replica.acknowledged.length ?? 0) > 0;
  await world.until('the first upload ends', holds, 12 * DAY_MS);
  assert.ok(world.time.nowMs > 7.5 * DAY_MS, `it took ${world.time.nowMs / DAY_MS} days only`);
  assert.deepEqual(states, []);
  await isHealthy(pair);
});

test('first use: edits every ten minutes', async () => {
  const pair = await protectedPair('ten minutes');
  const { world, owner } = pair;
  let worstMinutes = 0;
  for (let edits = 1; edits <= 24 * 6; edits += 1) {
    const [photos, letters] = owner.files;
    assert.ok(photos && letters);
    await set(pair, owner, [edited(photos, edits % 40, 1), letters]);
    await world.pass(10 * MINUTE_MS);
    const proved = owner.session.registry.contracts()[0]?.replica.proved ?? Buffer.alloc(0);
    const row = await owner.session.deps.catalog.revision(proved);
    const { clock } = owner.session.deps;
    if (row !== undefined) worstMinutes = Math.max(worstMinutes, (clock.nowMs() - row.createdMs) / MINUTE_MS);
  }
  await isHealthy(pair);
  assert.ok(worstMinutes <= 75, `what is proved was up to ${worstMinutes} minutes old`);
});

test('first use: a friend who is away for three days while forty revisions pass', async () => {
  const pair = await protectedPair('away');
  const { world, owner, friend } = pair;
  friend.kill();
  for (let revision = 0; revision < 40; revision += 1) {
    const [photos, letters] = owner.files;
    assert.ok(photos && letters);
    await set(pair, owner, [edited(photos, revision, 1), letters]);
    await world.pass((3 * DAY_MS) / 40);
  }
  assert.equal(await verdictOf(owner), 'AT_RISK');
  await world.does(friend.start());
  await world.does(friend.unlock());
  await world.pass(2 * HOUR_MS);
  await isHealthy(pair, 'ACTIVE', 'DEGRADED');
});

test('first use: an owner on holiday for two weeks', async () => {
  const pair = await protectedPair('holiday');
  const { world, owner, friend } = pair;
  await world.pass(3 * DAY_MS);
  owner.kill();
  const before = await remaining(friend, owner);
  await world.pass(14 * DAY_MS);
  assert.ok((await remaining(friend, owner)) >= before, 'nothing is taken from what was promised');
  await world.does(owner.start());
  await world.does(owner.unlock());
  await world.pass(2 * HOUR_MS);
  await isHealthy(pair, 'ACTIVE', 'DEGRADED');
});
