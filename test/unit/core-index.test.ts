// Names, entries, index, root lists, lineage: exact codecs that keep what later versions write and refuse damage.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ancestorHash, judgeLineage, pushAncestor, settle } from '../../src/core/content/ancestors.ts';
import { encodeIndexRecord, INDEX_MAGIC, IndexReader } from '../../src/core/content/directory.ts';
import type { IndexRecord } from '../../src/core/content/directory.ts';
import { decodeEntry, encodeEntry, ENTRY_KIND, NAMESPACE } from '../../src/core/content/entry.ts';
import type { Entry } from '../../src/core/content/entry.ts';
import { TABLE_MAGIC, TableReader, TableWriter } from '../../src/core/content/file-table.ts';
import { compareNames, escapeName, isAtOrBelow, validateName } from '../../src/core/content/path.ts';
import { foldRoot, unfoldRoot } from '../../src/core/content/root-list.ts';
import { isBbError } from '../../src/core/errors.ts';
import { CONTENT_BYTES } from '../../src/core/limits.ts';

const INTEGRITY = (error: unknown) => isBbError(error, 'INTEGRITY');
const BAD_NAME = (error: unknown) => isBbError(error, 'BAD_NAME');

const file: Entry = {
  namespace: NAMESPACE.USER,
  kind: ENTRY_KIND.FILE,
  path: Buffer.from('a/b \xff', 'latin1'),
  size: 100_000,
  mtimeNs: -1_234_567_890_123_456_789n,
  mode: 0o4755,
  uid: 1000,
  gid: 0xffff_fffe,
  owner: Buffer.from('ann'),
  group: Buffer.from('users'),
  target: Buffer.alloc(0),
  marks: 3,
  sha256: Buffer.alloc(32, 7),
  xattrs: [
    { name: Buffer.from('user.a'), value: Buffer.from([0, 1, 2]) },
    { name: Buffer.from('user.b'), value: Buffer.alloc(0) },
  ],
  holes: [
    { offset: 0, bytes: 10 },
    { offset: 50_000, bytes: 50_000 },
  ],
  chunkIds: Buffer.alloc(48, 9),
  extensions: [
    { tag: 7, value: Buffer.from('kept') },
    { tag: 65_535, value: Buffer.alloc(0) },
  ],
};
const folder: Entry = {
  ...file,
  kind: ENTRY_KIND.FOLDER,
  size: 0,
  sha256: Buffer.alloc(0),
  holes: [],
  chunkIds: Buffer.alloc(0),
};

test('names: what may be stored, and what is refused', () => {
  for (const good of ['a', 'a/b', '...', '..a/b', '.hidden', 'a\n\\', '\xff\xfe', 'a'.repeat(4096)]) {
    validateName(Buffer.from(good, 'latin1'));
  }
  const bad = ['', '/', '/a', 'a/', 'a//b', '.', '..', 'a/./b', 'a/..', '../a', 'a\0b', 'a'.repeat(4097)];
  for (const name of bad)
    assert.throws(() => validateName(Buffer.from(name, 'latin1')), BAD_NAME, JSON.stringify(name));
});

test('names are ordered as a tree walk goes', () => {
  const sorted = ['a', 'a/b', 'a/b/c', 'a/c', 'a\x01', 'a b', 'a-b', 'a.b', 'ab', 'b'];
  const shuffled = [...sorted].reverse();
  shuffled.sort((left, right) => compareNames(Buffer.from(left), Buffer.from(right)));
  assert.deepEqual(shuffled, sorted);
  assert.equal(compareNames(Buffer.from('a/b'), Buffer.from('a/b')), 0);
  const below = (name: string, top: string) => isAtOrBelow(Buffer.from(name), Buffer.from(top));
  assert.deepEqual([below('a', 'a'), below('a/b', 'a'), below('x', '')], [true, true, true]);
  assert.deepEqual([below('ab', 'a'), below('a', 'a/b'), below('b/a', 'a')], [false, false, false]);
});

test('names are shown without anything that a terminal obeys', () => {
  assert.equal(escapeName(Buffer.from('käse/日本 x')), 'käse/日本 x');
  assert.equal(escapeName(Buffer.from('a\\x')), 'a\\\\x');
  assert.equal(escapeName(Buffer.from('a\x1b[1m\n\x7f')), 'a\\x1b[1m\\x0a\\x7f');
  assert.equal(escapeName(Buffer.from('a\u202eb')), 'a\\xe2\\x80\\xaeb');
  assert.equal(escapeName(Buffer.from([0x61, 0xff, 0xc3, 0xc0, 0x80])), 'a\\xff\\xc3\\xc0\\x80');
  assert.equal(escapeName(Buffer.from([0xed, 0xa0, 0x80])), '\\xed\\xa0\\x80');
  assert.equal(escapeName(Buffer.from('\u{10ffff}')), '\\xf4\\x8f\\xbf\\xbf');
});

