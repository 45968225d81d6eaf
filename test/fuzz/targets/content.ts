// What a blob is made of. Most of it is opened with keys of ours first; a parser must hold all the same, because an older
// program, or a bug of ours, may have written what is authentic.

import { isDeepStrictEqual } from 'node:util';
import { encodeCell, parseCell } from '../../../src/core/content/cell-codec.ts';
import { compressChunk, decompressChunk } from '../../../src/core/content/compress.ts';
import { encodeIndexRecord, INDEX_MAGIC, IndexReader } from '../../../src/core/content/directory.ts';
import { decodeEntry, encodeEntry, ENTRY_KIND, NAMESPACE } from '../../../src/core/content/entry.ts';
import type { Entry } from '../../../src/core/content/entry.ts';
import { TABLE_MAGIC, TableReader, TableWriter } from '../../../src/core/content/file-table.ts';
import { decodeTerms, encodeTerms } from '../../../src/core/contract/terms.ts';
import { decodeRevision, encodeRevision, openContentId, sealContentId } from '../../../src/core/crypto/content-id.ts';
import { openHead, sealHead } from '../../../src/core/crypto/head.ts';
import { CELL_BYTES } from '../../../src/core/limits.ts';
import * as pb from '../../../src/gen/storedpb/v1/stored.ts';
import { metadataCodec } from '../../../src/storage/stored/metadata-codec.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { mutateProtobuf } from '../mutate-protobuf.ts';
import { sound } from '../target.ts';
import type { Target } from '../target.ts';

const NONE = Buffer.alloc(0);
const DAMAGE = ['INTEGRITY', 'INCOMPATIBLE'];
const ONE_ENCODING = 'what was read has one encoding, the bytes it came from';
const TEXT = compressChunk(Buffer.from('the same words again '.repeat(40)));
const NOISE = Buffer.from(Array.from({ length: 300 }, (_, at) => (at * 7919 + (at >> 3)) & 255));
const CHUNKS = [
  { algorithm: TEXT.algorithm, plainBytes: 840, stored: Buffer.from(TEXT.stored) },
  { algorithm: 0, plainBytes: NOISE.length, stored: NOISE },
];

export const FILE: Entry = {
  namespace: NAMESPACE.USER,
  kind: ENTRY_KIND.FILE,
  path: Buffer.from('b/b \xff', 'latin1'),
  size: 100_000,
  mtimeNs: -1_234_567_890_123_456_789n,
  mode: 0o4755,
  uid: 1000,
  gid: 0xffff_fffe,
  owner: Buffer.from('ann'),
  group: Buffer.from('users'),
  target: NONE,
  marks: 3,
  sha256: Buffer.alloc(32, 7),
  xattrs: [{ name: Buffer.from('user.a'), value: Buffer.from([0, 1, 2]) }],
  holes: [
    { offset: 0, bytes: 10 },
    { offset: 50_000, bytes: 50_000 },
  ],
  chunkIds: Buffer.alloc(48, 9),
  extensions: [{ tag: 7, value: Buffer.from('kept') }],
};
const LINK: Entry = {
  ...FILE,
  kind: ENTRY_KIND.SYMLINK,
  path: Buffer.from('a'),
  size: 0,
  target: Buffer.from('../b'),
  sha256: NONE,
  holes: [],
  chunkIds: NONE,
  extensions: [],
};

const REVISION = {
  generation: 1,
  sequence: 2 ** 53 - 1,
  createdMs: 1,
  nonce: Buffer.alloc(16, 2),
  metaBytes: 500,
  cellCount: 9,
};
const SIV = Buffer.alloc(64, 11);
const CONTENT_ID = sealContentId(SIV, REVISION);
const HEAD_KEYS = { metaSiv: SIV, fill: Buffer.alloc(32, 12) };
const HEAD_META = Buffer.alloc(500, 13);

/** Written with the generated code: fields that a later version adds are empty here and are met by chance. */
const METADATA = pb.Metadata.create({
  mostRecentContent: {
    createdAt: 1_790_000_000n,
    createdAtNs: 123_000_000n,
    generation: 3,
    sequence: 77n,
    cellLog2: 17,
  },
  previousContentId: Buffer.alloc(64, 6),
  ancestors: Buffer.alloc(16, 7),
  generations: [{ generation: 2, lastSequence: 60n }],
  contentLength: BigInt(5 * CELL_BYTES),
  contentSha256: Buffer.alloc(32, 8),
  indexCells: Buffer.alloc(64, 9),
  indexRoot: { level: 1, chunkIds: Buffer.alloc(32, 10) },
  dataCells: 3,
  fileCount: 12n,
  fileBytes: 345_678n,
  peers: [
    {
      onionPubkey: Buffer.alloc(32, 1),
      name: 'Zoë',
      scoreSeconds: 86_400n,
      scoreMeasuredAt: 1_790_000_000n,
      terms: Buffer.alloc(133, 3),
      proposerSig: Buffer.alloc(64, 4),
      acceptorSig: Buffer.alloc(64, 5),
      added: true,
      addedAt: 1_780_000_000n,
      contractState: 2,
    },
  ],
  settings: { name: 'box', storageLimitBytes: 2n ** 34n, minReplicas: 3 },
  formatMin: 1,
});

const TERMS = encodeTerms({
  version: 1,
  proposer: Buffer.alloc(32, 1),
  acceptor: Buffer.alloc(32, 2),
  bytesProposer: 2 ** 40,
  bytesAcceptor: 0,
  durationSeconds: 2 ** 53 - 1,
  checkPeriodSeconds: 86_400,
  holdSeconds: 604_800,
  graceInitialSeconds: 0,
  graceRatePermille: 1000,
  graceCapSeconds: 86_400,
  noticeSeconds: 0,
  nonce: Buffer.alloc(16, 3),
});

