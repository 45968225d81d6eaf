// Both modes of the simulator with fixed seeds and with one that each commit changes. A failure names mode and seed.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { livenessRun, safetyRun } from './trouble.ts';

const DAYS = 8;

/** Another one for each commit, so that what is tested grows with the history; without git a fixed one. */
function commitSeed(): string {
  const { stdout } = spawnSync('git', ['rev-parse', '--short=8', 'HEAD'], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  });
  return (stdout ?? '').trim() || 'no commit';
}

for (const seed of ['1', '2', '3', commitSeed()]) {
  test(`safety under any number of faults: make trouble MODE=safety SEED=${seed} DAYS=${DAYS}`, async () => {
    const { counts } = await safetyRun(seed, DAYS);
    assert.ok(counts.size > 5, 'several kinds of faults');
  });

  test(`liveness after faults within the budget: make trouble MODE=liveness SEED=${seed} DAYS=${DAYS}`, async () => {
    const { circle } = await livenessRun(seed, DAYS);
    assert.ok(circle.oracle.checks.held > 0);
  });
}