test('an entry with every field set comes back, unknown extensions included', () => {
  for (const entry of [file, folder]) {
    const record = encodeEntry(entry);
    assert.equal(record.readUInt32BE(0), record.length - 4);
    assert.deepEqual(decodeEntry(record.subarray(4)), entry);
    assert.deepEqual(encodeEntry(decodeEntry(record.subarray(4))), record);
  }
});

test('an entry cut anywhere, or longer, is damaged', () => {
  const body = encodeEntry(file).subarray(4);
  for (let length = 2; length < body.length; length++) {
    assert.throws(() => decodeEntry(body.subarray(0, length)), INTEGRITY, `${length} bytes`);
  }
  assert.throws(() => decodeEntry(Buffer.concat([body, Buffer.of(0)])), INTEGRITY);
});

test('entries that contradict themselves are refused both ways', () => {
  const wrong: [string, Partial<Entry>][] = [
    ['size above the content limit', { size: CONTENT_BYTES + 1, holes: [] }],
    ['mode above 07777', { mode: 0o10000 }],
    ['unknown mark', { marks: 4 }],
    ['more chunks than the size allows', { chunkIds: Buffer.alloc(16 * 14) }],
    ['a broken chunk id', { chunkIds: Buffer.alloc(17) }],
    ['a short digest', { sha256: Buffer.alloc(31) }],
    ['a file with a link target', { target: Buffer.from('x') }],
    ['a symlink without target', { ...folder, kind: ENTRY_KIND.SYMLINK }],
    ['a folder with size', { ...folder, size: 1 }],
    ['a folder with a digest', { ...folder, sha256: Buffer.alloc(32) }],
    ['a hole beyond the end', { holes: [{ offset: 99_999, bytes: 2 }] }],
    ['an empty hole', { holes: [{ offset: 5, bytes: 0 }] }],
    [
      'touching holes',
      {
        holes: [
          { offset: 0, bytes: 5 },
          { offset: 5, bytes: 5 },
        ],
      },
    ],
    ['an attribute without name', { xattrs: [{ name: Buffer.alloc(0), value: Buffer.alloc(0) }] }],
    ['a long owner', { owner: Buffer.alloc(256, 97) }],
    [
      'extensions out of order',
      {
        extensions: [
          { tag: 2, value: Buffer.alloc(0) },
          { tag: 2, value: Buffer.alloc(0) },
        ],
      },
    ],
  ];
  for (const [name, change] of wrong) assert.throws(() => encodeEntry({ ...file, ...change }), INTEGRITY, name);
  assert.throws(() => encodeEntry({ ...file, path: Buffer.from('../x') }), BAD_NAME);
  const body = Buffer.from(encodeEntry({ ...file, path: Buffer.from('ab/x') }).subarray(4));
  body.write('../x', body.indexOf('ab/x'));
  assert.throws(() => decodeEntry(body), INTEGRITY, 'a path that may not be stored is damage when read');
  const unknown = Buffer.from(encodeEntry(file).subarray(4));
  unknown[1] = 9;
  assert.throws(
    () => decodeEntry(unknown),
    (error) => isBbError(error, 'INCOMPATIBLE'),
  );
  encodeEntry({ ...file, chunkIds: Buffer.alloc(16 * 13), mode: 0o7777 });
});

test('a table is read in pieces of any size, in order only, to its end only', () => {
  const writer = new TableWriter();
  const entries = ['a', 'a/b', 'a/c', 'b'].map((path) => ({ ...file, path: Buffer.from(path) }));
  const stream = Buffer.concat([TABLE_MAGIC, ...entries.map((entry) => writer.append(entry))]);
  for (const pieceBytes of [1, 3, 64, 1000, stream.length]) {
    const reader = new TableReader();
    const read: Entry[] = [];
    for (let at = 0; at < stream.length; at += pieceBytes)
      read.push(...reader.push(stream.subarray(at, at + pieceBytes)));
    reader.finish();
    assert.deepEqual(read, entries, `pieces of ${pieceBytes}`);
  }
  const reused = Buffer.alloc(64);
  const reader = new TableReader();
  const read: Entry[] = [];
  for (let at = 0; at < stream.length; at += 10) {
    const bytes = stream.copy(reused, 0, at, at + 10);
    read.push(...reader.push(reused.subarray(0, bytes)));
    reused.fill(0xee);
  }
  assert.deepEqual(read, entries, 'the buffer of a piece may be reused');
  assert.throws(() => writer.append(file), /table order/);
  const twice = Buffer.concat([TABLE_MAGIC, encodeEntry(file), encodeEntry(file)]);
  assert.throws(() => new TableReader().push(twice), INTEGRITY);
  const cut = new TableReader();
  cut.push(stream.subarray(0, -1));
  assert.throws(() => cut.finish(), INTEGRITY);
  assert.throws(() => new TableReader().finish(), INTEGRITY);
  assert.throws(() => new TableReader().push(INDEX_MAGIC), INTEGRITY);
  const huge = Buffer.concat([TABLE_MAGIC, Buffer.of(0xff, 0xff, 0xff, 0xff)]);
  assert.throws(() => new TableReader().push(huge), INTEGRITY);
  const empty = Buffer.concat([TABLE_MAGIC, Buffer.alloc(4)]);
  assert.throws(() => new TableReader().push(empty), INTEGRITY);
});

