// One large file goes in and comes out in memory that does not grow with it, and a small change of it is small. The
// whole process is measured, every thread of it; the file is a process of its own under the test runner.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { noise } from './noise.ts';
import { World } from './workers-world.ts';

const MIB = 1024 * 1024;
const FILE_MIB = 200;
/** The working set of an ingest is some 20 MiB of buffers and what the collector lets lie. */
const GROWTH_MIB = 120;

function memoryMib(field: 'VmRSS' | 'VmHWM'): number {
  const value = fs.readFileSync('/proc/self/status', 'utf8').match(new RegExp(`${field}:\\s+(\\d+) kB`))?.[1];
  return Number(value) / 1024;
}

/** Resets the peak, runs the job and returns by how much it rose. */
async function growthMib(job: () => Promise<void>): Promise<number> {
  fs.writeFileSync('/proc/self/clear_refs', '5');
  const before = memoryMib('VmRSS');
  await job();
  return memoryMib('VmHWM') - before;
}

test('a large file, its read-back, its restore and a small edit are bounded in memory and cells', async (t) => {
  const world = await World.open();
  try {
    const file = `${world.dir}/large`;
    for (let n = 0; n < FILE_MIB; n++) fs.appendFileSync(file, noise(MIB, 1 + (n % 250)));
    let row = await world.setPath(world.write('warm', 'up'), 'warm');
    const ingest = await growthMib(async () => {
      row = await world.setPath(Buffer.from(file), 'large');
    });
    const read = await growthMib(async () => {
      let bytes = 0;
      for await (const item of world.workers.read(row, Buffer.from('large'))) {
        if (item.kind === 'data') bytes += item.bytes.length;
      }
      assert.equal(bytes, FILE_MIB * MIB);
    });
    const handle = fs.openSync(file, 'r+');
    fs.writeSync(handle, 'ten bytes!', (FILE_MIB * MIB) / 2);
    fs.closeSync(handle);
    const staged = await world.change({ kind: 'path', path: Buffer.from(file), name: Buffer.from('large') });
    const editCells = staged.newCells + 2;
    t.diagnostic(`ingest +${ingest.toFixed(0)} MiB, read +${read.toFixed(0)} MiB, edit ${editCells} cells with heads`);
    assert.ok(ingest < GROWTH_MIB && read < GROWTH_MIB, `grew by ${ingest} and ${read} MiB`);
    assert.ok(editCells <= 8, `a small edit costs ${editCells} cells`);
  } finally {
    await world.close();
  }
});
