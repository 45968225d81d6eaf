// bb getfile writes what was backed up and nothing else: links inside OUT are never followed, names never escape, nothing is
// overwritten unless asked, and a broken run leaves no half file.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink as makeLink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { SafeFolder } from '../../cli/safe-folder.ts';
import { BbError } from '../../src/core/errors.ts';
import type { Entry } from '../../src/core/content/entry.ts';
import { entry, folder, hardLink, items, rigWith, runCommand, BB, symlink } from './rig.ts';
import type { Rig } from './rig.ts';

const serve = (...parts: (Entry | string | Buffer)[]) => ({ readFiles: () => items(...parts) });
const TREE = [
  folder('docs', 0o755),
  entry('docs/a.txt', { mode: 0o600 }),
  'alpha',
  folder('docs/locked', 0o500),
  entry('docs/locked/run', { mode: 0o4755 }),
  '#!/bin/sh\n',
  symlink('docs/locked/up', '../a.txt'),
  entry('docs/empty', { mode: 0o444 }),
  hardLink('docs/second', 'docs/a.txt'),
] as const;

async function names(path: string): Promise<string[]> {
  return (await readdir(path, { recursive: true })).sort();
}

async function outside(rig: Rig): Promise<string> {
  const path = join(rig.home, 'outside');
  await mkdir(path);
  await writeFile(join(path, 'kept'), 'mine');
  return path;
}

test('a folder comes back with bytes, modes, times, links and hard links', async () => {
  await using rig = await rigWith(serve(...TREE));
  const out = join(rig.home, 'back');
  const { exit, body } = await rig.json(['getfile', 'docs', 'back']);
  assert.equal(exit, 0, JSON.stringify(body));
  assert.deepEqual(body.data, { out: 'back', files: 4, folders: 2, links: 1, bytes: 15, missing: 0 });
  assert.deepEqual(await names(out), ['a.txt', 'empty', 'locked', 'locked/run', 'locked/up', 'second']);
  assert.equal(await readFile(join(out, 'a.txt'), 'utf8'), 'alpha');
  assert.equal(await readlink(join(out, 'locked/up')), '../a.txt');
  const modes = await Promise.all(['', 'a.txt', 'locked', 'locked/run', 'empty'].map((name) => stat(join(out, name))));
  assert.deepEqual(
    modes.map(({ mode }) => mode & 0o7777),
    [0o755, 0o600, 0o500, 0o4755, 0o444],
  );
  for (const name of ['', 'a.txt', 'locked', 'locked/run', 'locked/up']) {
    const { mtimeNs } = await lstat(join(out, name), { bigint: true });
    const off = mtimeNs - 1_700_000_000_123_456_789n;
    assert.ok(off > -1000n && off < 1000n, `${name} is off by ${off} ns`);
  }
  assert.equal((await stat(join(out, 'second'))).ino, (await stat(join(out, 'a.txt'))).ino);
  await chmod(join(out, 'locked'), 0o700);
});

test('a single file goes to OUT or into the folder OUT; an existing one is kept without --force', async () => {
  await using rig = await rigWith(serve(entry('docs/a.txt', { mode: 0o604 }), 'new'));
  assert.equal((await rig.bb(['getfile', 'docs/a.txt', 'copy.txt'])).exit, 0);
  await mkdir(join(rig.home, 'in'));
  assert.equal((await rig.bb(['getfile', 'docs/a.txt', 'in'])).exit, 0);
  assert.equal(await readFile(join(rig.home, 'in/a.txt'), 'utf8'), 'new');
  await writeFile(join(rig.home, 'copy.txt'), 'old');
  const refused = await rig.bb(['getfile', 'docs/a.txt', 'copy.txt']);
  assert.equal(refused.exit, 18);
  assert.equal(refused.stderr, 'error: copy.txt exists already\nhint: Use --force to overwrite.\n');
  assert.equal(await readFile(join(rig.home, 'copy.txt'), 'utf8'), 'old');
  assert.equal((await rig.bb(['getfile', 'docs/a.txt', 'copy.txt', '--force'])).exit, 0);
  assert.equal(await readFile(join(rig.home, 'copy.txt'), 'utf8'), 'new');
  assert.equal((await stat(join(rig.home, 'copy.txt'))).mode & 0o777, 0o604);
  assert.equal((await rig.bb(['getfile', 'docs/a.txt', 'no/such/place'])).exit, 19);
  assert.deepEqual(await names(join(rig.home, 'in')), ['a.txt']);
});

test('a name that is taken meanwhile is not overwritten: the last step checks again, with no gap', async () => {
  await using rig = await rigWith();
  const [name, temporary] = [Buffer.from('a'), Buffer.from('.part')];
  const root = await SafeFolder.open(rig.home);
  await writeFile(join(rig.home, '.part'), 'new');
  await writeFile(join(rig.home, 'a'), 'theirs');
  await assert.rejects(root.publish(temporary, name, false), { code: 'EXISTS' });
  assert.equal(await readFile(join(rig.home, 'a'), 'utf8'), 'theirs');
  await root.publish(temporary, name, true);
  assert.equal(await readFile(join(rig.home, 'a'), 'utf8'), 'new');
  await root.close();
});

