// Metadata through its protobuf form: nothing is lost, and every bound of decode is held.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metadata, MetadataPeer } from '../../src/core/content/metadata.ts';
import { isBbError } from '../../src/core/errors.ts';
import {
  ANCESTORS,
  CONTENT_BYTES,
  INDEX_ROOT_CHUNKS,
  METADATA_BYTES,
  METADATA_TEXT_BYTES,
  PEERS,
} from '../../src/core/limits.ts';
import { metadataCodec } from '../../src/storage/stored/metadata-codec.ts';

const PEER: MetadataPeer = {
  pubkey: Buffer.alloc(32, 1),
  name: 'Zoë',
  aeadKey: Buffer.alloc(32, 2),
  scoreSeconds: 86_400,
  scoreMeasuredAtSeconds: 1_790_000_000,
  terms: Buffer.alloc(133, 3),
  proposerSignature: Buffer.alloc(64, 4),
  acceptorSignature: Buffer.alloc(64, 5),
  introducer: Buffer.alloc(0),
  added: true,
  pinned: true,
  addedAtSeconds: 1_780_000_000,
  contractState: 2,
  role: 0,
  reachability: 0.75,
  integrity: 0.5,
  blocked: true,
  limitBytes: 5 * 1024 ** 3,
};

const METADATA: Metadata = {
  generation: 3,
  sequence: 2 ** 53 - 1,
  createdMs: 1_790_000_000_123,
  previousContentId: Buffer.alloc(64, 6),
  ancestors: Buffer.alloc(16, 7),
  generations: [{ generation: 2, lastSequence: 77 }],
  contentBytes: 5 * 131_072,
  contentRoot: Buffer.alloc(32, 8),
  indexCells: Buffer.alloc(64, 9),
  indexRoot: { level: 1, chunkIds: [Buffer.alloc(16, 10), Buffer.alloc(16, 11)] },
  dataCells: 3,
  fileCount: 12,
  fileBytes: 345_678,
  peers: [PEER, { ...PEER, pubkey: Buffer.alloc(32, 12), introducer: Buffer.alloc(32, 1), aeadKey: Buffer.alloc(0) }],
  settings: { name: 'box', storageLimitBytes: 20 * 1024 ** 3, minReplicas: 3, approval: 'everyone', unlisted: true },
  formatMin: 1,
  settled: Buffer.alloc(8, 13),
};

const withPeer = (change: Partial<MetadataPeer>): Metadata => ({ ...METADATA, peers: [{ ...PEER, ...change }] });

test('all fields survive, and equal metadata gives equal bytes', () => {
  const bytes = metadataCodec.encode(METADATA);
  assert.deepEqual(metadataCodec.decode(bytes), METADATA);
  assert.ok(metadataCodec.encode(metadataCodec.decode(bytes) ?? assert.fail()).equals(bytes));
});

test('the first revision, with nothing in it, survives', () => {
  const empty: Metadata = {
    ...METADATA,
    previousContentId: Buffer.alloc(0),
    ancestors: Buffer.alloc(0),
    generations: [],
    indexCells: Buffer.alloc(0),
    indexRoot: { level: 0, chunkIds: [] },
    peers: [],
    createdMs: 0,
    contentBytes: 0,
    settled: Buffer.alloc(0),
  };
  assert.deepEqual(metadataCodec.decode(metadataCodec.encode(empty)), empty);
});

test('values at their bounds are taken', () => {
  const most: Metadata = {
    ...METADATA,
    contentBytes: CONTENT_BYTES,
    ancestors: Buffer.alloc(8 * ANCESTORS),
    settled: Buffer.alloc(8 * ANCESTORS),
    indexRoot: { level: 8, chunkIds: Array.from({ length: INDEX_ROOT_CHUNKS }, () => Buffer.alloc(16)) },
    peers: Array.from({ length: PEERS }, () => PEER),
    settings: { ...METADATA.settings, name: 'n'.repeat(METADATA_TEXT_BYTES), minReplicas: 32 },
  };
  assert.deepEqual(metadataCodec.decode(metadataCodec.encode(most)), most);
});

const BEYOND: Record<string, Metadata> = {
  'a peer key of 31 bytes': withPeer({ pubkey: Buffer.alloc(31) }),
  'a chat key of 16 bytes': withPeer({ aeadKey: Buffer.alloc(16) }),
  'a signature of 63 bytes': withPeer({ proposerSignature: Buffer.alloc(63) }),
  'an introducer of 1 byte': withPeer({ introducer: Buffer.alloc(1) }),
  'an unknown contract state': withPeer({ contractState: 8 }),
  'too long a peer name': withPeer({ name: 'n'.repeat(METADATA_TEXT_BYTES + 1) }),
  'too many peers': { ...METADATA, peers: Array.from({ length: PEERS + 1 }, () => PEER) },
  'too much content': { ...METADATA, contentBytes: CONTENT_BYTES + 1 },
  'a previous id of 63 bytes': { ...METADATA, previousContentId: Buffer.alloc(63) },
  'an ancestor and a half': { ...METADATA, ancestors: Buffer.alloc(12) },
  'a settled fork and a half': { ...METADATA, settled: Buffer.alloc(12) },
  'too many settled forks': { ...METADATA, settled: Buffer.alloc(8 * (ANCESTORS + 1)) },
  'too many ancestors': { ...METADATA, ancestors: Buffer.alloc(8 * (ANCESTORS + 1)) },
  'index cells that are not 32 bytes': { ...METADATA, indexCells: Buffer.alloc(33) },
  'no content root': { ...METADATA, contentRoot: Buffer.alloc(0) },
  'a root of 513 chunks': {
    ...METADATA,
    indexRoot: { level: 0, chunkIds: Array.from({ length: INDEX_ROOT_CHUNKS + 1 }, () => Buffer.alloc(16)) },
  },
  'a root of too many levels': { ...METADATA, indexRoot: { level: 9, chunkIds: [] } },
  'a sequence above 2^53-1': { ...METADATA, sequence: 2 ** 53 },
  'a time whose milliseconds are above 2^53-1': { ...METADATA, createdMs: 2 ** 53 },
  'a minimum of 33 replicas': { ...METADATA, settings: { ...METADATA.settings, minReplicas: 33 } },
};

for (const [what, metadata] of Object.entries(BEYOND)) {
  test(`decode refuses ${what}`, () => {
    assert.equal(metadataCodec.decode(metadataCodec.encode(metadata)), undefined);
  });
}

test('what only a newer version reads is INCOMPATIBLE, whatever else is new in it', () => {
  const newer: Metadata = { ...METADATA, formatMin: 2, contentRoot: Buffer.alloc(64) };
  assert.throws(
    () => metadataCodec.decode(metadataCodec.encode(newer)),
    (error) => isBbError(error, 'INCOMPATIBLE'),
  );
  const older = { ...METADATA, formatMin: 0 };
  assert.deepEqual(metadataCodec.decode(metadataCodec.encode(older)), older);
});

test('bytes that are not metadata, or too many, are refused without an exception', () => {
  const good = metadataCodec.encode(METADATA);
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.alloc(100, 0xff),
    good.subarray(0, -5),
    Buffer.alloc(METADATA_BYTES + 1),
  ]) {
    assert.equal(metadataCodec.decode(bytes), undefined);
  }
});

test('more than a megabyte is TOO_LARGE', () => {
  const large = { ...METADATA, indexCells: Buffer.alloc(METADATA_BYTES) };
  assert.throws(
    () => metadataCodec.encode(large),
    (error) => isBbError(error, 'TOO_LARGE'),
  );
});
