// What must hold for every content and for every hostile byte string.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeCell, parseCell } from '../../src/core/content/cell-codec.ts';
import { Chunker } from '../../src/core/content/chunker.ts';
import { compressChunk, decompressChunk } from '../../src/core/content/compress.ts';
import { INDEX_MAGIC, IndexReader } from '../../src/core/content/directory.ts';
import { decodeEntry, encodeEntry, ENTRY_KIND } from '../../src/core/content/entry.ts';
import type { Entry } from '../../src/core/content/entry.ts';
import { TABLE_MAGIC, TableReader } from '../../src/core/content/file-table.ts';
import { gearTable } from '../../src/core/content/gear.ts';
import { Packer } from '../../src/core/content/packer.ts';
import { compareNames, escapeName, isName } from '../../src/core/content/path.ts';
import { openContentId } from '../../src/core/crypto/content-id.ts';
import { openHead } from '../../src/core/crypto/head.ts';
import { BbError } from '../../src/core/errors.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';

const bytes = (maxLength: number, minLength = 0) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));
/** Few different bytes, so that names share parts and hit the special ones. */
const name = fc
  .array(fc.constantFrom(0x2e, 0x2f, 0x41, 0x42, 0x0a, 0x5c, 0x78, 0xc3, 0xa9, 0xff, 0x01), {
    minLength: 1,
    maxLength: 12,
  })
  .map((list) => Buffer.from(list));
const storedName = name.filter(isName);

test('chunks: joined they are the stream, and the pieces it came in do not matter', () => {
  const gear = gearTable(Buffer.alloc(32, 1));
  const bounds = { minBytes: 16, avgBytes: 64, maxBytes: 200 };
  const cut = (pieces: readonly Buffer[]): Buffer[] => {
    const chunker = new Chunker(gear, bounds);
    const chunks = pieces.flatMap((piece) => chunker.push(piece));
    const last = chunker.finish();
    return last === undefined ? chunks : [...chunks, last];
  };
  fc.assert(
    fc.property(fc.array(bytes(300), { maxLength: 12 }), (pieces) => {
      const whole = Buffer.concat(pieces);
      const chunks = cut(pieces);
      assert.deepEqual(Buffer.concat(chunks), whole);
      assert.deepEqual(chunks, cut([whole]));
      for (const chunk of chunks) assert.ok(chunk.length >= 1 && chunk.length <= bounds.maxBytes);
    }),
  );
});

test('packing and unpacking any chunks gives the same chunks back', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 131_063 }), { maxLength: 30 }), (sizes) => {
      const packer = new Packer();
      const chunks = sizes.map((size, index) => {
        const plain = Buffer.alloc(size, index);
        return { ...compressChunk(plain), plainBytes: size, chunkId: Buffer.alloc(16, index) };
      });
      const cells = [...chunks.flatMap((chunk) => packer.push(chunk) ?? []), ...packer.finish()];
      const read = cells.flatMap((cell) =>
        parseCell(cell.plain).map((chunk) => decompressChunk(chunk.algorithm, chunk.stored, chunk.plainBytes)),
      );
      const key = (chunk: Buffer) => `${chunk[0]}:${chunk.length}`;
      assert.deepEqual(read.map(key).sort(), sizes.map((size, index) => `${index}:${size}`).sort());
      assert.deepEqual(new Set(cells.flatMap((cell) => cell.chunks)), new Set(chunks));
    }),
    { numRuns: 30 },
  );
});

