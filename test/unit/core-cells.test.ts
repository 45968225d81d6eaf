// Cells, chunks, packing, tree: what is stored comes back exactly, and nothing else is ever returned.

import assert from 'node:assert/strict';
import { createCipheriv, createHash } from 'node:crypto';
import { test } from 'node:test';
import { parseCell, encodeCell } from '../../src/core/content/cell-codec.ts';
import type { StoredChunk } from '../../src/core/content/cell-codec.ts';
import { Chunker, DATA_CHUNKS, INDEX_CHUNKS } from '../../src/core/content/chunker.ts';
import type { ChunkBounds } from '../../src/core/content/chunker.ts';
import { ALGORITHM, compressChunk, decompressChunk } from '../../src/core/content/compress.ts';
import { gearTable } from '../../src/core/content/gear.ts';
import { contentRoot, leafHash, MerkleRoot, rootOfLeaves } from '../../src/core/content/merkle.ts';
import { Packer } from '../../src/core/content/packer.ts';
import { CELL_KIND, cellId, openCell, sealCell, sealCellPart } from '../../src/core/crypto/cell-seal.ts';
import { isBbError } from '../../src/core/errors.ts';
import { CELL_BYTES, CHUNK_MAX_BYTES } from '../../src/core/limits.ts';

const INTEGRITY = (error: unknown) => isBbError(error, 'INTEGRITY');
const keys = { id: Buffer.alloc(32, 1), enc: Buffer.alloc(32, 2) };
const peerA = Buffer.alloc(32, 0xa);
const peerB = Buffer.alloc(32, 0xb);

