// What a node does while nothing happens: most of a year is like that, and each write is a sync of a real disk.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { circleOf } from './circle.ts';
import { DAY_MS, HOUR_MS } from './sim-world.ts';

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