test('the index stream gives back cells and snapshots', () => {
  const chunk = { chunkId: Buffer.alloc(16, 1), storedBytes: 100, plainBytes: 200 };
  const records: IndexRecord[] = [
    { kind: 'cell', cell: { cellId: Buffer.alloc(32, 2), chunks: [chunk, chunk] } },
    {
      kind: 'snapshot',
      snapshot: {
        id: Buffer.alloc(16, 3),
        timeMs: 1_790_000_000_000,
        set: Buffer.from('daily'),
        parent: Buffer.alloc(16, 4),
        fileCount: 3,
        fileBytes: 12_345,
        table: { level: 1, chunkIds: [Buffer.alloc(16, 5), Buffer.alloc(16, 6)] },
        extensions: [{ tag: 1, value: Buffer.from('later') }],
      },
    },
  ];
  const stream = Buffer.concat([INDEX_MAGIC, ...records.map(encodeIndexRecord)]);
  const reader = new IndexReader();
  const read = [...reader.push(stream.subarray(0, 50)), ...reader.push(stream.subarray(50))];
  reader.finish();
  assert.deepEqual(read, records);
  const broken = (change: (cell: { chunkId: Buffer; storedBytes: number; plainBytes: number }) => void): Buffer => {
    const bad = { ...chunk };
    change(bad);
    const record = encodeIndexRecord({ kind: 'cell', cell: { cellId: Buffer.alloc(32), chunks: [bad] } });
    return Buffer.concat([INDEX_MAGIC, record]);
  };
  const large = { ...chunk, storedBytes: 70_000, plainBytes: 70_000 };
  const overfull = encodeIndexRecord({ kind: 'cell', cell: { cellId: Buffer.alloc(32), chunks: [large, large] } });
  /** Changes level (8) or the high byte of the id count (9), counted from the end of the numbers before them. */
  const changedSnapshot = (field: 8 | 9, value: number): Buffer => {
    const record = Buffer.from(encodeIndexRecord(records[1] as IndexRecord));
    const level = 4 + 1 + 16 + 8 + (2 + 5) + (2 + 16) + 8 + 8;
    record.writeUInt8(value, level + field - 8);
    return field === 8 ? record : withIds(record, level + 1);
  };
  /** A record that really has 513 ids. */
  const withIds = (record: Buffer, at: number): Buffer => {
    const tail = record.subarray(at + 2 + 32);
    const longer = Buffer.concat([record.subarray(0, at), Buffer.of(2, 1), Buffer.alloc(513 * 16), tail]);
    longer.writeUInt32BE(longer.length - 4);
    return longer;
  };
  const cases = [
    broken((bad) => (bad.storedBytes = 0)),
    broken((bad) => (bad.plainBytes = 99)),
    broken((bad) => (bad.plainBytes = 131_064)),
    Buffer.concat([INDEX_MAGIC, encodeIndexRecord({ kind: 'cell', cell: { cellId: Buffer.alloc(32), chunks: [] } })]),
    Buffer.concat([INDEX_MAGIC, Buffer.of(0, 0, 0, 2, 1, 0)]),
    Buffer.concat([INDEX_MAGIC, overfull]),
    Buffer.concat([INDEX_MAGIC, changedSnapshot(8, 9)]),
    Buffer.concat([INDEX_MAGIC, changedSnapshot(9, 3)]),
  ];
  for (const bad of cases) assert.throws(() => new IndexReader().push(bad), INTEGRITY);
  const later = Buffer.concat([INDEX_MAGIC, Buffer.of(0, 0, 0, 1, 3)]);
  assert.throws(
    () => new IndexReader().push(later),
    (error) => isBbError(error, 'INCOMPATIBLE'),
  );
});