/** Repeatable bytes that do not compress. */
function noise(bytes: number, seed: number): Buffer {
  return createCipheriv('aes-256-ctr', Buffer.alloc(32, seed), Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

function cutAll(stream: Buffer, gear: Uint32Array, bounds: ChunkBounds, pushBytes: number): Buffer[] {
  const chunker = new Chunker(gear, bounds);
  const chunks: Buffer[] = [];
  for (let at = 0; at < stream.length; at += pushBytes) {
    chunks.push(...chunker.push(Buffer.from(stream.subarray(at, at + pushBytes))));
  }
  const last = chunker.finish();
  return last === undefined ? chunks : [...chunks, last];
}

/** The slow reading of docs/storage-format.md: decide at every byte from the last 32 bytes of the chunk alone. */
function oracleCuts(stream: Buffer, gear: Uint32Array, bounds: ChunkBounds): number[] {
  const cuts: number[] = [];
  const bits = Math.log2(bounds.avgBytes);
  for (let start = 0; start < stream.length; ) {
    let length = bounds.minBytes;
    for (;;) {
      if (start + length >= stream.length || length === bounds.maxBytes) break;
      length++;
      let hash = 0n;
      for (let at = start + Math.max(bounds.minBytes, length - 32); at < start + length; at++) {
        hash = ((hash << 1n) + BigInt(gear[stream[at] as number] as number)) & 0xffff_ffffn;
      }
      const zeroBits = length <= bounds.avgBytes ? bits + 2 : bits - 2;
      if (hash >> BigInt(32 - zeroBits) === 0n) break;
    }
    start = Math.min(stream.length, start + length);
    cuts.push(start);
  }
  return cuts;
}

test('chunk boundaries are those of the slow oracle, however the stream arrives', () => {
  const gear = gearTable(Buffer.alloc(32, 9));
  const bounds = { minBytes: 64, avgBytes: 256, maxBytes: 1000 };
  for (const stream of [
    noise(40_000, 1),
    Buffer.alloc(5000),
    Buffer.alloc(0),
    noise(63, 2),
    noise(64, 2),
    noise(65, 2),
  ]) {
    const expected = oracleCuts(stream, gear, bounds);
    for (const pushBytes of [1, 7, 64, 999, 1000, 1001, 65_536]) {
      const chunks = cutAll(stream, gear, bounds, pushBytes);
      let end = 0;
      assert.deepEqual(
        chunks.map((chunk) => (end += chunk.length)),
        expected,
        `pushes of ${pushBytes}`,
      );
      assert.deepEqual(Buffer.concat(chunks), stream);
    }
  }
});

test('the rarer cut rule holds up to exactly the average', () => {
  const gear = new Uint32Array(256);
  // A run of zeros brings the hash to 2^25: its top 6 bits are zero, its top 10 are not.
  gear[0] = 2 ** 32 - 2 ** 25;
  const bounds = { minBytes: 64, avgBytes: 256, maxBytes: 1000 };
  const lengths = cutAll(Buffer.alloc(257 * 3), gear, bounds, 100).map((chunk) => chunk.length);
  assert.deepEqual(lengths, [257, 257, 257]);
});

test('chunks keep their bounds and average, and an insertion moves few boundaries', () => {
  const gear = gearTable(Buffer.alloc(32, 9));
  const stream = noise(8 * 1024 * 1024, 3);
  const chunks = cutAll(stream, gear, DATA_CHUNKS, 1 << 20);
  for (const chunk of chunks.slice(0, -1)) {
    assert.ok(chunk.length > DATA_CHUNKS.minBytes && chunk.length <= DATA_CHUNKS.maxBytes);
  }
  const average = stream.length / chunks.length;
  assert.ok(average > 26 * 1024 && average < 48 * 1024, `average ${average}`);
  const edited = Buffer.concat([stream.subarray(0, 4_000_000), Buffer.from('inserted'), stream.subarray(4_000_000)]);
  const known = new Set(chunks.map((chunk) => createHash('sha256').update(chunk).digest('hex')));
  const fresh = cutAll(edited, gear, DATA_CHUNKS, 1 << 20).filter(
    (chunk) => !known.has(createHash('sha256').update(chunk).digest('hex')),
  );
  assert.ok(fresh.length <= 4, `${fresh.length} new chunks`);
  const other = cutAll(stream, gearTable(Buffer.alloc(32, 8)), DATA_CHUNKS, 1 << 20);
  assert.notDeepEqual(
    other.map((chunk) => chunk.length),
    chunks.map((chunk) => chunk.length),
  );
  assert.ok(cutAll(stream, gear, INDEX_CHUNKS, 1 << 20).every((chunk) => chunk.length <= INDEX_CHUNKS.maxBytes));
});

test('compression is kept only when it saves 3 %, and never expands beyond its length', () => {
  const text = Buffer.from('the same line again and again\n'.repeat(1000));
  const small = compressChunk(text);
  assert.equal(small.algorithm, ALGORITHM.ZSTD);
  assert.deepEqual(decompressChunk(small.algorithm, small.stored, text.length), text);
  const raw = noise(10_000, 4);
  assert.deepEqual(compressChunk(raw), { algorithm: ALGORITHM.RAW, stored: raw });
  assert.deepEqual(decompressChunk(ALGORITHM.RAW, raw, raw.length), raw);
  assert.throws(
    () => decompressChunk(ALGORITHM.ZSTD, small.stored, text.length - 1),
    (error) => isBbError(error, 'INTEGRITY') && (error.cause as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE',
    'it stops at the bound instead of measuring afterwards',
  );
  assert.throws(() => decompressChunk(ALGORITHM.ZSTD, small.stored, text.length + 1), INTEGRITY);
  assert.throws(() => decompressChunk(ALGORITHM.ZSTD, raw, 10), INTEGRITY);
  assert.throws(() => decompressChunk(ALGORITHM.ZSTD, small.stored, 0), INTEGRITY);
  assert.throws(() => decompressChunk(ALGORITHM.ZSTD, small.stored, CHUNK_MAX_BYTES + 1), INTEGRITY);
  assert.throws(
    () => decompressChunk(2, raw, raw.length),
    (error) => isBbError(error, 'INCOMPATIBLE'),
  );
});

function stored(bytes: number, seed: number): StoredChunk {
  return { chunkId: Buffer.alloc(16, seed), algorithm: ALGORITHM.RAW, plainBytes: bytes, stored: noise(bytes, seed) };
}

test('a cell gives back its chunks; the largest raw chunk fits exactly', () => {
  for (const sizes of [[CHUNK_MAX_BYTES], [1], [1, 2, 3], Array.from({ length: 100 }, (_, index) => 1000 + index)]) {
    const chunks = sizes.map((bytes, index) => stored(bytes, index));
    const parsed = parseCell(encodeCell(chunks));
    assert.deepEqual(
      parsed.map((chunk) => chunk.stored),
      chunks.map((chunk) => chunk.stored),
    );
  }
  assert.throws(() => encodeCell([stored(CHUNK_MAX_BYTES, 1), stored(1, 2)]), /fit/);
});

test('every defect of a cell is refused', () => {
  const good = encodeCell([stored(100, 1), stored(200, 2)]);
  const broken = (change: (cell: Buffer) => void): Buffer => {
    const cell = Buffer.from(good);
    change(cell);
    return cell;
  };
  const cases: [string, Buffer][] = [
    ['short', good.subarray(1)],
    ['long', Buffer.concat([good, Buffer.of(0)])],
    ['no chunks', Buffer.alloc(CELL_BYTES)],
    ['a directory beyond the cell', broken((cell) => cell.writeUInt16BE(18_725, 0))],
    ['stored length 0', broken((cell) => cell.writeUIntBE(0, 3, 3))],
    ['stored length beyond the cell', broken((cell) => cell.writeUIntBE(CELL_BYTES, 10, 3))],
    ['raw lengths differ', broken((cell) => cell.writeUIntBE(99, 6, 3))],
    ['plain length 0', broken((cell) => cell.writeUIntBE(0, 6, 3))],
    ['plain length above the maximum', broken((cell) => cell.writeUIntBE(CHUNK_MAX_BYTES + 1, 6, 3))],
    ['zstd that does not save', broken((cell) => cell.writeUInt8(ALGORITHM.ZSTD, 2))],
    ['fill that is not zero', broken((cell) => cell.writeUInt8(1, CELL_BYTES - 1))],
    ['fill that is not zero at its start', broken((cell) => cell.writeUInt8(1, 2 + 14 + 300))],
  ];
  for (const [name, cell] of cases) assert.throws(() => parseCell(cell), INTEGRITY, name);
  assert.throws(
    () => parseCell(broken((cell) => cell.writeUInt8(2, 2))),
    (error) => isBbError(error, 'INCOMPATIBLE'),
  );
});

test('packing loses nothing, fills well, and goes on from a partly filled cell', () => {
  const chunks = Array.from({ length: 400 }, (_, index) => stored(8192 + ((index * 7919) % 60_000), index & 255));
  const packer = new Packer();
  const cells = [...chunks.flatMap((chunk) => packer.push(chunk) ?? []), ...packer.finish()];
  const packed = cells.flatMap((cell) => cell.chunks);
  assert.equal(packed.length, chunks.length);
  assert.deepEqual(new Set(packed), new Set(chunks));
  for (const cell of cells) assert.equal(parseCell(cell.plain).length, cell.chunks.length);
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.stored.length, 0);
  assert.ok(bytes / (cells.length * CELL_BYTES) > 0.93, `fill ${bytes / (cells.length * CELL_BYTES)}`);

  const partial = cells.at(-1)?.chunks ?? [];
  const next = new Packer(partial);
  const extra = stored(10, 1);
  assert.equal(next.push(extra), undefined);
  const rewritten = next.finish();
  assert.deepEqual(rewritten[0]?.chunks.slice(0, partial.length), partial);
  assert.equal(rewritten.flatMap((cell) => cell.chunks).length, partial.length + 1);
  assert.deepEqual(new Packer().finish(), []);

  const nearlyFull = new Packer([stored(100_000, 1)]);
  nearlyFull.push(stored(40_000, 2));
  assert.deepEqual(
    nearlyFull.finish().map((cell) => cell.chunks.length),
    [1, 1],
  );
  const equal = Array.from({ length: 20 }, (_, index) => stored(1000, index));
  const inOrder = new Packer();
  for (const chunk of equal) inOrder.push(chunk);
  assert.deepEqual(inOrder.finish()[0]?.chunks, equal, 'equals keep their order');
});

test('a sealed cell opens only as itself', () => {
  const plain = encodeCell([stored(50_000, 1)]);
  const id = cellId(keys.id, CELL_KIND.DATA, plain);
  const sealed = sealCell(keys.enc, peerA, id, plain);
  assert.equal(sealed.length, CELL_BYTES);
  assert.deepEqual(openCell(keys, peerA, CELL_KIND.DATA, id, sealed), plain);
  assert.deepEqual(sealCell(keys.enc, peerA, id, plain), sealed);
  assert.notDeepEqual(sealCell(keys.enc, peerB, id, plain), sealed);
  assert.notDeepEqual(cellId(keys.id, CELL_KIND.INDEX, plain), id);
  assert.equal(openCell(keys, peerB, CELL_KIND.DATA, id, sealed), undefined);
  assert.equal(openCell(keys, peerA, CELL_KIND.INDEX, id, sealed), undefined);
  assert.equal(openCell(keys, peerA, CELL_KIND.DATA, id, sealed.subarray(1)), undefined);
  for (const at of [0, 65_536, CELL_BYTES - 1]) {
    const flipped = Buffer.from(sealed);
    flipped[at] = (flipped[at] as number) ^ 1;
    assert.equal(openCell(keys, peerA, CELL_KIND.DATA, id, flipped), undefined);
  }
  for (const offset of [0, 4096, CELL_BYTES - 4096]) {
    const part = sealCellPart(keys.enc, peerA, id, plain.subarray(offset, offset + 4096), offset);
    assert.deepEqual(part, sealed.subarray(offset, offset + 4096));
  }
});

test('the tree root is that of RFC 6962 for every small number of leaves', () => {
  const hash = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
  const root = (leaves: Buffer[]): Buffer => {
    if (leaves.length === 0) return hash();
    if (leaves.length === 1) return leaves[0] as Buffer;
    let left = 1;
    while (2 * left < leaves.length) left *= 2;
    return hash(Buffer.of(1), root(leaves.slice(0, left)), root(leaves.slice(left)));
  };
  const leaves: Buffer[] = [];
  const tree = new MerkleRoot();
  for (let count = 0; count <= 33; count++) {
    assert.deepEqual(tree.root(), root(leaves), `${count} leaves`);
    assert.deepEqual(rootOfLeaves(Buffer.concat(leaves)), root(leaves));
    const leaf = leafHash(Buffer.of(count));
    assert.deepEqual(leaf, hash(Buffer.of(0), Buffer.of(count)));
    leaves.push(leaf);
    tree.push(leaf);
  }
  assert.throws(() => rootOfLeaves(Buffer.alloc(33)));
  assert.deepEqual(
    contentRoot(Buffer.alloc(64, 5)),
    root([leafHash(Buffer.alloc(32, 5)), leafHash(Buffer.alloc(32, 5))]),
  );
});
