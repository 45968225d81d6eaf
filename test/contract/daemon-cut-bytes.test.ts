// After one cut the bytes sent in all are at most 105 % of the size: what is under way and not durable yet is bounded.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellsAfterCut } from './cut-bytes.ts';

/** The smallest for which the bound on what is under way is within it. */
const MIB = 44;
const MOST = 1.05;
/** Part of the cells that was sent when the cut comes. */
const CASES = [
  { job: 'pull', cut: 'receiver killed', at: 0.35 },
  { job: 'pull', cut: 'link cut', at: 0.8 },
  { job: 'recover', cut: 'receiver killed', at: 0.7 },
  { job: 'recover', cut: 'link cut', at: 0.3 },
] as const;

for (const { job, cut, at } of CASES) {
  test(`${job}, ${cut} after ${100 * at} % of ${MIB} MiB`, async (context) => {
    const { sent, cells } = await cellsAfterCut(context, { job, cut, mib: MIB, at });
    context.diagnostic(`${sent} cells sent of ${cells}: ${((100 * sent) / cells).toFixed(1)} %`);
    assert.ok(sent <= cells * MOST, `${sent} cells of ${cells}`);
  });
}
