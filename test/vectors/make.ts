// Writes the vectors of the format: `node test/vectors/make.ts [--to DIR]` (kdf.json only with --kdf: Argon2id in
// JavaScript takes long). This file and plain/ are a second implementation on @noble alone and import nothing from src.

import { ctr } from '@noble/ciphers/aes.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ascii, be, hex, join as joinBytes, recipe, unhex } from './plain/bytes.ts';
import * as cells from './plain/cells.ts';
import { challengeVectors } from './plain/challenge.ts';
import { encodeRevision, openHead, sealHead, sealId } from './plain/head.ts';
import { identity, keysOf, LABELS, master, salt } from './plain/keys.ts';
import { cellDamage, entryDamage, entryRecord, fullEntry, indexRecords, truncations } from './plain/malformed.ts';
import { row, trailer, wrapCell, wrapKey } from './plain/rest.ts';
import { termsVectors } from './plain/terms.ts';

const ORIGIN = 'test/vectors/make.ts: second implementation on @noble, from docs/storage-format.md';
const MASTER = recipe('master', 64);
const keys = keysOf(MASTER);

const to = process.argv.indexOf('--to');
const folder = to < 0 ? import.meta.dirname : (process.argv[to + 1] ?? '.');

function write(name: string, cases: object): void {
  const text = JSON.stringify({ origin: ORIGIN, ...cases }, null, 1);
  writeFileSync(join(folder, `${name}.json`), `${text}\n`);
}

if (process.argv.includes('--kdf')) {
  const phrase = `${'abandon '.repeat(23)}art`;
  write('kdf', {
    cases: [
      { mode: 'phrase', account: '', secret: phrase },
      { mode: 'password', account: 'ann@example.org', secret: 'vier Pferde k\u00e4mmen 9 Uhren' },
    ].map((one) => {
      const mode = one.mode === 'phrase' ? 0 : 1;
      return { ...one, salt: hex(salt(mode, one.account)), master: hex(master(one.secret, mode, one.account)) };
    }),
  });
}

const { pubkey, onionId, torKey } = identity(keys);
write('labels', {
  master: hex(MASTER),
  keys: Object.fromEntries(LABELS.map(([label]) => [label, hex(keys(label))])),
  pubkey: hex(pubkey),
  onionId,
  torExpandedKey: Buffer.from(torKey).toString('base64'),
});

const CARRIES = ['0'.repeat(32), `${'0'.repeat(15)}1${'f'.repeat(16)}`, `${'f'.repeat(31)}e`, 'f'.repeat(32)];
write('ctr', {
  cases: CARRIES.map((iv) => {
    const key = recipe('ctr key', 32);
    return { key: hex(key), iv, keystream: hex(ctr(key, unhex(iv)).encrypt(new Uint8Array(64))) };
  }),
});

const chunks = [
  { algorithm: 0, plainBytes: 20_000, stored: recipe('first chunk', 20_000) },
  { algorithm: 0, plainBytes: 60_001, stored: recipe('second chunk', 60_001) },
];
const plainCell = cells.encodeCell(chunks);
const peers = [recipe('peer one', 32), recipe('peer two', 32)];
write('cell', {
  master: hex(MASTER),
  malformed: cellDamage(),
  chunks: [
    { recipe: 'first chunk', bytes: 20_000 },
    { recipe: 'second chunk', bytes: 60_001 },
  ],
  plainSha256: hex(sha256(plainCell)),
  cases: [cells.DATA, cells.INDEX].flatMap((kind) =>
    peers.map((peer) => {
      const id = cells.cellId(keys, kind, plainCell);
      const sealed = cells.cryptCell(keys, peer, id, plainCell);
      return {
        kind,
        peer: hex(peer),
        cellId: hex(id),
        sealedFirst: hex(sealed.slice(0, 64)),
        sealedSha256: hex(sha256(sealed)),
        leaf: hex(cells.leaf(sealed)),
      };
    }),
  ),
});

const table = cells.gear(keys);
const stream = recipe('stream', 600_000);
const zeros = new Uint8Array(300_000);
write('chunks', {
  master: hex(MASTER),
  gearSha256: hex(sha256(joinBytes(...table.map((word) => be(word, 4))))),
  cases: [
    {
      recipe: 'stream',
      bytes: stream.length,
      min: 8192,
      avg: 32_768,
      max: 131_063,
      ends: cells.cuts(stream, table, 8192, 32_768, 131_063),
    },
    {
      recipe: 'stream',
      bytes: stream.length,
      min: 2048,
      avg: 8192,
      max: 32_768,
      ends: cells.cuts(stream, table, 2048, 8192, 32_768),
    },
    {
      recipe: null,
      bytes: zeros.length,
      min: 8192,
      avg: 32_768,
      max: 131_063,
      ends: cells.cuts(zeros, table, 8192, 32_768, 131_063),
    },
    { recipe: 'stream', bytes: 0, min: 8192, avg: 32_768, max: 131_063, ends: [] },
  ],
  ids: [1, 2].map((kind) => ({ kind, text: 'a chunk', id: hex(cells.chunkId(keys, kind, ascii('a chunk'))) })),
});

