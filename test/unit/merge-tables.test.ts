// What a new walk does to the stored table: replaced, removed, and kept where nothing could be seen.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENTRY_KIND, NAMESPACE } from '../../src/core/content/entry.ts';
import type { Entry } from '../../src/core/content/entry.ts';
import { mergeTables } from '../../src/work/content/merge.ts';
import type { WalkedItem } from '../../src/work/content/new-items.ts';

const NONE = Buffer.alloc(0);

function entry(path: string, namespace: Entry['namespace'] = NAMESPACE.USER): Entry {
  const named = {
    namespace,
    kind: ENTRY_KIND.FILE,
    path: Buffer.from(path),
    size: 0,
    mtimeNs: 0n,
    mode: 0,
    uid: 0,
    gid: 0,
  };
  const bytes = { owner: NONE, group: NONE, target: NONE, sha256: NONE, chunkIds: NONE };
  return { ...named, ...bytes, marks: 0, xattrs: [], holes: [], extensions: [] };
}

const found = (path: string): WalkedItem => ({ entry: entry(path), file: undefined });
const leftOut = (path: string, isUnseen: boolean): WalkedItem => ({
  entry: undefined,
  file: undefined,
  name: Buffer.from(path),
  isUnseen,
});
const unseen = (path: string): WalkedItem => leftOut(path, true);
const special = (path: string): WalkedItem => leftOut(path, false);

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function merged(old: readonly string[], fresh: readonly WalkedItem[], name: string): Promise<string[]> {
  const lines: string[] = [];
  const table = [...old.map((path) => entry(path)), entry('a/x', NAMESPACE.SYSTEM)];
  for await (const item of mergeTables(each(table), each(fresh), Buffer.from(name))) {
    if (item.kind === 'skipped') lines.push(`skipped ${item.name.toString()}`);
    else if (item.kind === 'new')
      lines.push(`new ${item.item.entry.path.toString()}${item.old === undefined ? '' : ' again'}`);
    else if (item.old.namespace === NAMESPACE.USER) lines.push(`${item.kind} ${item.old.path.toString()}`);
    else assert.equal(item.kind, 'kept', 'a system record is nobody’s to replace');
  }
  return lines;
}

test('what is gone is removed below the name that is set, and nowhere else', async () => {
  assert.deepEqual(await merged(['a', 'a/x', 'a/y', 'b'], [found('a'), found('a/y'), found('a/z')], 'a'), [
    ...['new a again', 'removed a/x', 'new a/y again', 'new a/z', 'kept b'],
  ]);
});

test('what lies in a folder that cannot be listed is kept, and what is beside it follows the disk', async () => {
  const old = ['a', 'a/k', 'a/k/1', 'a/k/2/3', 'a/k.txt', 'a/m', 'b'];
  assert.deepEqual(await merged(old, [found('a'), found('a/k'), unseen('a/k'), found('a/n')], 'a'), [
    ...['new a again', 'new a/k again', 'skipped a/k', 'kept a/k/1', 'kept a/k/2/3', 'removed a/k.txt', 'removed a/m'],
    ...['new a/n', 'kept b'],
  ]);
});

test('entries that may not be looked at stay one by one; a special file takes the place of what was there', async () => {
  const old = ['a', 'a/1', 'a/2', 'a/2/x', 'a/3', 'a/4'];
  assert.deepEqual(await merged(old, [found('a'), unseen('a/1'), unseen('a/2'), special('a/3'), unseen('a/9')], 'a'), [
    ...['new a again', 'skipped a/1', 'kept a/1', 'skipped a/2', 'kept a/2', 'kept a/2/x', 'skipped a/3'],
    ...['removed a/3', 'removed a/4', 'skipped a/9'],
  ]);
});
