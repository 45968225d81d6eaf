// How much is asked for at a time: enough to keep late links full, little enough that a cut costs at most 5 %.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BULK_LANES, FETCH_AHEAD_CELLS, FETCH_AHEAD_PERMILLE, LANE_RUN_CELLS } from '../../src/core/limits.ts';
import { fetchShare } from '../../src/core/policy/fetch-share.ts';

test('what is under way is bounded by the larger of a few cells and a small part of what is missing', () => {
  for (const lanes of [1, BULK_LANES, 8 * BULK_LANES]) {
    for (const missing of [1, 3, 8, 100, 320, 512, 2048, 8192]) {
      const { streams, runCells } = fetchShare(missing, lanes);
      const most = Math.max(FETCH_AHEAD_CELLS, Math.floor((missing * FETCH_AHEAD_PERMILLE) / 1000));
      assert.ok(streams >= 1 && streams <= 2 * lanes && runCells >= 1 && runCells <= LANE_RUN_CELLS);
      assert.ok(streams * runCells <= most, `${streams} streams of ${runCells} cells for ${missing}`);
    }
  }
});

test('every lane has two streams where there is enough to do, and little is shared out evenly', () => {
  assert.deepEqual(fetchShare(512, BULK_LANES), { streams: 2 * BULK_LANES, runCells: 2 });
  assert.deepEqual(fetchShare(8192, BULK_LANES), { streams: 2 * BULK_LANES, runCells: 30 });
  assert.deepEqual(fetchShare(8192, 1), { streams: 2, runCells: LANE_RUN_CELLS });
  assert.deepEqual(fetchShare(3, BULK_LANES), { streams: 2 * BULK_LANES, runCells: 1 });
  assert.deepEqual(fetchShare(512, 8 * BULK_LANES), { streams: FETCH_AHEAD_CELLS, runCells: 1 });
});
