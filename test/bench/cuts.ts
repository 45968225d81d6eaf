// What cuts cost in bytes: pulls and recoveries of large contents, each cut once at a seeded moment. Prints, judges nothing.
// `node test/bench/cuts.ts [--mib 256] [--runs 1] [--seed 1]`: so many runs of each job and each kind of cut.

import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { parseArgs } from 'node:util';
import { CUTS, cellsAfterCut } from '../contract/cut-bytes.ts';

const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '256' },
    runs: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
  },
});
const mib = Number(values.mib);

for (let run = 0; run < Number(values.runs); run += 1) {
  for (const job of ['pull', 'recover'] as const) {
    for (const cut of CUTS) {
      const hash = createHash('sha256').update(`${values.seed} ${run} ${job} ${cut}`).digest();
      const at = 0.1 + (0.8 * hash.readUInt32BE()) / 2 ** 32;
      test(`${job}, ${cut}`, async (context) => {
        const { sent, cells } = await cellsAfterCut(context, { job, cut, mib, at });
        console.log(`${job}, ${cut} at ${at.toFixed(2)}: ${sent} of ${cells} cells, ${(sent / cells).toFixed(4)}`);
      });
    }
  }
}
