// What a hurried user gets wrong: it is said in full and with a next step that helps, and nothing is done.

import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { MARK } from '../../src/core/content/entry.ts';
import type { LocalApi } from '../../src/daemon/local-api.ts';
import { PEER_VIEW, PROGRESS, REVISION, STORAGE } from '../contract/rpc-local-fixture.ts';
import { entry, folder, items, rigWith, UNLOCKED } from './rig.ts';
import { runRows } from './rows.ts';

const SET = { revision: REVISION, addedFiles: 1, removedFiles: 0, skippedFiles: 0, skippedNames: [], unchanged: false };
const SETS_ANYTHING: Partial<LocalApi> = { setFile: async () => SET };
const skips = (skippedFiles: number, ...names: string[]): Partial<LocalApi> => ({
  setFile: async () => ({ ...SET, skippedFiles, skippedNames: names.map((name) => Buffer.from(name)) }),
});
const GIB = 1024 ** 3;
const TIB = 1024 ** 4;
/** With 1 GiB of peers' bytes on the disk. */
const storing = (limitBytes: number, diskFreeBytes: number): Partial<LocalApi> => ({
  setStorage: async () => ({ ...STORAGE, limitBytes, onlineBytes: GIB / 2, offlineBytes: GIB / 2, diskFreeBytes }),
});
const UNREADABLE = entry('keys', { marks: MARK.UNREADABLE });
const COMPLETE: Partial<LocalApi> = {
  async *recover() {
    const counts = { holdersOfNewest: 0, holders: 0, versions: 0, downloadedBytes: 0, totalDownloadedBytes: 0 };
    const files = {
      completeFiles: 0,
      missingFiles: 0,
      missingNames: [],
      recovered: true,
      waitingFor: '',
      transfers: [],
    };
    yield { newest: REVISION, ...counts, ...files, phase: 'complete', mode: 'normal', done: true };
  },
};

runRows([
  // A variable that is not set: the path must not become the folder that bb runs in.
  {
    bb: ['setfile', ''],
    daemon: SETS_ANYTHING,
    exit: 2,
    stderr: 'error: the path is empty\nhint: The folder that you are in is called ".".\n',
  },
  { bb: ['setfile', '', '--as', 'photos'], daemon: SETS_ANYTHING, exit: 2, stderr: /^error: the path is empty\n/ },
  { bb: ['setfile', '.', '--as', 'photos'], daemon: SETS_ANYTHING, exit: 0, stdout: /^photos: 1 entry new/ },
  // Not a backup, so not a success.
  {
    bb: ['setfile', 'keys'],
    daemon: skips(1, 'keys'),
    exit: 3,
    stdout: '',
    stderr:
      'error: keys could not be read, so nothing new was backed up\nhint: Make it readable, then run bb setfile again.\n',
    data: { skipped_files: 1, skipped: [{ path: 'keys' }] },
  },
  {
    bb: ['setfile', 'docs'],
    daemon: skips(5, 'docs/a\u001b', 'docs/b', 'docs/c', 'docs/d'),
    exit: 0,
    stderr:
      'warning: 5 entries were skipped (sockets, devices or unreadable): docs/a\\x1b, docs/b, docs/c and 2 more\n',
    data: { skipped_files: 5 },
  },
  {
    bb: ['setfile', 'docs'],
    daemon: skips(1, 'docs/a'),
    exit: 0,
    stderr: 'warning: 1 entry was skipped (sockets, devices or unreadable): docs/a\n',
  },
  // No peer and no recovery gives back what was never read.
  {
    bb: ['getfile', 'keys'],
    daemon: { readFiles: () => items(UNREADABLE) },
    exit: 3,
    stderr:
      'error: the file was unreadable when it was backed up\nhint: Make it readable, then run bb setfile again.\n',
  },
  {
    bb: ['peers'],
    exit: 2,
    stderr: /^error: bb peers needs one more word\nhint: Use bb peers with one of: list, show, /,
  },
  {
    bb: ['peers', 'lst'],
    exit: 2,
    stderr: /^error: bb peers lst is no command\nhint: Use bb peers with one of: list, /,
  },
  // Nobody is asked about a peer that does not exist.
  {
    bb: ['storage', 'set', '--limit', '1GiB', '--break-promises', 'anna,nobody'],
    daemon: { peers: async () => [PEER_VIEW] },
    exit: 19,
    stderr: /^error: no peer is called "nobody"\n/,
  },
  // Allowed, for a larger disk may be on its way.
  {
    bb: ['storage', 'set', '--limit', '100TiB'],
    daemon: storing(100 * TIB, 64 * GIB),
    exit: 0,
    stderr: 'warning: the disk has room for 65.0 GiB of it only; peers will be promised more than can be kept\n',
    data: { limit_bytes: 100 * TIB },
  },
  { bb: ['storage', 'set', '--limit', '65GiB'], daemon: storing(65 * GIB, 64 * GIB), exit: 0, stderr: '' },
  // Nothing is under way any more, so there is no progress to show.
  {
    bb: ['recover'],
    daemon: COMPLETE,
    exit: 0,
    stdout: 'Nothing to recover: this node has its content (revision 3: 0 files).\n',
    stderr: '',
  },
]);

