// How fast and in how much memory one large file goes in, is read back and comes out again. Prints figures, judges
// nothing: node test/bench/ingest.ts [MiB]

import { randomFillSync } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { World } from '../contract/workers-world.ts';

const MIB = 1024 * 1024;
const sizeMib = Number(process.argv[2] ?? 512);

/** Peak resident memory of the process since the last reset, all threads together. */
export function peakMib(): number {
  const line = fs.readFileSync('/proc/self/status', 'utf8').match(/VmHWM:\s+(\d+) kB/);
  return Number(line?.[1]) / 1024;
}

export function resetPeak(): void {
  fs.writeFileSync('/proc/self/clear_refs', '5');
}

function writeNoise(file: string, mib: number): void {
  const block = Buffer.allocUnsafe(MIB);
  const handle = fs.openSync(file, 'w');
  for (let index = 0; index < mib; index++) fs.writeSync(handle, randomFillSync(block));
  fs.closeSync(handle);
}

async function timed<T>(what: string, mib: number, job: () => Promise<T>): Promise<T> {
  resetPeak();
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  const result = await job();
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    `${what}: ${seconds.toFixed(2)} s, ${(mib / seconds).toFixed(0)} MiB/s, CPU ${((user + system) / 1e6).toFixed(2)} s, peak ${peakMib().toFixed(0)} MiB`,
  );
  return result;
}

const world = await World.open();
try {
  const file = path.join(world.dir, 'noise');
  writeNoise(file, sizeMib);
  console.log(`memory at rest ${peakMib().toFixed(0)} MiB`);
  const row = await timed('ingest and read back', sizeMib, () => world.setPath(Buffer.from(file), 'noise'));
  await timed('read', sizeMib, async () => {
    for await (const item of world.workers.read(row, Buffer.alloc(0))) void item;
  });
  const handle = fs.openSync(file, 'r+');
  fs.writeSync(handle, Buffer.from('0123456789'), 0, 10, (sizeMib * MIB) / 2);
  fs.closeSync(handle);
  const edited = await timed('small edit', sizeMib, async () => {
    const staged = await world.change({ kind: 'path', path: Buffer.from(file), name: Buffer.from('noise') });
    console.log(`new cells of a 10-byte edit, heads included: ${staged.newCells + 2}`);
    return world.commit(staged);
  });
  console.log(`cells ${world.blobCells(edited)}, crashes ${world.crashes.length}`);
} finally {
  await world.close();
}
