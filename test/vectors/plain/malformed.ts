// Byte strings that must be refused, with the error each must give. They are written as changes of a good one, so that the
// list stays short: `cut` keeps the first n bytes, `append` adds a byte, `set` overwrites from an offset.

import { hex, recipe } from './bytes.ts';
import { encodeEntry, encodeSnapshotRecord, encodeCellRecord } from './entries.ts';
import type { PlainEntry } from './entries.ts';

export type Change =
  | { readonly cut: number }
  | { readonly append: string }
  | { readonly set: string; readonly at: number };
export type Malformed = { readonly why: string; readonly change: Change; readonly error: string };

/** Every truncation of a record body, and one byte too many. */
export function truncations(body: Uint8Array): Malformed[] {
  const cutsOf = Array.from({ length: body.length }, (_, cut) => ({
    why: `cut to ${cut} bytes`,
    change: { cut },
    error: 'INTEGRITY',
  }));
  return [...cutsOf, { why: 'one byte more', change: { append: '00' }, error: 'INTEGRITY' }];
}

/** Single-field damage of the body of the full entry (offsets: docs/storage-format.md, "File table"). */
export function entryDamage(entry: PlainEntry): Malformed[] {
  const path = 6;
  const fixed = path + entry.path.length;
  const set = (why: string, at: number, bytes: string, error = 'INTEGRITY'): Malformed => ({
    why,
    change: { set: bytes, at },
    error,
  });
  return [
    set('unknown namespace', 0, '02', 'INCOMPATIBLE'),
    set('kind 0', 1, '00', 'INCOMPATIBLE'),
    set('kind 5', 1, '05', 'INCOMPATIBLE'),
    set('a folder with chunks', 1, '02'),
    set('a symlink without target', 1, '03'),
    set('unknown mark', 2, '8000', 'INCOMPATIBLE'),
    set('next mark', 2, '0004', 'INCOMPATIBLE'),
    set('empty path', 4, '0000'),
    set('absolute path', path, '2f'),
    set('NUL in the path', path, '00'),
    set('path ".."', path, '2e2e2f'),
    set('path "."', path, '2e2f'),
    set('path with an empty component', path, '612f2f'),
    set('size above 2^53', fixed, '0020000000000000'),
    set('size above 64 GiB', fixed, '0000001000000001'),
    set('size too small for its chunks', fixed, '0000000000000001'),
    set('mode above 07777', fixed + 16, '00001000'),
  ];
}

/** Damage of the cell of the cell vectors: raw chunks of 20 000 and 60 001 bytes. */
export function cellDamage(): Malformed[] {
  const fill = 2 + 14 + 80_001;
  const set = (why: string, at: number, bytes: string, error = 'INTEGRITY'): Malformed => ({
    why,
    change: { set: bytes, at },
    error,
  });
  return [
    { why: 'one byte short', change: { cut: 131_071 }, error: 'INTEGRITY' },
    { why: 'one byte more', change: { append: '00' }, error: 'INTEGRITY' },
    set('no chunks', 0, '0000'),
    set('directory longer than the cell', 0, '4925'),
    set('unknown algorithm', 2, '02', 'INCOMPATIBLE'),
    set('zstd that saves nothing', 2, '01'),
    set('stored length 0', 3, '000000'),
    set('stored length beyond the cell', 3, '01ffff'),
    set('raw lengths differ', 6, '004e1f'),
    set('plain length 0', 6, '000000'),
    set('plain length above 131063', 13, '01fff8'),
    set('first fill byte', fill, '01'),
    set('last fill byte', 131_071, '01'),
  ];
}

/** The entry of index vectors: every field set. */
export function fullEntry(): PlainEntry {
  const text = (words: string): Uint8Array => new TextEncoder().encode(words);
  return {
    namespace: 0,
    kind: 1,
    marks: 3,
    path: new Uint8Array([...text('caf\u00e9/a b'), 0xff, 0x0a]),
    size: 300_000,
    mtimeNs: 1_790_000_000_123_456_789n,
    mode: 0o6751,
    uid: 1000,
    gid: 100,
    owner: text('ann'),
    group: text('users'),
    target: new Uint8Array(),
    sha256: recipe('entry sha', 32),
    xattrs: [{ name: text('user.note'), value: text('hello') }],
    holes: [{ offset: 100_000, bytes: 100_000 }],
    chunkIds: [recipe('chunk 1', 16), recipe('chunk 2', 16), recipe('chunk 3', 16)],
    extensions: [{ tag: 900, value: recipe('later', 5) }],
  };
}

export function indexRecords(): { why: string; hex: string }[] {
  const cell = encodeCellRecord(recipe('cell id', 32), [
    { id: recipe('chunk 1', 16), storedBytes: 700, plainBytes: 32_000 },
    { id: recipe('chunk 2', 16), storedBytes: 9000, plainBytes: 9000 },
  ]);
  const snapshot = encodeSnapshotRecord({
    id: recipe('snapshot', 16),
    timeMs: 1_790_000_000_000,
    set: new TextEncoder().encode('home'),
    parent: recipe('parent', 16),
    fileCount: 12,
    fileBytes: 3_456_789,
    level: 1,
    chunkIds: [recipe('table 1', 16), recipe('table 2', 16)],
    extensions: [{ tag: 5, value: recipe('later', 3) }],
  });
  return [
    { why: 'cell record', hex: hex(cell) },
    { why: 'snapshot record', hex: hex(snapshot) },
  ];
}

export function entryRecord(): Uint8Array {
  return encodeEntry(fullEntry());
}