test('init finds out what it lacks before it looks for a daemon', async () => {
  await using rig = await rigWith();
  const wrong: readonly [string[], RegExp][] = [
    [['--own-password', '--password-stdin'], /needs an account name/],
    [['--recover'], /there is no terminal to ask/],
    [['--recover', '--password-stdin', '--password-fd', '3'], /one channel only/],
    [['--new', '--kit-file', 'kit'], /hint: New words: leave out --new and --recover\./],
  ];
  for (const [args, says] of wrong) {
    const ran = await rig.bb(['init', '--no-start', ...args], { input: 'words' });
    assert.equal(ran.exit, 2, ran.stderr);
    assert.match(ran.stderr, says);
  }
});

test('init on a node that exists says so, whatever else it would need', async () => {
  await using rig = await rigWith(UNLOCKED);
  for (const args of [['--generate'], ['--recover'], ['--own-password', '--password-stdin']]) {
    const ran = await rig.bb(['init', ...args], { input: 'words' });
    assert.equal(ran.exit, 18, ran.stderr);
    assert.match(ran.stderr, /^error: this data directory has an identity already\n/);
  }
});

test('init finds a node whose daemon does not run, and starts none for it', async () => {
  await using rig = await rigWith();
  await mkdir(rig.dataDir);
  await writeFile(join(rig.dataDir, 'header.json'), '{}');
  const ran = await rig.bb(['init', '--generate']);
  assert.deepEqual([ran.exit, await readdir(rig.dataDir)], [18, ['header.json']]);
});

test('in a file progress says how much there is, and each further quarter', async () => {
  const at = (phase: string, done: number) => ({ ...PROGRESS, phase, done: done * GIB, total: 8 * GIB, etaSec: 0 });
  await using rig = await rigWith({
    setFile: async (_source, onProgress) => {
      for (const done of [0, 1, 2, 3, 5, 8]) onProgress({ ...at('read', done), bytesPerSec: 0 });
      onProgress({ ...at('index', 0), total: 0, bytesPerSec: 0 });
      return SET;
    },
  });
  const ran = await rig.bb(['setfile', 'docs']);
  assert.equal(
    ran.stderr,
    '* read: 8.0 GiB in all\n* read 2.0 GiB of 8.0 GiB (25 %)\n* read 5.0 GiB of 8.0 GiB (62 %)\n* index\n',
  );
});

test('unlock makes nothing where no node is, as in a mistyped data directory', async () => {
  await using rig = await rigWith();
  const ran = await rig.bb(['unlock', '--password-stdin'], { input: 'words' });
  assert.deepEqual([ran.exit, await readdir(rig.home)], [10, []]);
  assert.equal(ran.stderr, 'error: this data directory has no identity yet\nhint: Run bb init first.\n');
});

test('a file that is in the way is named with its folders', async () => {
  const stored = () => items(folder('docs'), folder('docs/deep'), entry('docs/deep/a'), 'new');
  await using rig = await rigWith({ readFiles: stored });
  await mkdir(join(rig.home, 'back/deep'), { recursive: true });
  await writeFile(join(rig.home, 'back/deep/a'), 'old');
  const ran = await rig.bb(['getfile', 'docs', 'back']);
  assert.deepEqual([ran.exit, ran.stderr], [18, 'error: deep/a exists already\nhint: Use --force to overwrite.\n']);
});
