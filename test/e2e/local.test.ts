// One node without a network: the ordinary bad input with its exit code and hint, and the memory of a large file.
// Nothing here needs tor; the node is configured with a tor that does not exist.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { allGone } from './harness/processes.ts';
import { peakMib, resetPeak } from './harness/memory.ts';
import type { TestNode } from './harness/node.ts';
import { countFiles, differences, readTree } from './harness/trees.ts';
import { World } from './harness/world.ts';

const MIB = 1024 * 1024;
const LARGE_MIB = 512;
const PEAK_MAX_MIB = 256;

let world: World;
let ada: TestNode;

before(async () => {
  world = await World.create({ timeDivisor: 1, hasTor: false });
  ada = world.node('ada');
});

after(() => world.close());

async function fails(node: TestNode, args: readonly string[], exit: number, code: string, stdin = ''): Promise<string> {
  const { error } = await node.bb(args, { exit, stdin });
  assert.equal(error?.code, code, `bb ${args.join(' ')}`);
  assert.notEqual(error?.hint, '');
  return `${error?.message} ${error?.hint}`;
}

test('without a daemon bb says so with exit 13, and unlock --no-start starts none', async () => {
  await fails(ada, ['status'], 13, 'DAEMON_NOT_RUNNING');
  await fails(ada, ['unlock', '--no-start', '--password-stdin'], 13, 'DAEMON_NOT_RUNNING', 'a b c');
  assert.ok(await allGone(ada.dataDir, 0));
});

test('a daemon without an identity answers with exit 10, the recovery kit is never lost', async () => {
  await fails(ada, ['unlock', '--password-stdin'], 10, 'NOT_INITIALISED', 'a b c');
  await fails(ada, ['setfile', '/etc/hostname'], 10, 'NOT_INITIALISED');
  const lost = await ada.run(['init', '--generate']);
  assert.equal(lost.exit, 2, lost.stderr);
  assert.match(lost.stderr, /^error: .*\nhint: .*--kit-file/s);
  await fails(ada, ['init', '--recover', '--password-stdin'], 2, 'BAD_PHRASE', 'abandon '.repeat(24));
});

test('init --json returns the words once; a second identity in the same directory is refused with exit 18', async () => {
  await ada.init();
  assert.equal(ada.words.split(' ').length, 24);
  await fails(ada, ['init', '--generate'], 18, 'ALREADY_INITIALISED');
  assert.equal(readFileSync(join(ada.dataDir, 'bbd.log'), 'utf8').includes(ada.words.slice(0, 20)), false);
});

test('a second daemon on one data directory ends with exit 18 and leaves the first alone', async () => {
  const second = spawnSync(world.bbd, ['--data-dir', ada.dataDir], { encoding: 'utf8', timeout: 60_000 });
  assert.equal(second.status, 18, second.stderr);
  assert.match(second.stderr, /^error: .*\nhint: .*Stop the other bbd first/m);
  assert.equal((await ada.data(['status']))['state'], 'unlocked');
});

test('without tor the node serves local commands, says so, and what needs Tor exits 69', async () => {
  const { tor } = (await ada.data(['status'])) as { tor: { phase: string; words: string } };
  assert.equal(tor.phase, 'absent');
  assert.match(tor.words, /tor/i);
  const other = 'ne7xndatp5xzccir7yvlmi3hdo53ocrirk5zczbfrq2ypxlmfyivtgyd';
  assert.match(await fails(ada, ['connect', other], 69, 'NO_TOR'), /install/i);
});

test('onion ids that cannot be: malformed 2, our own 18, never added 19', async () => {
  await fails(ada, ['connect', 'bb:notanonionid'], 2, 'BAD_ONION_ID');
  await fails(ada, ['connect', ada.onionId], 18, 'OWN_ONION_ID');
  await fails(ada, ['contracts', 'propose', 'nobody', '--give', '1MiB', '-y'], 19, 'UNKNOWN_PEER');
  await fails(ada, ['contracts', 'check', 'nobody'], 19, 'UNKNOWN_PEER');
});

test('names that would escape a folder are refused, and change nothing', async () => {
  for (const name of ['/etc/passwd', '../up', 'a/../../b', '.']) {
    await fails(ada, ['setfile', '/etc/hostname', '--as', name], 2, 'BAD_NAME');
  }
  await fails(ada, ['setfile', join(world.root, 'no-such-file')], 19, 'NOT_FOUND');
  assert.equal((await ada.data(['status']))['files'], 0);
});

