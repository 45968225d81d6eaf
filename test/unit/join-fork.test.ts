// Two file tables become one: whatever the line has stays, whatever the fork has stays, and names that clash are told apart.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENTRY_KIND, MARK, NAMESPACE } from '../../src/core/content/entry.ts';
import type { Entry } from '../../src/core/content/entry.ts';
import { compareEntries } from '../../src/core/content/file-table.ts';
import { compareNames, nameKey } from '../../src/core/content/path.ts';
import { recoveredName } from '../../src/core/content/recovered-name.ts';
import { joinFork } from '../../src/work/content/join-fork.ts';

const NONE = Buffer.alloc(0);

/** "name/" is a folder, "name -> target" a link, "name=bytes" a file, "name!" one that could not be read, "*name" a system record. */
function entry(text: string): Entry {
  const [, system, name, rest] = /^(\*?)(.*?)(\/|!| -> .*|=.*)$/.exec(text) ?? assert.fail(text);
  const isFile = rest?.startsWith('=') === true;
  return {
    namespace: system === '' ? NAMESPACE.USER : NAMESPACE.SYSTEM,
    kind: rest === '/' ? ENTRY_KIND.FOLDER : rest?.startsWith(' ->') === true ? ENTRY_KIND.SYMLINK : ENTRY_KIND.FILE,
    path: Buffer.from(name ?? ''),
    size: isFile ? 1 : 0,
    mtimeNs: 0n,
    mode: 0,
    uid: 0,
    gid: 0,
    owner: NONE,
    group: NONE,
    target: Buffer.from(rest?.startsWith(' ->') === true ? rest.slice(4) : ''),
    sha256: Buffer.from(isFile ? (rest?.slice(1) ?? '') : ''),
    chunkIds: NONE,
    marks: rest === '!' ? MARK.UNREADABLE : 0,
    xattrs: [],
    holes: [],
    extensions: [],
  };
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function joined(line: readonly string[], fork: readonly string[]): Promise<string[]> {
  const sorted = (texts: readonly string[]) => each(texts.map(entry).toSorted(compareEntries));
  const lines: string[] = [];
  for await (const item of joinFork(sorted(line), sorted(fork))) {
    const path = item.entry.path.toString();
    lines.push(item.from === 'aside' ? `${path} aside of ${item.top.toString()}` : `${path} of the ${item.from}`);
  }
  return lines;
}

test('files of both are there, and what is equal is there once', async () => {
  assert.deepEqual(await joined(['a=1', 'c=1', 'd/', 'd/x=1'], ['a=1', 'b=1', 'd/', 'd/y=1', 'e/']), [
    'a of the line',
    'b of the fork',
    'c of the line',
    'd of the line',
    'd/x of the line',
    'd/y of the fork',
    'e of the fork',
  ]);
});

test('other bytes, another target or another kind under one name goes aside', async () => {
  assert.deepEqual(await joined(['a=1', 'b -> x', 'c=1'], ['a=2', 'b -> y', 'c -> x']), [
    'a of the line',
    'a aside of a',
    'b of the line',
    'b aside of b',
    'c of the line',
    'c aside of c',
  ]);
});

test('a folder goes aside with all that is in it, a file from where a folder is', async () => {
  assert.deepEqual(await joined(['a=1'], ['a/', 'a/b=1', 'a/c/', 'a/c/d=1', 'a.b=1']), [
    'a of the line',
    'a aside of a',
    'a/b aside of a',
    'a/c aside of a',
    'a/c/d aside of a',
    'a.b of the fork',
  ]);
  // Folders need no entry of their own.
  assert.deepEqual(await joined(['a=1'], ['a/b=1']), ['a of the line', 'a/b aside of a']);
  assert.deepEqual(await joined(['a/b=1'], ['a=1']), ['a aside of a', 'a/b of the line']);
  assert.deepEqual(await joined(['a/', 'a/b=1'], ['a=1']), ['a of the line', 'a aside of a', 'a/b of the line']);
});

test('a file without bytes and a system record of the fork give way', async () => {
  assert.deepEqual(await joined(['a=1', '*s=1'], ['a!', 'b!', '*s=2', '*t=1']), [
    'a of the line',
    'b of the fork',
    's of the line',
    't of the fork',
  ]);
});

test('the name beside the line tells the fork by its sequence, and is never too long', () => {
  const name = (path: string, top: string, attempt = 1): string =>
    recoveredName(Buffer.from(path), Buffer.from(top), 7, attempt).toString();
  assert.equal(name('a/b.txt', 'a/b.txt'), 'a/b.txt.recovered-7');
  assert.equal(name('a/b/c', 'a'), 'a.recovered-7/b/c');
  assert.equal(name('a', 'a', 2), 'a.recovered-7.2');
  assert.equal(name('x'.repeat(243), 'x'.repeat(243)).length, 255);
  assert.match(name('x'.repeat(244), 'x'.repeat(244)), /^recovered-7-[0-9a-f]{16}$/);
  const deep = `a/${'d/'.repeat(2040)}e`;
  assert.equal(name(deep, 'a').length, deep.length + 12);
  assert.match(name(`${deep}/123456`, 'a'), /^recovered-7-[0-9a-f]{16}$/);
  assert.notEqual(name(`${deep}/123456`, 'a'), name(`${deep}/123457`, 'a'));
});

test('the key of a name sorts as the name does', () => {
  const names = ['a', 'a/b', 'a b', 'a.b', 'b', 'ab', 'a/b/c', 'a\x01', 'a/\xff'].map((name) => Buffer.from(name));
  const byKey = names.toSorted((a, b) => Buffer.compare(nameKey(a), nameKey(b)));
  assert.deepEqual(byKey, names.toSorted(compareNames));
});
