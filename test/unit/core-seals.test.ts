// Sealed records: they open as themselves and under nothing else.

import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { test } from 'node:test';
import { aesCtr } from '../../src/core/crypto/aes-ctr.ts';
import { sivOpen, sivSeal } from '../../src/core/crypto/aes-siv.ts';
import { equalBytes } from '../../src/core/crypto/compare.ts';
import { decodeRevision, encodeRevision } from '../../src/core/crypto/content-id.ts';
import type { ContentRevision } from '../../src/core/crypto/content-id.ts';
import { packKeys, rowAeadKey } from '../../src/core/crypto/dir-keys.ts';
import { headCellCount } from '../../src/core/crypto/head.ts';
import { Keyring } from '../../src/core/crypto/keyring.ts';
import { openTrailer, sealTrailer, wrapHeldCell } from '../../src/core/crypto/peer-wrap.ts';
import { openRow, sealRow } from '../../src/core/crypto/row-seal.ts';
import { isBbError } from '../../src/core/errors.ts';
import { CELL_BYTES, CONTENT_CELLS, METADATA_BYTES } from '../../src/core/limits.ts';

const ring = new Keyring(Buffer.alloc(64, 7));
const stranger = new Keyring(Buffer.alloc(64, 8));
const revision: ContentRevision = {
  generation: 2,
  sequence: 77,
  createdMs: 1_790_000_000_123,
  nonce: Buffer.alloc(16, 5),
  metaBytes: 1000,
  cellCount: 12,
};
const flip = (bytes: Buffer, at: number): Buffer => {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] as number) ^ 1;
  return changed;
};

test('a keystream can be entered anywhere, and its counter carries over all 128 bits', () => {
  const key = Buffer.alloc(32, 1);
  const plain = Buffer.alloc(256, 2);
  for (const iv of ['00'.repeat(16), `${'00'.repeat(8)}${'ff'.repeat(8)}`, 'ff'.repeat(16)]) {
    const whole = createCipheriv('aes-256-ctr', key, Buffer.from(iv, 'hex')).update(plain);
    for (const offset of [0, 16, 32, 240]) {
      assert.deepEqual(aesCtr(key, Buffer.from(iv, 'hex'), plain.subarray(offset), offset), whole.subarray(offset));
    }
  }
  for (const offset of [-16, 1, 15, 0.5]) assert.throws(() => aesCtr(key, Buffer.alloc(16), plain, offset));
});

test('AES-SIV opens nothing that was changed', () => {
  const key = Buffer.alloc(64, 1);
  const aad = Buffer.from('label');
  for (const bytes of [0, 1, 16, 100]) {
    const plain = Buffer.alloc(bytes, 3);
    const sealed = sivSeal(key, aad, plain);
    assert.deepEqual(sivOpen(key, aad, sealed), plain);
    assert.equal(sivOpen(key, Buffer.from('Label'), sealed), undefined);
    assert.equal(sivOpen(Buffer.alloc(64, 2), aad, sealed), undefined);
    assert.equal(sivOpen(key, aad, flip(sealed, sealed.length - 1)), undefined);
    assert.equal(sivOpen(key, aad, sealed.subarray(0, 15)), undefined);
  }
});

test('content_id opens for its owner only', () => {
  const id = ring.sealContentId(revision);
  assert.equal(id.length, 64);
  assert.deepEqual(ring.openContentId(id), revision);
  assert.equal(stranger.openContentId(id), undefined);
  assert.equal(ring.openContentId(flip(id, 63)), undefined);
  assert.equal(ring.openContentId(id.subarray(1)), undefined);
  assert.equal(ring.openContentId(Buffer.alloc(0)), undefined);
});