test('a folder goes in and comes out the same; a second setfile takes deletions with it', async () => {
  const source = world.folder('source');
  mkdirSync(join(source, 'deep/er'), { recursive: true, mode: 0o750 });
  writeFileSync(join(source, 'deep/er/words.txt'), 'some words\n'.repeat(2000), { mode: 0o640 });
  writeFileSync(join(source, 'empty'), '');
  writeFileSync(join(source, Buffer.from([0x66, 0xff, 0x67]).toString('latin1')), 'odd name');
  symlinkSync('deep/er/words.txt', join(source, 'link'));
  symlinkSync('/nowhere', join(source, 'dangling'));
  await ada.data(['setfile', source, '--as', 'home/docs']);
  const out = join(world.root, 'out');
  await ada.data(['getfile', 'home/docs', out]);
  assert.deepEqual(differences(await readTree(source), await readTree(out)), []);
  await fails(ada, ['getfile', 'home/docs', out], 18, 'EXISTS');

  rmSync(join(source, 'deep'), { recursive: true });
  const set = await ada.data(['setfile', source, '--as', 'home/docs']);
  assert.equal(set['removed_files'], 1); // files and links; folders are not counted
  const again = join(world.root, 'again');
  await ada.data(['getfile', 'home/docs', again]);
  assert.deepEqual(differences(await readTree(source), await readTree(again)), []);
  assert.equal(countFiles(await readTree(again)).files, 4);
  await fails(ada, ['getfile', 'home/docs/deep/er/words.txt', join(world.root, 'x')], 19, 'NOT_FOUND');
});

test('one file through a pipe, both ways', async () => {
  const text = 'streamed\n'.repeat(100_000);
  await ada.data(['setfile', '--stdin', '--as', 'piped'], { stdin: text });
  const { exit, stdout } = await ada.run(['getfile', 'piped']);
  assert.equal(exit, 0);
  assert.equal(stdout.toString('utf8'), text);
  await ada.data(['rmfile', 'piped', '-y']);
  await fails(ada, ['getfile', 'piped', join(world.root, 'piped')], 19, 'NOT_FOUND');
});

test('lock wipes the keys: content commands exit 11, a wrong secret 12, the right one opens', async () => {
  await ada.data(['lock']);
  for (const args of [['listfiles'], ['setfile', '/etc/hostname'], ['contracts', 'list'], ['status', '--check']]) {
    await fails(ada, args, 11, 'LOCKED');
  }
  const wrong = ada.words.split(' ').toReversed().join(' ');
  await fails(ada, ['unlock', '--password-stdin'], 12, 'WRONG_SECRET', wrong);
  await fails(ada, ['listfiles'], 11, 'LOCKED');
  await ada.unlock();
  await ada.data(['listfiles']);
});

test('a time divisor is refused outside of a test network, with exit 2', () => {
  const dir = world.folder('divided');
  writeFileSync(join(dir, 'config.toml'), '[test]\ntime_divisor = 2\n');
  const run = spawnSync(world.bbd, ['--data-dir', dir], { encoding: 'utf8', timeout: 60_000 });
  assert.equal(run.status, 2, run.stderr);
  assert.match(run.stderr, /time_divisor/);
});

test(`a random file of ${LARGE_MIB} MiB goes in and out with a peak under ${PEAK_MAX_MIB} MiB`, async (context) => {
  const file = join(world.root, 'noise');
  const handle = openSync(file, 'w');
  const block = Buffer.alloc(MIB);
  for (let at = 0; at < LARGE_MIB; at += 1) writeSync(handle, randomFillSync(block));
  closeSync(handle);
  const daemon = ada.pid;
  resetPeak(daemon);
  const startMs = performance.now();
  await ada.data(['setfile', file, '--as', 'noise']);
  const seconds = (performance.now() - startMs) / 1000;
  const setPeak = peakMib(daemon);
  const back = join(world.root, 'noise.back');
  await ada.data(['getfile', 'noise', back]);
  const peak = peakMib(daemon);
  context.diagnostic(
    `setfile ${(LARGE_MIB / seconds).toFixed(0)} MiB/s, peak ${setPeak} MiB; with getfile ${peak} MiB`,
  );
  assert.equal(spawnSync('cmp', [file, back]).status, 0);
  assert.ok(peak < PEAK_MAX_MIB, `the daemon took ${peak} MiB`);
  rmSync(file);
  rmSync(back);
});
