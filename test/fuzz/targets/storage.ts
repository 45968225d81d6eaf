// What lies on our own disk: headers, slots and rows, as a failing disk or somebody with the disk in hand gives them back.

import { isDeepStrictEqual } from 'node:util';
import { unwrapDirKey, wrapDirKey } from '../../../src/core/crypto/dir-keys.ts';
import { openTrailer, sealTrailer } from '../../../src/core/crypto/peer-wrap.ts';
import { openRow, sealRow } from '../../../src/core/crypto/row-seal.ts';
import { onionIdFromPubkey } from '../../../src/core/ids.ts';
import type { RecordId } from '../../../src/core/records.ts';
import type { Header } from '../../../src/ports/data-dir.ts';
import { encodePlain } from '../../../src/storage/catalog/plain-json.ts';
import { readRecords, writeRecords } from '../../../src/storage/catalog/records.ts';
import { RowKeys } from '../../../src/storage/catalog/row-keys.ts';
import type { Sql, SqlRow } from '../../../src/storage/catalog/sql.ts';
import { decodeHeader, encodeHeader } from '../../../src/storage/header-file.ts';
import { decodePackHeader, encodePackHeader } from '../../../src/storage/packs/pack-format.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { mutateText } from '../mutate-text.ts';
import { sound } from '../target.ts';
import type { Target } from '../target.ts';

const HEADER: Header = {
  format: 1,
  createdMs: 1_790_000_000_000,
  mode: 'password',
  account: 'ann',
  verify: Buffer.alloc(16, 1),
  wrappedWrapKey: Buffer.alloc(48, 2),
  wrappedRowKey: Buffer.alloc(48, 3),
};
const PLACE = { packNonce: Buffer.alloc(16, 4), slot: 5 };
const SLOT_KEY = Buffer.alloc(64, 6);
const TRAILER = sealTrailer(SLOT_KEY, PLACE, { kind: 1, address: Buffer.alloc(32, 7), leaf: Buffer.alloc(32, 8) });
const KEK = Buffer.alloc(64, 9);
const WRAPPED = wrapDirKey('row', KEK, Buffer.alloc(32, 10));
const ROW_ID = Buffer.alloc(16, 11);
const ROW_PLAIN = Buffer.from('{"a":1}');
const ROW_LABEL = { id: ROW_ID, kind: 'peer', version: 1 };
const ROW = sealRow(Buffer.alloc(32, 12), ROW_LABEL, ROW_PLAIN, Buffer.alloc(24, 13));
const ONION = onionIdFromPubkey(Buffer.alloc(32, 14));
const KEYS = new RowKeys(Buffer.alloc(32, 15), { bytes: (count) => Buffer.alloc(count, 16) });

/** Kind, a line end, then the JSON of the row: the kind is changed as well. */
const RECORDS: readonly (readonly [string, unknown])[] = [
  ['settings', { name: 'box', storageLimitBytes: 5, minReplicas: 2 }],
  [
    'peer',
    {
      onionId: ONION,
      name: 'a friend',
      added: true,
      addedMs: 1.5,
      pinned: false,
      aeadKey: Buffer.alloc(0),
      lastReachedMs: 0,
      dialledBack: true,
    },
  ],
  [
    'held',
    {
      owner: ONION,
      contentId: Buffer.alloc(64, 1),
      root: Buffer.alloc(32, 2),
      cells: 7,
      list: 3,
      role: 'kept',
      sinceMs: 1,
      holdEndSeconds: 2,
      reported: false,
    },
  ],
];

/** As much of a catalog as the records need: one sealed row. */
function tableOf(row: SqlRow): { readonly sql: Sql; readonly written: SqlRow[] } {
  const written: SqlRow[] = [];
  const run = (_text: string, ...[id, kind, version, value]: SqlRow[string][]): number =>
    written.push({ id, kind, version, value } as SqlRow);
  return { sql: { all: () => [row], run } as unknown as Sql, written };
}

function readRecord(input: Buffer): unknown {
  const end = input.indexOf(10);
  const kind = input.toString('latin1', 0, Math.max(0, end)).slice(0, 20);
  const label = { id: ROW_ID, kind, version: 1 };
  const row = { ...label, value: KEYS.seal(label, input.subarray(end + 1)) } as unknown as SqlRow;
  const { sql, written } = tableOf(row);
  const records = readRecords(sql, KEYS);
  sound(
    records.every(({ id }) => id === (ROW_ID.toString('hex') as RecordId)),
    'a record keeps its id',
  );
  writeRecords(sql, KEYS, records);
  const again = readRecords(tableOf(written[0] as SqlRow).sql, KEYS);
  sound(isDeepStrictEqual(again, records), 'a record is read again as it was');
  return records;
}

export const STORAGE_TARGETS: readonly Target[] = [
  {
    name: 'header file',
    mutate: mutateText,
    seeds: () => [encodeHeader(HEADER), encodeHeader({ ...HEADER, mode: 'phrase', account: '' })],
    read: (input) => {
      const header = decodeHeader(input);
      if (header !== undefined)
        sound(isDeepStrictEqual(decodeHeader(encodeHeader(header)), header), 'a header is kept');
      return header;
    },
    refusals: ['INCOMPATIBLE'],
  },
  {
    name: 'wrapped key',
    mutate: mutateBytes,
    seeds: () => [WRAPPED],
    read: (input) => {
      const key = unwrapDirKey('row', KEK, input);
      sound(key === undefined || input.equals(WRAPPED), 'only a key that was wrapped opens');
      return key;
    },
    refusals: [],
  },
  {
    name: 'pack header',
    mutate: mutateBytes,
    seeds: () => [encodePackHeader('peers', PLACE.packNonce)],
    read: (input) => {
      const nonce = decodePackHeader('peers', input);
      sound(nonce === undefined || encodePackHeader('peers', nonce).equals(input), 'a header has one encoding');
      return nonce;
    },
    refusals: [],
  },
  {
    name: 'slot trailer',
    mutate: mutateBytes,
    seeds: () => [TRAILER],
    read: (input) => {
      const trailer = openTrailer(SLOT_KEY, PLACE, input);
      sound(trailer === undefined || input.equals(TRAILER), 'only a trailer of this slot opens');
      return trailer;
    },
    refusals: [],
  },
  {
    name: 'sealed row',
    mutate: mutateBytes,
    seeds: () => [ROW],
    read: (input) => {
      const plain = openRow(Buffer.alloc(32, 12), ROW_LABEL, input);
      sound(plain === undefined || plain.equals(ROW_PLAIN), 'only a row that was sealed opens');
      return plain;
    },
    refusals: [],
  },
  {
    name: 'record of a row',
    mutate: mutateText,
    seeds: () => RECORDS.map(([kind, value]) => Buffer.concat([Buffer.from(`${kind}\n`), encodePlain(value)])),
    read: readRecord,
    refusals: ['INTEGRITY', 'INCOMPATIBLE'],
  },
];
