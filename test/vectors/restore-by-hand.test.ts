// A blob made by src is restored by the second implementation alone, and by nothing that lacks a key or a byte.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENTRY_KIND, NAMESPACE } from '../../src/core/content/entry.ts';
import type { Entry, Hole } from '../../src/core/content/entry.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';
import { buildBlob } from './build-blob.ts';
import { recipe } from './load.ts';
import { openBlob } from './restore-by-hand.ts';

const MASTER = recipe('master', 64);
const PEER = recipe('a storer', 32);

function file(path: string, size: number, holes: readonly Hole[] = []): Entry {
  return {
    namespace: NAMESPACE.USER,
    kind: ENTRY_KIND.FILE,
    path: Buffer.from(path),
    size,
    mtimeNs: 5n,
    mode: 0o644,
    uid: 0,
    gid: 0,
    owner: Buffer.alloc(0),
    group: Buffer.alloc(0),
    target: Buffer.alloc(0),
    marks: 0,
    sha256: Buffer.alloc(0),
    xattrs: [],
    holes,
    chunkIds: Buffer.alloc(0),
    extensions: [],
  };
}

const text = Buffer.from('a line that compresses\n'.repeat(4000));
const noise = recipe('noise', 500_000);
const sparse = recipe('sparse', 30_000);
const many = Array.from({ length: 300 }, (_, index) => ({
  entry: file(`z/${String(index).padStart(4, '0')}`, 20),
  data: recipe(`file ${index}`, 20),
}));
const blob = buildBlob(MASTER, PEER, [
  { entry: { ...file('a', 0), kind: ENTRY_KIND.FOLDER }, data: Buffer.alloc(0) },
  { entry: file('a/empty', 0), data: Buffer.alloc(0) },
  { entry: file('a/noise', noise.length), data: noise },
  { entry: file('a/sparse', 1_030_000, [{ offset: 10_000, bytes: 1_000_000 }]), data: sparse },
  { entry: file('text', text.length), data: text },
  ...many,
]);

test('restore by hand: every file comes back, holes included', () => {
  const files = openBlob(MASTER, PEER, blob);
  const get = (path: string) => Buffer.from(files.get(Buffer.from(path).toString('hex')) ?? []);
  assert.equal(files.size, 4 + many.length);
  assert.deepEqual(get('a/noise'), noise);
  assert.deepEqual(get('text'), text);
  assert.deepEqual(get('a/empty'), Buffer.alloc(0));
  const whole = Buffer.concat([sparse.subarray(0, 10_000), Buffer.alloc(1_000_000), sparse.subarray(10_000)]);
  assert.deepEqual(get('a/sparse'), whole);
  for (const { entry, data } of many) assert.deepEqual(get(entry.path.toString()), data);
});

test('restore by hand fails for another storer, another secret, any changed cell', () => {
  assert.throws(() => openBlob(MASTER, recipe('another storer', 32), blob), /not the cell/);
  assert.throws(() => openBlob(recipe('other', 64), PEER, blob));
  for (let cell = 0; cell < blob.length / CELL_BYTES; cell++) {
    const changed = Buffer.from(blob);
    const at = cell * CELL_BYTES + 100;
    changed[at] = (changed[at] as number) ^ 1;
    assert.throws(() => openBlob(MASTER, PEER, changed), `cell ${cell}`);
  }
  assert.throws(() => openBlob(MASTER, PEER, blob.subarray(0, -CELL_BYTES)));
});
