// The whole life of a backup among three simulated friends, and that a seed decides all of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agree, backUp, befriend, fileOf, verdictOf } from './acts.ts';
import type { SimNode } from './sim-node.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SimWorld } from './sim-world.ts';

/** Three friends, each with a contract with each other and a protected backup of its own. */
async function threeFriends(seed: string): Promise<{ readonly world: SimWorld; readonly nodes: readonly SimNode[] }> {
  const world = new SimWorld(seed);
  for (let i = 0; i < 3; i += 1) await world.does(world.bornNode());
  await world.pass(5 * MINUTE_MS);
  const [a, b, c] = world.nodes as [SimNode, SimNode, SimNode];
  for (const [one, other] of [
    [a, b],
    [a, c],
    [b, c],
  ] as const) {
    await world.does(befriend(one, other));
    assert.equal(await world.does(agree(one, other)), 'COMPLETED');
  }
  for (const node of world.nodes) {
    await world.does(node.api.setStorage(0, 2));
    await world.does(backUp(node, [fileOf('photos', 20), fileOf('letters', 3)]));
  }
  await world.pass(HOUR_MS);
  return { world, nodes: world.nodes };
}

test('friends agree, back up, are protected, and one of them comes back after its disk died', async () => {
  const { world, nodes } = await threeFriends('happy');
  for (const node of nodes) assert.equal(await verdictOf(node), 'PROTECTED');
  const [lost] = nodes;
  assert.ok(lost);
  const before = lost.files;
  const sequence = lost.session.newest?.row.sequence ?? 0;

  lost.loseDisk();
  await world.does(lost.start());
  await world.does(lost.init('recover')); // nothing but the words
  await world.until('the content is back', () => lost.session.newest !== undefined, DAY_MS);
  await world.until('the node publishes again', () => lost.session.node.mode === 'normal');
  await world.pass(HOUR_MS);

  const listed: string[] = [];
  for await (const batch of lost.api.listFiles(Buffer.alloc(0))) {
    listed.push(...batch.map(({ path, size }) => `${path.toString()} ${size}`));
  }
  assert.deepEqual(
    listed,
    before.map(({ name, cells }) => `${name} ${cells.length * 131_072}`),
  );
  assert.ok((lost.session.newest?.row.sequence ?? 0) > sequence, 'a new generation follows the restored revision');
  assert.equal(await verdictOf(lost), 'PROTECTED');
});

test('the same seed gives the same events, another seed others', async () => {
  const hashes: string[] = [];
  for (const seed of ['one', 'one', 'two']) {
    const { world } = await threeFriends(seed);
    await world.pass(DAY_MS);
    hashes.push(world.eventHash());
  }
  assert.equal(hashes[0], hashes[1]);
  assert.notEqual(hashes[0], hashes[2]);
});
