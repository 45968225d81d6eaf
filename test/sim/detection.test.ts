// Short forms of the figures of detection; `make detect` has the long ones.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { set } from './circle.ts';
import { loseCells, Losses, starOf } from './detection-world.ts';
import { honestPeers, singleCells, smallLosses } from './detection.ts';
import type { SimNode } from './sim-node.ts';
import { DAY_MS } from './sim-world.ts';

test('a loss of 1 % is found within 3 days', async () => {
  const hours = await smallLosses('one percent', 100);
  assert.equal(hours.filter((each) => each > 72).length, 0);
});

test('one lost cell is found within 90 days by the sweep alone, in a content that changes every night', async () => {
  const days = await singleCells('one cell', 16);
  assert.equal(days.filter((each) => each > 90).length, 0);
});

test('nobody honest is accused, whatever rots, changes, sleeps and dies', async () => {
  const { held, wrong } = await honestPeers('honest', 5_000);
  assert.ok(held >= 5_000);
  assert.equal(wrong, 0);
});

test('what a storer hides stays lost when its packs are rewritten, until a check finds it', async () => {
  const circle = await starOf({ seed: 'rewritten', storers: 1, cells: 150, sampling: 'none' });
  const { world, oracle, nodes } = circle;
  const [owner, storer] = nodes as [SimNode, SimNode];
  oracle.liars.add(storer);
  loseCells(storer, owner, [1 + owner.files.reduce((sum, { cells }) => sum + cells.length, 0)]);
  const { nextPack } = storer.disk;
  await set(circle, owner, owner.files.slice(-1));
  await world.until('what is left goes to another pack', () => storer.disk.nextPack > nextPack, 30 * DAY_MS);
  await world.until('the loss is found', () => oracle.checks.wrong > 0, 90 * DAY_MS);
});

test('a lost cell that went with its revision is no loss to be found, and ends the run', async () => {
  const circle = await starOf({ seed: 'superseded', storers: 1, cells: 150, sampling: 'none' });
  const { world, nodes } = circle;
  const [owner, storer] = nodes as [SimNode, SimNode];
  const losses = new Losses(circle, 1, () => [150]);
  await world.until('the storer loses it', () => storer.thrownAway.size > 0);
  await set(circle, owner, owner.files.slice(0, -1));
  await assert.rejects(losses.all(1, 90 * DAY_MS), /a loss that is none any more/);
});
