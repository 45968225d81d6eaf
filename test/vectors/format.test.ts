// src agrees with the second implementation in every byte of the format, and refuses what must be refused.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { parseCell, encodeCell } from '../../src/core/content/cell-codec.ts';
import { chunkId } from '../../src/core/content/chunk-id.ts';
import { Chunker } from '../../src/core/content/chunker.ts';
import { encodeIndexRecord, INDEX_MAGIC, IndexReader } from '../../src/core/content/directory.ts';
import { decodeEntry, encodeEntry } from '../../src/core/content/entry.ts';
import { gearTable } from '../../src/core/content/gear.ts';
import { leafHash, rootOfLeaves } from '../../src/core/content/merkle.ts';
import { aesCtr } from '../../src/core/crypto/aes-ctr.ts';
import { cellId, openCell, sealCell } from '../../src/core/crypto/cell-seal.ts';
import { encodeRevision } from '../../src/core/crypto/content-id.ts';
import { packKeys, rowAeadKey } from '../../src/core/crypto/dir-keys.ts';
import { Keyring } from '../../src/core/crypto/keyring.ts';
import { expandKeys } from '../../src/core/crypto/keys.ts';
import { openTrailer, sealTrailer, wrapHeldCell } from '../../src/core/crypto/peer-wrap.ts';
import { openRow, sealRow } from '../../src/core/crypto/row-seal.ts';
import { isBbError } from '../../src/core/errors.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';
import { applyChange, loadVectors, recipe, unhex } from './load.ts';

const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const code = (expected: ErrorCode) => (error: unknown) => isBbError(error, expected);

test('labels, identity and the key tor gets', () => {
  const vector = loadVectors('labels');
  const keys = expandKeys(unhex(vector.master));
  const expected = new Set(Object.values(vector.keys));
  assert.deepEqual(new Set(Object.values(keys).map((key) => key.toString('hex'))), expected);
  assert.equal(keys.cellEnc.toString('hex'), vector.keys['bb1/cell/enc']);
  assert.equal(keys.wrapKek.toString('hex'), vector.keys['bb1/wrap']);
  const ring = new Keyring(unhex(vector.master));
  assert.equal(ring.pubkey.toString('hex'), vector.pubkey);
  assert.equal(ring.onionId, vector.onionId);
  assert.equal(ring.torExpandedKey(), vector.torExpandedKey);
  assert.equal(ring.verifyTag().toString('hex'), vector.keys['bb1/verify']);
});

test('the counter carries over 64 and 128 bits', () => {
  for (const { key, iv, keystream } of loadVectors('ctr').cases) {
    assert.equal(aesCtr(unhex(key), unhex(iv), Buffer.alloc(64)).toString('hex'), keystream);
    assert.equal(aesCtr(unhex(key), unhex(iv), Buffer.alloc(32), 32).toString('hex'), keystream.slice(64));
  }
});

test('cells: packed, named and sealed for two peers', () => {
  const vector = loadVectors('cell');
  const keys = expandKeys(unhex(vector.master));
  const plain = encodeCell(
    vector.chunks.map((chunk: { recipe: string; bytes: number }) => ({
      algorithm: 0,
      plainBytes: chunk.bytes,
      stored: recipe(chunk.recipe, chunk.bytes),
    })),
  );
  assert.equal(sha(plain), vector.plainSha256);
  for (const one of vector.cases) {
    const id = cellId(keys.cellId, one.kind, plain);
    assert.equal(id.toString('hex'), one.cellId);
    const sealed = sealCell(keys.cellEnc, unhex(one.peer), id, plain);
    assert.equal(sealed.subarray(0, 64).toString('hex'), one.sealedFirst);
    assert.equal(sha(sealed), one.sealedSha256);
    assert.equal(leafHash(sealed).toString('hex'), one.leaf);
    const open = (peer: string) => openCell({ id: keys.cellId, enc: keys.cellEnc }, unhex(peer), one.kind, id, sealed);
    assert.deepEqual(open(one.peer), plain);
    const otherPeer = vector.cases.find((other: { peer: string }) => other.peer !== one.peer).peer;
    assert.equal(open(otherPeer), undefined);
  }
  for (const { why, change, error } of vector.malformed) {
    assert.throws(() => parseCell(applyChange(plain, change)), code(error), why);
  }
});

test('chunk boundaries and chunk ids', () => {
  const vector = loadVectors('chunks');
  const keys = expandKeys(unhex(vector.master));
  const gear = gearTable(keys.cdc);
  const words = Buffer.alloc(1024);
  for (const [index, word] of gear.entries()) words.writeUInt32BE(word, 4 * index);
  assert.equal(sha(words), vector.gearSha256);
  for (const one of vector.cases) {
    const stream = one.recipe === null ? Buffer.alloc(one.bytes) : recipe(one.recipe, one.bytes);
    const chunker = new Chunker(gear, { minBytes: one.min, avgBytes: one.avg, maxBytes: one.max });
    const chunks = [...chunker.push(stream), chunker.finish()].filter((chunk) => chunk !== undefined);
    let end = 0;
    assert.deepEqual(
      chunks.map((chunk) => (end += chunk.length)),
      one.ends,
    );
  }
  for (const { kind, text, id } of vector.ids) {
    assert.equal(chunkId(keys.chunkId, kind, Buffer.from(text)).toString('hex'), id);
  }
});

