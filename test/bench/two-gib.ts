// A file of 2 GiB through the installed daemon, in and out: MB/s and the daemon's peak memory since unlock, which must stay
// under 256 MiB. Not part of make test: node test/bench/two-gib.ts [MiB]

import { spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { peakMib, resetPeak } from '../e2e/harness/memory.ts';
import { World } from '../e2e/harness/world.ts';

const MIB = 1024 * 1024;
const PEAK_MAX_MIB = 256;
const sizeMib = Number(process.argv[2] ?? 2048);

const world = await World.create({ timeDivisor: 1, hasTor: false });
try {
  const node = world.node('node');
  await node.init();
  const file = join(world.root, 'noise');
  const handle = openSync(file, 'w');
  const block = Buffer.alloc(MIB);
  for (let at = 0; at < sizeMib; at += 1) writeSync(handle, randomFillSync(block));
  closeSync(handle);
  resetPeak(node.pid);
  await timed('setfile', ['setfile', file, '--as', 'noise']);
  const back = join(world.root, 'back');
  await timed('getfile', ['getfile', 'noise', back]);
  const isSame = spawnSync('cmp', [file, back]).status === 0;
  const peak = peakMib(node.pid);
  console.log(`identical=${isSame ? 'yes' : 'no'} peak_mib=${peak}`);
  if (!isSame || peak >= PEAK_MAX_MIB) process.exitCode = 1;

  async function timed(what: string, args: readonly string[]): Promise<void> {
    const startMs = performance.now();
    await node.bb(args, { limitMs: 600_000 });
    const seconds = (performance.now() - startMs) / 1000;
    console.log(`${what}: ${((sizeMib * MIB) / 1e6 / seconds).toFixed(0)} MB/s, peak ${peakMib(node.pid)} MiB`);
  }
} finally {
  await world.close();
}