test('a content revision keeps its bounds; later formats are told apart from damage', () => {
  const edges: Partial<ContentRevision>[] = [
    { generation: 0, sequence: 0, createdMs: 0, metaBytes: 0, cellCount: 0 },
    { generation: 0xffff_ffff, sequence: Number.MAX_SAFE_INTEGER, createdMs: Number.MAX_SAFE_INTEGER },
    { metaBytes: METADATA_BYTES, cellCount: CONTENT_CELLS },
  ];
  for (const edge of edges)
    assert.deepEqual(decodeRevision(encodeRevision({ ...revision, ...edge })), { ...revision, ...edge });
  const outside: Partial<ContentRevision>[] = [
    { generation: 0x1_0000_0000 },
    { sequence: Number.MAX_SAFE_INTEGER + 1 },
    { createdMs: -1 },
    { metaBytes: METADATA_BYTES + 1 },
    { cellCount: CONTENT_CELLS + 1 },
    { nonce: Buffer.alloc(15) },
  ];
  for (const edge of outside) assert.throws(() => encodeRevision({ ...revision, ...edge }), /in range/);
  const bytes = encodeRevision(revision);
  for (const at of [0, 1, 46, 47]) {
    assert.throws(
      () => decodeRevision(flip(bytes, at)),
      (error) => isBbError(error, 'INCOMPATIBLE'),
    );
  }
  for (const [at, byte] of [
    [6, 0x20],
    [14, 0x20],
    [38, 1],
    [42, 1],
  ] as const) {
    const wrong = Buffer.from(bytes);
    wrong[at] = byte;
    assert.throws(
      () => decodeRevision(wrong),
      (error) => isBbError(error, 'INTEGRITY'),
      `byte ${at}`,
    );
  }
  assert.throws(
    () => decodeRevision(bytes.subarray(1)),
    (error) => isBbError(error, 'INTEGRITY'),
  );
});

test('a head opens from either copy, for every size of Metadata', () => {
  for (const metaBytes of [0, 1, 65_535, 65_536, 65_537, 131_072 - 72 - 32, 131_072 - 72 - 31, METADATA_BYTES]) {
    const metadata = Buffer.alloc(metaBytes, 0x6d);
    const id = ring.sealContentId({ ...revision, metaBytes });
    const copies = ([0, 1] as const).map((copy) => ring.sealHead(id, copy, metadata));
    for (const copy of [0, 1] as const) {
      const head = copies[copy] as Buffer;
      assert.equal(head.length, headCellCount(metaBytes) * CELL_BYTES);
      assert.deepEqual(ring.openHead(id, copy, metaBytes, head), metadata, `${metaBytes} bytes`);
      assert.deepEqual(ring.sealHead(id, copy, metadata), head);
      assert.equal(ring.openHead(id, copy === 0 ? 1 : 0, metaBytes, head), undefined);
    }
    assert.notDeepEqual(copies[0]?.subarray(-64), copies[1]?.subarray(-64));
  }
  assert.equal(headCellCount(131_072 - 72 - 32), 1);
  assert.equal(headCellCount(131_072 - 72 - 31), 2);
});

test('a damaged head is never opened', () => {
  const metadata = Buffer.alloc(70_000, 1);
  const id = ring.sealContentId({ ...revision, metaBytes: metadata.length });
  const head = ring.sealHead(id, 0, metadata);
  for (const at of [0, 4, 7, 8, 71, 72, 72 + 16 + 65_536, 72 + 32 + 69_999]) {
    assert.equal(ring.openHead(id, 0, metadata.length, flip(head, at)), undefined, `byte ${at}`);
  }
  assert.deepEqual(
    ring.openHead(id, 0, metadata.length, flip(head, 72 + 32 + 70_000)),
    metadata,
    'the fill is not judged',
  );
  assert.equal(ring.openHead(id, 0, metadata.length - 1, head), undefined);
  assert.equal(ring.openHead(id, 0, metadata.length, head.subarray(1)), undefined);
  assert.equal(ring.openHead(id, 0, METADATA_BYTES + 1, head), undefined);
  assert.equal(stranger.openHead(id, 0, metadata.length, head), undefined);
});

