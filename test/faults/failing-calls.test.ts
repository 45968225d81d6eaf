// While files are set every call about the disk fails once, for want of space or by a broken disk, and from each on; for
// the storer that pulls and the owner that recovers some of them do. `make scorecard PARTS=cuts` makes all.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onOneThread, someOf } from './cut-runs.ts';
import { record } from './cut-recordings.ts';
import type { Operation } from './cut-recordings.ts';
import { everyFailure, failOnce } from './failing-calls.ts';
import type { Fault } from './disk-watch.ts';

const SEED = Number(process.env['SEED'] ?? '1');

onOneThread();

test('any call that fails while files are set is told, costs nothing, and the next try goes through', async () => {
  const bad: unknown[] = [];
  let struck = 0;
  for await (const failure of everyFailure(await record('setfile'), 'owner/')) {
    if (failure.struck) struck += 1;
    if (failure.faults.length > 0) bad.push([failure.name, ...failure.faults]);
  }
  assert.deepEqual(bad, []);
  assert(struck >= 40, `${struck} calls failed`);
});

const FAULTS: readonly Fault[] = (['open', 'write', 'datasync', 'commit'] as const).flatMap((call) =>
  [1, 2, 3].flatMap((nth) =>
    (['ENOSPC', 'EIO'] as const).map((code) => ({ call, nth, code, stays: false, below: '' })),
  ),
);

for (const [operation, below] of [
  ['publish', 'storer/'],
  ['recover', 'owner/'],
] as const satisfies readonly (readonly [Operation, string])[]) {
  test(`a call that fails at the ${below.slice(0, -1)} during ${operation} is made up for without a hand`, async () => {
    const recording = await record(operation);
    const bad: unknown[] = [];
    for (const fault of someOf(FAULTS, 6, SEED)) {
      const { name, faults } = await failOnce(recording, { ...fault, below });
      if (faults.length > 0) bad.push([name, ...faults]);
    }
    assert.deepEqual(bad, []);
  });
}