const INDEX = [
  encodeIndexRecord({
    kind: 'cell',
    cell: { cellId: Buffer.alloc(32, 1), chunks: [{ chunkId: Buffer.alloc(16, 2), storedBytes: 5, plainBytes: 9 }] },
  }),
  encodeIndexRecord({
    kind: 'snapshot',
    snapshot: {
      id: Buffer.alloc(16, 3),
      timeMs: 5,
      set: Buffer.from('all'),
      parent: Buffer.alloc(16, 4),
      fileCount: 2,
      fileBytes: 2 ** 53 - 1,
      table: { level: 1, chunkIds: [Buffer.alloc(16, 5)] },
      extensions: [{ tag: 1, value: Buffer.from('later') }],
    },
  }),
];

export const CONTENT_TARGETS: readonly Target[] = [
  {
    name: 'cell',
    mutate: mutateBytes,
    seeds: () => [
      encodeCell(CHUNKS),
      encodeCell([{ algorithm: 0, plainBytes: 131_063, stored: Buffer.alloc(131_063, 3) }]),
    ],
    read: (input) => {
      const chunks = parseCell(input);
      sound(encodeCell(chunks).equals(input), ONE_ENCODING);
      for (const chunk of chunks) {
        const plain = decompressChunk(chunk.algorithm, chunk.stored, chunk.plainBytes);
        sound(plain.length === chunk.plainBytes, 'a chunk has the length that its cell says');
      }
      return chunks;
    },
    refusals: DAMAGE,
  },
  {
    name: 'chunk',
    mutate: mutateBytes,
    seeds: () =>
      CHUNKS.map(({ algorithm, plainBytes, stored }) => Buffer.concat([Buffer.of(algorithm), u32(plainBytes), stored])),
    read: (input) => {
      if (input.length < 5) return undefined;
      const plainBytes = input.readUInt32BE(1);
      const plain = decompressChunk(input.readUInt8(0), input.subarray(5), plainBytes);
      sound(plain.length === plainBytes, 'a chunk has the length that was asked for');
      return plain;
    },
    refusals: DAMAGE,
  },
  {
    name: 'index stream',
    mutate: mutateBytes,
    seeds: () => [Buffer.concat([INDEX_MAGIC, ...INDEX])],
    read: (input) => {
      const reader = new IndexReader();
      const records = inTwo(input).flatMap((part) => reader.push(part));
      reader.finish();
      sound(Buffer.concat([INDEX_MAGIC, ...records.map(encodeIndexRecord)]).equals(input), ONE_ENCODING);
      return records;
    },
    refusals: DAMAGE,
  },
  {
    name: 'file table',
    mutate: mutateBytes,
    seeds: () => [Buffer.concat([TABLE_MAGIC, encodeEntry(LINK), encodeEntry(FILE)])],
    read: (input) => {
      const reader = new TableReader();
      const entries = inTwo(input).flatMap((part) => reader.push(part));
      reader.finish();
      const writer = new TableWriter();
      sound(Buffer.concat([TABLE_MAGIC, ...entries.map((entry) => writer.append(entry))]).equals(input), ONE_ENCODING);
      return entries;
    },
    refusals: DAMAGE,
  },
  {
    name: 'file entry',
    mutate: mutateBytes,
    seeds: () => [FILE, LINK].map((entry) => encodeEntry(entry).subarray(4)),
    read: (input) => {
      const entry = decodeEntry(input);
      sound(encodeEntry(entry).subarray(4).equals(input), ONE_ENCODING);
      return entry;
    },
    refusals: DAMAGE,
  },
  {
    name: 'content revision',
    mutate: mutateBytes,
    seeds: () => [encodeRevision(REVISION)],
    read: (input) => {
      const revision = decodeRevision(input);
      sound(encodeRevision(revision).equals(input), ONE_ENCODING);
      return revision;
    },
    refusals: DAMAGE,
  },
  {
    name: 'content id',
    mutate: mutateBytes,
    seeds: () => [CONTENT_ID],
    read: (input) => {
      const revision = openContentId(SIV, input);
      sound(revision === undefined || input.equals(CONTENT_ID), 'only an id that we sealed opens');
      return revision;
    },
    refusals: [],
  },
  {
    name: 'head',
    mutate: mutateBytes,
    seeds: () => [sealHead(HEAD_KEYS, CONTENT_ID, 0, HEAD_META)],
    read: (input) => {
      const metadata = openHead(HEAD_KEYS, CONTENT_ID, 0, HEAD_META.length, input);
      sound(metadata === undefined || metadata.equals(HEAD_META), 'a head opens to what was sealed or not at all');
      return metadata;
    },
    refusals: [],
  },
  {
    name: 'metadata',
    mutate: mutateProtobuf,
    seeds: () => [METADATA, { ...METADATA, peers: [] }].map((wire) => Buffer.from(pb.Metadata.encode(wire).finish())),
    read: (input) => {
      const metadata = metadataCodec.decode(input);
      if (metadata === undefined) return undefined;
      const again = metadataCodec.decode(metadataCodec.encode(metadata));
      sound(isDeepStrictEqual(again, metadata), 'what was read is read again from its own bytes');
      return metadata;
    },
    refusals: ['INCOMPATIBLE'],
  },
  {
    name: 'terms',
    mutate: mutateBytes,
    seeds: () => [TERMS],
    read: (input) => {
      const terms = decodeTerms(input);
      sound(encodeTerms(terms).equals(input), ONE_ENCODING);
      return terms;
    },
    refusals: ['BAD_PEER_DATA'],
  },
];

function inTwo(input: Buffer): Buffer[] {
  const middle = input.length >> 1;
  return [input.subarray(0, middle), input.subarray(middle)];
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