test('a held cell unwraps only at its place, whole or in parts', () => {
  const { cell } = packKeys(Buffer.alloc(32, 1));
  const place = { packNonce: Buffer.alloc(16, 2), slot: 5 };
  const leaf = Buffer.alloc(32, 3);
  const bytes = Buffer.alloc(CELL_BYTES, 4);
  const wrapped = wrapHeldCell(cell, leaf, place, bytes);
  assert.deepEqual(wrapHeldCell(cell, leaf, place, wrapped), bytes);
  const part = wrapHeldCell(cell, leaf, place, wrapped.subarray(8192, 12_288), 8192);
  assert.deepEqual(part, bytes.subarray(8192, 12_288));
  const elsewhere = [
    wrapHeldCell(cell, leaf, { ...place, slot: 6 }, bytes),
    wrapHeldCell(cell, leaf, { ...place, packNonce: Buffer.alloc(16, 9) }, bytes),
    wrapHeldCell(cell, Buffer.alloc(32, 9), place, bytes),
    wrapHeldCell(packKeys(Buffer.alloc(32, 9)).cell, leaf, place, bytes),
  ];
  for (const other of elsewhere) assert.notDeepEqual(other, wrapped);
  assert.throws(() => wrapHeldCell(cell, leaf, place, bytes, 16));
});

test('a trailer opens only at its slot', () => {
  const { slot } = packKeys(Buffer.alloc(32, 1));
  const place = { packNonce: Buffer.alloc(16, 2), slot: 5 };
  const trailer = { kind: 2, address: Buffer.alloc(32, 6), leaf: Buffer.alloc(32, 7) };
  const sealed = sealTrailer(slot, place, trailer);
  assert.equal(sealed.length, 96);
  assert.deepEqual(openTrailer(slot, place, sealed), trailer);
  assert.equal(openTrailer(slot, { ...place, slot: 4 }, sealed), undefined);
  assert.equal(openTrailer(slot, { ...place, packNonce: Buffer.alloc(16) }, sealed), undefined);
  assert.equal(openTrailer(packKeys(Buffer.alloc(32, 9)).slot, place, sealed), undefined);
  assert.equal(openTrailer(slot, place, flip(sealed, 50)), undefined);
  assert.equal(openTrailer(slot, place, sealed.subarray(1)), undefined);
});

test('a sealed row is bound to its id, kind and version', () => {
  const key = rowAeadKey(Buffer.alloc(32, 1));
  const label = { id: Buffer.alloc(16, 2), kind: 'peer', version: 1 };
  const plain = Buffer.from('value');
  const sealed = sealRow(key, label, plain, Buffer.alloc(24, 3));
  assert.deepEqual(openRow(key, label, sealed), plain);
  assert.deepEqual(openRow(key, label, sealRow(key, label, Buffer.alloc(0), Buffer.alloc(24))), Buffer.alloc(0));
  const others = [{ id: Buffer.alloc(16) }, { kind: 'node' }, { version: 2 }];
  for (const other of others) assert.equal(openRow(key, { ...label, ...other }, sealed), undefined);
  assert.equal(openRow(rowAeadKey(Buffer.alloc(32, 9)), label, sealed), undefined);
  assert.equal(openRow(key, label, flip(sealed, 0)), undefined);
  assert.equal(openRow(key, label, sealed.subarray(0, 39)), undefined);
});

test('bytes are compared by value, different lengths are different', () => {
  assert.ok(equalBytes(Buffer.of(1, 2), Buffer.of(1, 2)));
  assert.ok(!equalBytes(Buffer.of(1, 2), Buffer.of(1, 3)));
  assert.ok(!equalBytes(Buffer.of(1, 2), Buffer.of(1)));
  assert.ok(equalBytes(Buffer.alloc(0), Buffer.alloc(0)));
});