test('a link where OUT names a file is not written through', async () => {
  await using rig = await rigWith(serve(entry('a'), 'new'));
  const kept = join(await outside(rig), 'kept');
  await makeLink(kept, join(rig.home, 'link'));
  assert.equal((await rig.bb(['getfile', 'a', 'link'])).exit, 18);
  assert.equal((await rig.bb(['getfile', 'a', 'link', '--force'])).exit, 0);
  assert.equal(await readFile(kept, 'utf8'), 'mine');
  assert.equal(await readFile(join(rig.home, 'link'), 'utf8'), 'new');
});

for (const force of [[], ['--force']]) {
  test(`links inside OUT are never followed ${force.join('')}`, async () => {
    await using rig = await rigWith(serve(...TREE));
    const away = await outside(rig);
    await mkdir(join(rig.home, 'back'));
    await makeLink(away, join(rig.home, 'back/locked'));
    const ran = await rig.bb(['getfile', 'docs', 'back', ...force]);
    assert.equal(ran.exit, 18);
    assert.match(
      ran.stderr,
      /^error: locked is a link or a file where a folder belongs\nhint: Links are never followed/,
    );
    assert.deepEqual(await names(away), ['kept']);
  });

  test(`a link that the backup itself holds leads nowhere for later entries ${force.join('')}`, async () => {
    await using rig = await rigWith(
      serve(
        folder('docs'),
        symlink('docs/trap', '../outside'),
        entry('docs/trap/kept'),
        'evil',
        folder('docs/trap/new'),
      ),
    );
    const away = await outside(rig);
    assert.equal((await rig.bb(['getfile', 'docs', 'back', ...force])).exit, 18);
    assert.equal(await readFile(join(away, 'kept'), 'utf8'), 'mine');
    assert.deepEqual(await names(away), ['kept']);
  });

  test(`a dangling link in the place of a file is not written through ${force.join('')}`, async () => {
    await using rig = await rigWith(serve(folder('docs'), entry('docs/a'), 'new'));
    const away = await outside(rig);
    await mkdir(join(rig.home, 'back'));
    await makeLink(join(away, 'made'), join(rig.home, 'back/a'));
    const { exit } = await rig.bb(['getfile', 'docs', 'back', ...force]);
    assert.equal(exit, force.length > 0 ? 0 : 18);
    assert.deepEqual(await names(away), ['kept']);
    if (force.length > 0) assert.ok((await lstat(join(rig.home, 'back/a'))).isFile());
  });
}

const EVIL = [
  '../evil',
  'docs/../../evil',
  '/evil',
  'docs//evil',
  'docs/./evil',
  'docs/',
  'docs/..',
  'other/evil',
  'docs/e\0',
];
for (const name of EVIL) {
  test(`a name that escapes is refused: ${JSON.stringify(name)}`, async () => {
    await using rig = await rigWith(serve(folder('docs'), entry(name), 'evil'));
    await mkdir(join(rig.home, 'in'));
    const ran = await rig.bb(['getfile', 'docs', 'in/back']);
    assert.equal(ran.exit, 17, ran.stderr);
    assert.deepEqual(
      (await names(rig.home)).filter((path) => path.includes('evil')),
      [],
    );
    assert.deepEqual(await names(join(rig.home, 'in')), [], 'the folder that was made for it is taken back');
  });
}

test('a stream that breaks leaves what is complete and no half file', async () => {
  await using rig = await rigWith({
    async *readFiles() {
      yield* items(folder('docs'), entry('docs/a'), 'alpha');
      yield { kind: 'entry' as const, entry: entry('docs/b', { size: 100 }) };
      yield { kind: 'data' as const, bytes: Buffer.alloc(50) };
      throw new BbError('INTEGRITY', 'a cell is damaged');
    },
  });
  const ran = await rig.bb(['getfile', 'docs', 'back']);
  assert.equal(ran.exit, 17);
  assert.deepEqual(await names(join(rig.home, 'back')), ['a']);
});

for (const size of [4, 6]) {
  test(`a file of 5 bytes that was announced with ${size} is refused`, async () => {
    await using rig = await rigWith({
      async *readFiles() {
        yield { kind: 'entry' as const, entry: entry('a', { size }) };
        yield { kind: 'data' as const, bytes: Buffer.from('alpha') };
      },
    });
    assert.equal((await rig.bb(['getfile', 'a', 'b'])).exit, 17);
    assert.deepEqual(await names(rig.home).then((all) => all.filter((name) => !name.startsWith('node'))), []);
  });
}

test('what could not be backed up or linked is named, and the exit says partly done', async () => {
  const parts = [
    folder('docs'),
    entry('docs/bad', { marks: 2 }),
    hardLink('docs/far', 'other/file'),
    entry('docs/ok'),
    'x',
  ];
  await using rig = await rigWith(serve(...parts));
  const ran = await rig.bb(['getfile', 'docs', 'back']);
  assert.equal(ran.exit, 3);
  assert.match(ran.stderr, /docs\/bad was unreadable when it was backed up\n.*docs\/far is a further name/);
  assert.deepEqual(await names(join(rig.home, 'back')), ['ok']);
});

