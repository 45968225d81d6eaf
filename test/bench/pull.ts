// How fast a storer pulls over links like Tor's: each lane late and slow on its own. Prints, judges nothing.
// `node test/bench/pull.ts [--mib 64] [--delay 300] [--kbps 1000]`: delay one way in ms, rate of each lane in kB/s.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { parseArgs } from 'node:util';
import { realClock } from '../net/real-clock.ts';
import { agree, DaemonWorld, noiseOf } from '../contract/daemon-world.ts';

const MIB = 1024 ** 2;
const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '64' },
    delay: { type: 'string', default: '300' },
    kbps: { type: 'string', default: '1000' },
  },
});

test('pull', async (context) => {
  const [owner, storer] = await DaemonWorld.ready(context, 'owner', 'storer');
  if (owner === undefined || storer === undefined) throw new Error('no nodes');
  await owner.api.setStorage(0, 1);
  await agree(owner, storer, 2 * Number(values.mib) * MIB);
  const { world } = owner;
  await world.until('the contract is in a revision', () => owner.isProvedAt(storer));
  const slow = `${owner.socketPath}.slow`;
  const args = [`${import.meta.dirname}/../net/slow-link.ts`, slow, owner.socketPath, values.delay];
  const link = spawn(process.execPath, [...args, String(Number(values.kbps) * 1000)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  context.after(() => link.kill());
  await once(link.stdout, 'data');
  world.detours.set(owner.socketPath, slow);
  world.breakStreams(() => true);
  const mark = storer.events.length;
  await owner.setFiles({ big: noiseOf('bench', Number(values.mib) * MIB) });
  await storer.hears('offer-received', {}, mark);
  const startedMs = performance.now();
  const pulledBefore = storer.bytes('pulled', owner);
  while (storer.said('revision-held', {}, mark).length === 0) await realClock.sleep(20);
  const seconds = (performance.now() - startedMs) / 1000;
  const mib = (storer.bytes('pulled', owner) - pulledBefore) / MIB;
  console.log(`${mib.toFixed(0)} MiB in ${seconds.toFixed(1)} s: ${(mib / seconds).toFixed(2)} MiB/s`);
});