test('root lists fold above 512 ids and unfold to the same ids', () => {
  for (const count of [0, 1, 511, 512, 513, 5000]) {
    const ids = Array.from({ length: count }, (_, index) => {
      const id = Buffer.alloc(16);
      id.writeUInt32BE(index);
      return id;
    });
    const stored = new Map<string, Buffer>();
    const root = foldRoot(ids, (list) => {
      const names: Buffer[] = [];
      for (let at = 0; at < list.length; at += 1003) {
        const name = Buffer.alloc(16, 0xee);
        name.writeUInt32BE(stored.size);
        stored.set(name.toString('hex'), list.subarray(at, at + 1003));
        names.push(name);
      }
      return names;
    });
    assert.ok(root.chunkIds.length <= 512);
    assert.equal(root.level, count > 512 ? 1 : 0);
    const load = (id: Buffer): Buffer => stored.get(id.toString('hex')) as Buffer;
    assert.deepEqual([...unfoldRoot(root, load)], ids);
  }
  assert.throws(() => [...unfoldRoot({ level: 1, chunkIds: [Buffer.alloc(16)] }, () => Buffer.alloc(17))], INTEGRITY);
  assert.throws(() => [...unfoldRoot({ level: 9, chunkIds: [] }, () => Buffer.alloc(0))], INTEGRITY);
});

test('lineage: ancestors, stale ids and forks are told apart', () => {
  const id = (sequence: number) => Buffer.alloc(64, sequence & 255);
  let ancestors: Buffer = Buffer.alloc(0);
  for (let sequence = 1; sequence < 5000; sequence++) ancestors = pushAncestor(ancestors, id(sequence));
  assert.equal(ancestors.length, 8 * 4096);
  assert.deepEqual(ancestors.subarray(0, 8), ancestorHash(id(4999)));
  const ours = {
    generation: 2,
    sequence: 5000,
    contentId: id(5000),
    ancestors,
    generations: [{ generation: 1, lastSequence: 4950 }],
    settled: Buffer.alloc(0),
  };
  const judge = (generation: number, sequence: number, contentId: Buffer) =>
    judgeLineage(ours, { generation, sequence }, contentId);
  assert.equal(judge(2, 5000, id(5000)), 'same');
  assert.equal(judge(2, 5000, id(1)), 'fork');
  assert.equal(judge(2, 5001, id(5001)), 'newer');
  assert.equal(judge(3, 10, id(10)), 'newer');
  assert.equal(judge(1, 4950, id(4950)), 'ancestor');
  assert.equal(judge(1, 4951, id(4951)), 'fork');
  assert.equal(judge(1, 6000, id(6000)), 'fork');
  assert.equal(judge(0, 6000, id(6000)), 'fork', 'an older generation that went on without us');
  assert.equal(judge(2, 4999, id(4998)), 'fork');
  assert.equal(judge(1, 5000 - 4096, id(5000 - 4096)), 'ancestor');
  assert.equal(judge(1, 5000 - 4097, id(0)), 'stale');
});

test('lineage: what was merged or given up is settled with its own past, and no fork any more', () => {
  const id = (branch: number, sequence: number) => Buffer.alloc(64, branch * 16 + sequence);
  const lineOf = (branch: number, from: number, to: number): Buffer => {
    let ancestors: Buffer = Buffer.alloc(0);
    for (let at = 1; at < to; at++) ancestors = pushAncestor(ancestors, id(at > from ? branch : 0, at));
    return ancestors;
  };
  const ours = {
    generation: 1,
    sequence: 9,
    contentId: id(0, 9),
    ancestors: lineOf(0, 0, 9),
    generations: [],
    settled: Buffer.alloc(0),
  };
  const fork = { contentId: id(1, 8), sequence: 8, ancestors: lineOf(1, 5, 8) };
  const settled = settle(ours, fork);
  assert.deepEqual(settled, Buffer.concat([id(1, 8), id(1, 7), id(1, 6)].map(ancestorHash)));
  const merged = { ...ours, settled };
  for (const sequence of [6, 7, 8]) {
    assert.equal(judgeLineage(ours, { generation: 1, sequence }, id(1, sequence)), 'fork');
    assert.equal(judgeLineage(merged, { generation: 1, sequence }, id(1, sequence)), 'ancestor');
  }
  assert.deepEqual(settle(merged, fork), settled, 'once');
  // Newer revisions of the same line are given up down to the one that is taken, which may be the first of the window.
  const newer = { contentId: id(0, 11), sequence: 11, ancestors: lineOf(0, 0, 11) };
  assert.deepEqual(settle(ours, newer), Buffer.concat([id(0, 11), id(0, 10)].map(ancestorHash)));
  const long = { contentId: id(2, 1), sequence: 1, ancestors: Buffer.alloc(0) };
  const full = { ...ours, settled: Buffer.alloc(8 * 4096, 1) };
  assert.equal(settle(full, long).length, 8 * 4096);
  assert.deepEqual(settle(full, long).subarray(0, 8), ancestorHash(id(2, 1)));
});