test('a file that could not be read again comes out as it was read before', async () => {
  const sha256 = createHash('sha256').update('old').digest();
  const old = entry('docs/old', { marks: 2, size: 3, sha256 });
  await using rig = await rigWith(serve(folder('docs'), old, 'old'));
  assert.equal((await rig.bb(['getfile', 'docs', 'back'])).exit, 0);
  assert.equal(await readFile(join(rig.home, 'back/old'), 'utf8'), 'old');
  await using pipe = await rigWith(serve(old, 'old'));
  assert.equal((await pipe.bb(['getfile', 'docs/old'])).stdout, 'old');
});

test('bytes on a pipe are the file; a folder is a tar archive', async () => {
  const bytes = Buffer.alloc(200_000, 7);
  await using rig = await rigWith(serve(entry('deep/bin'), bytes));
  assert.ok((await rig.bb(['getfile', 'deep/bin'])).raw.equals(bytes));
  await rig.stop();
  const tree = [
    folder('top/docs', 0o755),
    entry('top/docs/a'),
    'alpha',
    symlink('top/docs/l', 'a'),
    hardLink('top/docs/h', 'top/docs/a'),
  ];
  await rig.start(serve(...tree));
  const tar = await rig.bb(['getfile', 'top/docs']);
  assert.equal(tar.exit, 0, tar.stderr);
  await writeFile(join(rig.home, 'x.tar'), tar.raw);
  await promisify(execFile)('tar', ['-xf', 'x.tar'], { cwd: rig.home });
  const back = join(rig.home, 'docs');
  assert.deepEqual(await names(back), ['a', 'h', 'l']);
  assert.equal(await readFile(join(back, 'h'), 'utf8'), 'alpha');
  assert.equal(await readlink(join(back, 'l')), 'a');
  assert.equal((await lstat(join(back, 'a'), { bigint: true })).mtimeNs, 1_700_000_000_123_456_789n);
  assert.equal((await rig.bb(['getfile', 'top/docs', '--json'])).exit, 2);
});

test('a terminal gets text and never binary or a folder', async () => {
  const onTerminal = (rig: Rig, args: string) =>
    runCommand(['script', '-qec', `${BB} --data-dir ${rig.dataDir} ${args}`, '/dev/null'], rig.home);
  await using rig = await rigWith(serve(entry('a'), 'line äöü\n'));
  assert.match((await onTerminal(rig, 'getfile a')).stdout, /line äöü/);
  for (const bytes of [
    Buffer.from([1, 2, 3]),
    Buffer.from('\u001b[2J'),
    Buffer.from([0x66, 0x66, 0x66, 0x66, 0xff, 0x66]),
  ]) {
    await rig.stop();
    await rig.start(serve(entry('a'), bytes));
    const ran = await onTerminal(rig, 'getfile a');
    assert.deepEqual([ran.exit, ran.stdout.includes('is not text')], [2, true]);
  }
  await rig.stop();
  await rig.start(serve(folder('d'), entry('d/a'), 'x'));
  assert.equal((await onTerminal(rig, 'getfile d')).exit, 2);
});

test('recover --to writes everything below the folder, and goes on where an earlier run was broken off', async () => {
  const update = { newest: undefined, holdersOfNewest: 1, holders: 1, versions: 1, downloadedBytes: 1 };
  const rest = {
    totalDownloadedBytes: 1,
    completeFiles: 1,
    missingFiles: 0,
    missingNames: [],
    recovered: true,
    waitingFor: '',
    transfers: [],
  };
  await using rig = await rigWith({
    ...serve(...TREE, entry('top'), 'level'),
    async *recover() {
      yield { ...update, ...rest, phase: 'complete' as const, mode: 'normal' as const, done: true };
    },
  });
  const { exit, body } = await rig.json(['recover', '--to', 'deep/back', '-y', '--wait']);
  assert.equal(exit, 0, JSON.stringify(body));
  assert.equal(body.t, 'result');
  assert.equal((body.data['restored'] as { files: number }).files, 5);
  const back = join(rig.home, 'deep/back');
  assert.equal(await readFile(join(back, 'top'), 'utf8'), 'level');

  // As after a run that was broken off: what it finished stays as it is, the rest is written.
  await rm(join(back, 'top'));
  await chmod(join(back, 'docs'), 0o700);
  const { ino } = await stat(join(back, 'docs/a.txt'));
  assert.equal((await rig.json(['recover', '--to', 'deep/back', '-y'])).exit, 0);
  assert.equal(await readFile(join(back, 'top'), 'utf8'), 'level');
  assert.equal((await stat(join(back, 'docs/a.txt'))).ino, ino);
  assert.equal((await stat(join(back, 'docs'))).mode & 0o777, 0o755);

  // What is not of that run is not touched.
  await writeFile(join(back, 'top'), 'other');
  assert.equal((await rig.json(['recover', '--to', 'deep/back', '-y'])).exit, 18);
  assert.equal(await readFile(join(back, 'top'), 'utf8'), 'other');
  await chmod(join(rig.home, 'deep/back/docs/locked'), 0o700);
});