test('content_id, valid and refused', () => {
  const vector = loadVectors('content-id');
  const ring = new Keyring(unhex(vector.master));
  const revision = { ...vector.revision, nonce: unhex(vector.revision.nonce) };
  assert.equal(encodeRevision(revision).toString('hex'), vector.bytes);
  assert.equal(ring.sealContentId(revision).toString('hex'), vector.contentId);
  assert.deepEqual(ring.openContentId(unhex(vector.contentId)), revision);
  for (const { why, contentId, error } of vector.refused) {
    if (error === null) assert.equal(ring.openContentId(unhex(contentId)), undefined, why);
    else assert.throws(() => ring.openContentId(unhex(contentId)), code(error), why);
  }
});

test('heads of one and two cells, both copies', () => {
  const vector = loadVectors('head');
  const ring = new Keyring(unhex(vector.master));
  for (const one of vector.cases) {
    const metadata = recipe('metadata', one.metaBytes);
    const id = unhex(one.contentId);
    const head = ring.sealHead(id, one.copy, metadata);
    assert.equal(head.length, one.cells * CELL_BYTES);
    assert.equal(head.subarray(0, 104).toString('hex'), one.first);
    assert.equal(head.subarray(-32).toString('hex'), one.last);
    assert.equal(sha(head), one.sha256);
    assert.deepEqual(ring.openHead(id, one.copy, one.metaBytes, head), metadata);
    if (one.metaBytes !== 1000) continue;
    for (const at of vector.refusedChanges) {
      const flipped = applyChange(head, { set: ((head[at] as number) ^ 1).toString(16).padStart(2, '0'), at });
      assert.equal(ring.openHead(id, one.copy, one.metaBytes, flipped), undefined, `byte ${at}`);
    }
  }
});

test('an entry with every field set, and each way to damage it', () => {
  const vector = loadVectors('entry');
  const record = unhex(vector.record);
  const body = record.subarray(4);
  const entry = decodeEntry(body);
  assert.deepEqual(encodeEntry(entry), record);
  const fields = vector.fields;
  assert.equal(entry.path.toString('hex'), fields.path);
  assert.equal(entry.mtimeNs.toString(), fields.mtimeNs);
  assert.equal(entry.chunkIds.toString('hex'), fields.chunkIds.join(''));
  assert.deepEqual(entry.holes, fields.holes);
  assert.equal(entry.xattrs[0]?.value.toString('hex'), fields.xattrs[0].value);
  assert.equal(entry.extensions[0]?.value.toString('hex'), fields.extensions[0].value);
  for (const name of ['namespace', 'kind', 'marks', 'size', 'mode', 'uid', 'gid'] as const) {
    assert.equal(entry[name], fields[name], name);
  }
  for (const name of ['owner', 'group', 'target', 'sha256'] as const) {
    assert.equal(entry[name].toString('hex'), fields[name], name);
  }
  assert.ok(vector.malformed.length > 200);
  for (const { why, change, error } of vector.malformed) {
    assert.throws(() => decodeEntry(applyChange(body, change)), code(error), why);
  }
});

test('index records, and each way to cut them', () => {
  for (const { hex, malformed } of loadVectors('index').records) {
    const record = unhex(hex);
    const framed = (body: Buffer): Buffer => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(body.length);
      return Buffer.concat([INDEX_MAGIC, length, body]);
    };
    const [read] = new IndexReader().push(Buffer.concat([INDEX_MAGIC, record]));
    assert.ok(read !== undefined);
    assert.deepEqual(encodeIndexRecord(read), record);
    for (const { why, change, error } of malformed) {
      const bad = framed(applyChange(record.subarray(4), change));
      assert.throws(() => new IndexReader().push(bad), code(error), why);
    }
  }
});

test('tree roots', () => {
  for (const { count, root } of loadVectors('tree').roots) {
    const leaves = Array.from({ length: count }, (_, index) => leafHash(Buffer.of(index)));
    assert.equal(rootOfLeaves(Buffer.concat(leaves)).toString('hex'), root);
  }
});

test('at rest: directory keys, held cell, trailer, row', () => {
  const vector = loadVectors('rest');
  const ring = new Keyring(unhex(vector.master));
  assert.equal(ring.wrapDirKey('wrap', unhex(vector.wrapKey)).toString('hex'), vector.wrappedWrapKey);
  assert.equal(ring.wrapDirKey('row', unhex(vector.rowKey)).toString('hex'), vector.wrappedRowKey);
  const keys = packKeys(unhex(vector.wrapKey));
  const { kind } = vector.slot;
  const place = { slot: vector.slot.slot, packNonce: unhex(vector.slot.packNonce) };
  const [leaf, address] = [unhex(vector.slot.leaf), unhex(vector.slot.address)];
  const wrapped = wrapHeldCell(keys.cell, leaf, place, recipe(vector.heldRecipe, CELL_BYTES));
  assert.equal(wrapped.subarray(0, 64).toString('hex'), vector.heldFirst);
  assert.equal(sha(wrapped), vector.heldSha256);
  assert.equal(sealTrailer(keys.slot, place, { kind, address, leaf }).toString('hex'), vector.trailer);
  assert.deepEqual(openTrailer(keys.slot, place, unhex(vector.trailer)), { kind, address, leaf });
  const { row } = vector;
  const label = { id: unhex(row.id), kind: row.kind, version: row.version };
  const key = rowAeadKey(unhex(vector.rowKey));
  assert.equal(sealRow(key, label, unhex(row.plain), unhex(row.nonce)).toString('hex'), row.sealed);
  assert.equal(openRow(key, label, unhex(row.sealed))?.toString('hex'), row.plain);
});