test('an entry has one encoding', () => {
  const entry: fc.Arbitrary<Entry> = fc.record(
    {
      namespace: fc.constantFrom(0 as const, 1 as const),
      kind: fc.constant(ENTRY_KIND.FILE),
      path: storedName,
      size: fc.integer({ min: 8192 * 4, max: 2 ** 36 }),
      mtimeNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      mode: fc.integer({ min: 0, max: 0o7777 }),
      uid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      gid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      owner: bytes(255),
      group: bytes(255),
      target: fc.constant(Buffer.alloc(0)),
      marks: fc.integer({ min: 0, max: 3 }),
      sha256: fc.oneof(bytes(32, 32), fc.constant(Buffer.alloc(0))),
      xattrs: fc.array(fc.record({ name: bytes(20, 1), value: bytes(50) }, { noNullPrototype: true }), {
        maxLength: 4,
      }),
      holes: fc.constantFrom([], [{ offset: 5, bytes: 100 }]),
      chunkIds: fc.integer({ min: 0, max: 4 }).chain((count) => bytes(16 * count, 16 * count)),
      extensions: fc
        .uniqueArray(
          fc.record({ tag: fc.integer({ min: 0, max: 65_535 }), value: bytes(20) }, { noNullPrototype: true }),
          {
            selector: (x) => x.tag,
          },
        )
        .map((list) => list.sort((a, b) => a.tag - b.tag)),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(entry, (value) => {
      const record = encodeEntry(value);
      const read = decodeEntry(record.subarray(4));
      assert.deepEqual(read, value);
      assert.deepEqual(encodeEntry(read), record);
    }),
  );
});

test('an entry with any one byte changed is refused or reads as what it then says', () => {
  const base = encodeEntry({
    namespace: 0,
    kind: ENTRY_KIND.FILE,
    path: Buffer.from('a/b'),
    size: 50_000,
    mtimeNs: 1n,
    mode: 0o644,
    uid: 1,
    gid: 2,
    owner: Buffer.from('o'),
    group: Buffer.from('g'),
    target: Buffer.alloc(0),
    marks: 0,
    sha256: Buffer.alloc(32, 1),
    xattrs: [{ name: Buffer.from('n'), value: Buffer.from('v') }],
    holes: [{ offset: 1, bytes: 2 }],
    chunkIds: Buffer.alloc(32, 2),
    extensions: [{ tag: 1, value: Buffer.from('x') }],
  }).subarray(4);
  fc.assert(
    fc.property(fc.nat(base.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const body = Buffer.from(base);
      body[at] = (body[at] as number) ^ change;
      refusedOr(() => assert.deepEqual(encodeEntry(decodeEntry(body)).subarray(4), body));
    }),
    { numRuns: 1000 },
  );
});

test('hostile bytes give an operating error or a value, never a crash', () => {
  const hostile = bytes(400);
  fc.assert(
    fc.property(hostile, fc.boolean(), (body, framed) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(body.length);
      const record = framed ? Buffer.concat([length, body]) : body;
      refusedOr(() => decodeEntry(body));
      refusedOr(() => new TableReader().push(Buffer.concat([TABLE_MAGIC, record])));
      refusedOr(() => new IndexReader().push(Buffer.concat([INDEX_MAGIC, record])));
      refusedOr(() => new IndexReader().push(body));
      const cell = Buffer.alloc(CELL_BYTES);
      body.copy(cell);
      refusedOr(() => assert.deepEqual(encodeCell(parseCell(cell)), cell));
      refusedOr(() => decompressChunk(1, body, 1000));
      assert.equal(openContentId(Buffer.alloc(64), body), undefined);
      const keys = { metaSiv: Buffer.alloc(64), fill: Buffer.alloc(32) };
      assert.equal(openHead(keys, Buffer.alloc(64), 0, body.length, cell), undefined);
    }),
    { numRuns: 500 },
  );
});

test('the order of names is total and is the order of a walk by components', () => {
  const sign = (value: number) => Math.sign(value);
  /** Component by component, each bytewise, as sorted directory listings are. */
  const byComponents = (a: Buffer, b: Buffer): number => {
    const left = a.toString('latin1').split('/');
    const right = b.toString('latin1').split('/');
    for (let at = 0; at < Math.min(left.length, right.length); at++) {
      const order = Buffer.compare(
        Buffer.from(left[at] as string, 'latin1'),
        Buffer.from(right[at] as string, 'latin1'),
      );
      if (order !== 0) return order;
    }
    return left.length - right.length;
  };
  fc.assert(
    fc.property(storedName, storedName, (a, b) => {
      assert.equal(sign(compareNames(a, b)), sign(byComponents(a, b)));
      assert.equal(sign(compareNames(a, b)), -sign(compareNames(b, a)) + 0);
      assert.equal(compareNames(a, b) === 0, a.equals(b));
    }),
    { numRuns: 2000 },
  );
});

test('different names are shown differently, and nothing shown can steer a terminal', () => {
  fc.assert(
    fc.property(fc.oneof(name, bytes(12, 1)), fc.oneof(name, bytes(12, 1)), (a, b) => {
      assert.equal(escapeName(a) === escapeName(b), a.equals(b));
      assert.doesNotMatch(escapeName(a), /[\p{C}\p{Zl}\p{Zp}]/u);
    }),
    { numRuns: 2000 },
  );
});

function refusedOr(use: () => unknown): void {
  try {
    use();
  } catch (error) {
    if (!(error instanceof BbError)) throw error;
    assert.ok(['INTEGRITY', 'INCOMPATIBLE'].includes(error.code), error.code);
  }
}
