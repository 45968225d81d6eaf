// The walker: table order, names as bytes, links not followed, what cannot be stored is counted.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { ENTRY_KIND } from '../../src/core/content/entry.ts';
import { compareNames } from '../../src/core/content/path.ts';
import { isBbError } from '../../src/core/errors.ts';
import { readSourceFile, READ_BLOCK_BYTES } from '../../src/storage/source/read-file.ts';
import { walk } from '../../src/storage/source/walk.ts';
import type { Skipped, WalkedEntry } from '../../src/storage/source/walk.ts';

function tempDir(t: TestContext): string {
  const dir = fs.mkdtempSync(`${tmpdir()}/bb-walk-`);
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function walked(root: string): Promise<{ entries: WalkedEntry[]; skipped: Skipped[] }> {
  const entries: WalkedEntry[] = [];
  const skipped: Skipped[] = [];
  for await (const item of walk(Buffer.from(root))) {
    if (item.kind === 'skipped') skipped.push(item);
    else entries.push(item);
  }
  return { entries, skipped };
}

async function readAll(path: string): Promise<{ bytes: Buffer; end: string }> {
  const parts: Buffer[] = [];
  const reading = readSourceFile(Buffer.from(path));
  for (;;) {
    const next = await reading.next();
    if (next.done === true) return { bytes: Buffer.concat(parts), end: next.value };
    parts.push(Buffer.from(next.value));
  }
}

test('a tree comes in table order, folders before their entries', async (t) => {
  const dir = tempDir(t);
  for (const name of ['a/b', 'a-b', 'a.b', 'a/c/d', 'B', 'é', 'z']) {
    fs.mkdirSync(`${dir}/${name}`.replace(/\/[^/]*$/, ''), { recursive: true });
    fs.writeFileSync(`${dir}/${name}`, name);
  }
  const odd = Buffer.concat([Buffer.from(`${dir}/`), Buffer.of(0xff, 0x0a, 0x80)]);
  fs.writeFileSync(odd, 'odd');
  fs.mkdirSync(`${dir}/empty`);
  const { entries, skipped } = await walked(dir);
  assert.deepEqual(skipped, []);
  const names = entries.map(({ path }) => path.toString('latin1'));
  const expected = [
    '',
    'B',
    'a',
    'a/b',
    'a/c',
    'a/c/d',
    'a-b',
    'a.b',
    'empty',
    'z',
    Buffer.from('é').toString('latin1'),
  ];
  assert.deepEqual(names, [...expected, '\xff\x0a\x80']);
  assert.deepEqual(
    entries.map(({ path }) => path),
    entries.map(({ path }) => path).toSorted(compareNames),
  );
  assert.equal(entries.at(-1)?.diskPath.equals(odd), true);
});

test('an entry tells size, mode, owner and times to the nanosecond', async (t) => {
  const dir = tempDir(t);
  const file = `${dir}/f`;
  fs.writeFileSync(file, '12345');
  fs.chmodSync(file, 0o4751);
  execFileSync('touch', ['-d', '2001-02-03 04:05:06.123456789 UTC', file]);
  const { entries } = await walked(file);
  const stats = fs.statSync(file, { bigint: true });
  assert.deepEqual(entries, [
    {
      kind: ENTRY_KIND.FILE,
      path: Buffer.alloc(0),
      diskPath: Buffer.from(file),
      size: 5,
      mtimeNs: 981_173_106_123_456_789n,
      ctimeNs: stats.ctimeNs,
      mode: 0o4751,
      uid: Number(stats.uid),
      gid: Number(stats.gid),
      target: Buffer.alloc(0),
    },
  ]);
});

test('links are entries and never followed, dangling and looping ones included', async (t) => {
  const dir = tempDir(t);
  fs.mkdirSync(`${dir}/real`);
  fs.symlinkSync('..', `${dir}/real/up`);
  fs.symlinkSync('/nowhere/at all', `${dir}/dangling`);
  fs.symlinkSync('real', `${dir}/folder`);
  const { entries } = await walked(dir);
  const links = entries.filter(({ kind }) => kind === ENTRY_KIND.SYMLINK);
  assert.deepEqual(
    links.map(({ path, target }) => [path.toString(), target.toString()]),
    [
      ['dangling', '/nowhere/at all'],
      ['folder', 'real'],
      ['real/up', '..'],
    ],
  );
  const root = await walked(`${dir}/folder`);
  assert.deepEqual(
    root.entries.map(({ kind }) => kind),
    [ENTRY_KIND.SYMLINK],
  );
});

test('pipes and sockets are skipped and counted', async (t) => {
  const dir = tempDir(t);
  execFileSync('mkfifo', [`${dir}/pipe`]);
  fs.writeFileSync(`${dir}/file`, '');
  const { entries, skipped } = await walked(dir);
  assert.deepEqual(skipped, [{ kind: 'skipped', reason: 'special', path: Buffer.from('pipe') }]);
  assert.equal(entries.length, 2);
});

test('nothing at the root is NOT_FOUND; an aborted walk stops', async (t) => {
  const dir = tempDir(t);
  await assert.rejects(walked(`${dir}/none`), (error) => isBbError(error, 'NOT_FOUND'));
  const reason = new Error('enough');
  const walking = walk(Buffer.from(dir), AbortSignal.abort(reason));
  await assert.rejects(walking.next(), (error) => error === reason);
});

test('a file is read whole, whatever its size, and is unchanged', async (t) => {
  const dir = tempDir(t);
  for (const size of [0, 1, READ_BLOCK_BYTES - 1, READ_BLOCK_BYTES, READ_BLOCK_BYTES + 1]) {
    const bytes = Buffer.alloc(size, `block of ${size} `);
    fs.writeFileSync(`${dir}/f`, bytes);
    const { bytes: read, end } = await readAll(`${dir}/f`);
    assert.ok(read.equals(bytes));
    assert.equal(end, 'unchanged');
  }
});

test('a file that grows or is rewritten while it is read says so', async (t) => {
  const file = `${tempDir(t)}/f`;
  fs.writeFileSync(file, Buffer.alloc(2 * READ_BLOCK_BYTES));
  for (const change of [() => fs.appendFileSync(file, 'x'), () => fs.writeSync(fs.openSync(file, 'r+'), 'y', 0)]) {
    const reading = readSourceFile(Buffer.from(file));
    await reading.next();
    change();
    let next = await reading.next();
    while (next.done !== true) next = await reading.next();
    assert.equal(next.value, 'changed');
  }
});

test('a pipe that is named itself is refused, not passed over', async (t) => {
  const dir = tempDir(t);
  execFileSync('mkfifo', [`${dir}/pipe`]);
  await assert.rejects(walked(`${dir}/pipe`), { code: 'USAGE' });
});

test('what is not a readable file is unreadable, and nothing hangs', async (t) => {
  const dir = tempDir(t);
  fs.writeFileSync(`${dir}/real`, 'secret');
  fs.symlinkSync('real', `${dir}/link`);
  execFileSync('mkfifo', [`${dir}/pipe`]);
  for (const name of ['none', 'link', 'pipe', '.']) {
    assert.deepEqual(await readAll(`${dir}/${name}`), { bytes: Buffer.alloc(0), end: 'unreadable' }, name);
  }
});
