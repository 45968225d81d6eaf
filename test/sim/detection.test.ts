// Short forms of the figures of detection; `make detect` has the long ones.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { honestPeers, singleCells, smallLosses } from './detection.ts';

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
