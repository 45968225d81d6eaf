// A small society that lives for a while under its oracle, and that a seed decides all of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportLines } from './report.ts';
import { Society } from './society.ts';

test('ten people live two weeks: no promise is broken, nothing that was settled is lost', async () => {
  const society = new Society({ seed: 'two weeks', nodes: 10, days: 14, minReplicas: 3 });
  await society.run();
  assert.deepEqual(society.losses, []);
  assert.ok(society.oracle.checks.held > 100, 'copies are checked');
});

test('the same seed gives the same society', async () => {
  const reports: string[][] = [];
  for (let i = 0; i < 2; i += 1) {
    const society = new Society({ seed: 'twice', nodes: 6, days: 3, minReplicas: 2 });
    await society.run();
    reports.push(reportLines(society));
  }
  assert.deepEqual(reports[0], reports[1]);
});