const revision = {
  generation: 3,
  sequence: 2 ** 40 + 5,
  createdMs: 1_790_000_000_123,
  nonce: recipe('rev nonce', 16),
  metaBytes: 70_000,
  cellCount: 4711,
};
const revisionBytes = encodeRevision(revision);
const contentId = sealId(keys, revisionBytes);
const changed = (at: number, value: number): Uint8Array => {
  const bytes = revisionBytes.slice();
  bytes[at] = value;
  return bytes;
};
write('content-id', {
  master: hex(MASTER),
  revision: { ...revision, nonce: hex(revision.nonce) },
  bytes: hex(revisionBytes),
  contentId: hex(contentId),
  refused: [
    { why: 'not ours', contentId: hex(sealId(keysOf(recipe('other', 64)), revisionBytes)), error: null },
    { why: 'too short', contentId: hex(contentId.slice(1)), error: null },
    { why: 'version 2', contentId: hex(sealId(keys, changed(0, 2))), error: 'INCOMPATIBLE' },
    { why: 'a flag', contentId: hex(sealId(keys, changed(1, 1))), error: 'INCOMPATIBLE' },
    { why: 'cells of 256 KiB', contentId: hex(sealId(keys, changed(46, 18))), error: 'INCOMPATIBLE' },
    { why: 'reserved byte set', contentId: hex(sealId(keys, changed(47, 1))), error: 'INCOMPATIBLE' },
    { why: 'sequence of 2^53', contentId: hex(sealId(keys, changed(7, 0x20))), error: 'INTEGRITY' },
    { why: 'time of 2^53', contentId: hex(sealId(keys, changed(15, 0x20))), error: 'INTEGRITY' },
    { why: 'Metadata too long', contentId: hex(sealId(keys, changed(38, 1))), error: 'INTEGRITY' },
    { why: 'too many cells', contentId: hex(sealId(keys, changed(42, 1))), error: 'INTEGRITY' },
  ],
});

write('head', {
  master: hex(MASTER),
  cases: [0, 1000, 65_536, 70_000, 130_968, 130_969].flatMap((metaBytes) => {
    const id = sealId(keys, encodeRevision({ ...revision, metaBytes }));
    return ([0, 1] as const).map((copy) => {
      const head = sealHead(keys, id, copy, recipe('metadata', metaBytes));
      if (hex(openHead(keys, head, copy)) !== hex(recipe('metadata', metaBytes))) throw new Error('head does not open');
      return {
        metaBytes,
        copy,
        contentId: hex(id),
        cells: head.length / cells.CELL,
        first: hex(head.slice(0, 104)),
        last: hex(head.slice(-32)),
        sha256: hex(sha256(head)),
      };
    });
  }),
  refusedChanges: [0, 3, 4, 5, 7, 8, 71, 72, 87, 88, 1087],
});

const body = entryRecord().slice(4);
write('entry', {
  record: hex(entryRecord()),
  fields: JSON.parse(
    JSON.stringify(fullEntry(), (_, value: unknown) =>
      value instanceof Uint8Array ? hex(value) : typeof value === 'bigint' ? value.toString() : value,
    ),
  ) as object,
  malformed: [...entryDamage(fullEntry()), ...truncations(body)],
});

const records = indexRecords();
write('index', {
  records: records.map((record) => ({ ...record, malformed: truncations(unhex(record.hex).slice(4)) })),
});

const leaves = Array.from({ length: 20 }, (_, i) => cells.leaf(be(i, 1)));
write('tree', {
  leaf: 'SHA-256(0x00 || one byte i), i = 0, 1, 2 ...',
  roots: [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 20].map((count) => ({ count, root: hex(cells.root(leaves.slice(0, count))) })),
});

const wrap = recipe('wrap key', 32);
const rowKey = recipe('row key', 32);
const leaf = recipe('leaf', 32);
const address = recipe('address', 32);
const packNonce = recipe('pack nonce', 16);
const wrapped = wrapCell(wrap, leaf, 5, packNonce, recipe('held cell', cells.CELL));
write('rest', {
  master: hex(MASTER),
  wrapKey: hex(wrap),
  rowKey: hex(rowKey),
  wrappedWrapKey: hex(wrapKey(keys('bb1/wrap'), 'bb1/wrap', wrap)),
  wrappedRowKey: hex(wrapKey(keys('bb1/db'), 'bb1/db', rowKey)),
  slot: { leaf: hex(leaf), address: hex(address), packNonce: hex(packNonce), slot: 5, kind: 2 },
  heldRecipe: 'held cell',
  heldFirst: hex(wrapped.slice(0, 64)),
  heldSha256: hex(sha256(wrapped)),
  trailer: hex(trailer(wrap, 5, packNonce, 2, address, leaf)),
  row: {
    id: hex(recipe('row id', 16)),
    kind: 'peer',
    version: 1,
    nonce: hex(recipe('row nonce', 24)),
    plain: hex(ascii('a row')),
    sealed: hex(row(rowKey, recipe('row id', 16), 'peer', 1, recipe('row nonce', 24), ascii('a row'))),
  },
});

write('terms', termsVectors());
write('challenge', challengeVectors());
