// The file table and the index stream.

import { ascii, be, join, readBe } from './bytes.ts';

export type PlainEntry = {
  namespace: number;
  kind: number;
  marks: number;
  path: Uint8Array;
  size: number;
  mtimeNs: bigint;
  mode: number;
  uid: number;
  gid: number;
  owner: Uint8Array;
  group: Uint8Array;
  target: Uint8Array;
  sha256: Uint8Array;
  xattrs: { name: Uint8Array; value: Uint8Array }[];
  holes: { offset: number; bytes: number }[];
  chunkIds: Uint8Array[];
  extensions: { tag: number; value: Uint8Array }[];
};

const sized = (width: number, bytes: Uint8Array): Uint8Array => join(be(bytes.length, width), bytes);

export function encodeEntry(e: PlainEntry): Uint8Array {
  return sized(
    4,
    join(
      be(e.namespace, 1),
      be(e.kind, 1),
      be(e.marks, 2),
      sized(2, e.path),
      be(e.size, 8),
      be(e.mtimeNs, 8),
      be(e.mode, 4),
      be(e.uid, 4),
      be(e.gid, 4),
      sized(2, e.owner),
      sized(2, e.group),
      sized(2, e.target),
      sized(1, e.sha256),
      be(e.xattrs.length, 2),
      ...e.xattrs.map((x) => join(sized(2, x.name), sized(4, x.value))),
      be(e.holes.length, 4),
      ...e.holes.map((h) => join(be(h.offset, 8), be(h.bytes, 8))),
      be(e.chunkIds.length, 4),
      ...e.chunkIds,
      be(e.extensions.length, 2),
      ...e.extensions.map((x) => join(be(x.tag, 2), sized(4, x.value))),
    ),
  );
}

export function tableMagic(): Uint8Array {
  return join(ascii('BBT'), be(1, 1));
}

export function indexMagic(): Uint8Array {
  return join(ascii('BBI'), be(1, 1));
}

/** Takes fields off the front of a byte string. */
function taker(bytes: Uint8Array): {
  number(width: number): number;
  bytes(count: number): Uint8Array;
  sized(width: number): Uint8Array;
} {
  let at = 0;
  const take = (count: number): Uint8Array => {
    if (at + count > bytes.length) throw new Error('the record is too short');
    at += count;
    return bytes.slice(at - count, at);
  };
  const number = (width: number): number => readBe(take(width), 0, width);
  return { number, bytes: take, sized: (width) => take(number(width)) };
}

/** Bodies of the records after the magic. */
export function recordsOf(stream: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let at = 4; at < stream.length; ) {
    const length = readBe(stream, at, 4);
    records.push(stream.slice(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return records;
}

/** The fields that restoring bytes needs. */
export function readEntry(
  body: Uint8Array,
): Pick<PlainEntry, 'kind' | 'path' | 'size' | 'target' | 'sha256' | 'holes' | 'chunkIds'> {
  const take = taker(body);
  take.number(1);
  const kind = take.number(1);
  take.number(2);
  const path = take.sized(2);
  const size = take.number(8);
  take.bytes(8 + 4 + 4 + 4);
  take.sized(2);
  take.sized(2);
  const target = take.sized(2);
  const sha256 = take.sized(1);
  for (let left = take.number(2); left > 0; left--) {
    take.sized(2);
    take.sized(4);
  }
  const holes = Array.from({ length: take.number(4) }, () => ({ offset: take.number(8), bytes: take.number(8) }));
  const chunkIds = Array.from({ length: take.number(4) }, () => take.bytes(16));
  return { kind, path, size, target, sha256, holes, chunkIds };
}

export type PlainRecord =
  | { type: 'cell'; cellId: Uint8Array; chunkIds: Uint8Array[] }
  | { type: 'snapshot'; id: Uint8Array; level: number; chunkIds: Uint8Array[] };

export function readIndexRecord(body: Uint8Array): PlainRecord {
  const take = taker(body);
  if (take.number(1) === 1) {
    const cellId = take.bytes(32);
    const chunkIds = Array.from({ length: take.number(2) }, () => {
      const id = take.bytes(16);
      take.bytes(6);
      return id;
    });
    return { type: 'cell', cellId, chunkIds };
  }
  const id = take.bytes(16);
  take.bytes(8);
  take.sized(2);
  take.sized(2);
  take.bytes(16);
  const level = take.number(1);
  return { type: 'snapshot', id, level, chunkIds: Array.from({ length: take.number(2) }, () => take.bytes(16)) };
}

export function encodeCellRecord(
  cellId: Uint8Array,
  chunks: readonly { id: Uint8Array; storedBytes: number; plainBytes: number }[],
): Uint8Array {
  const list = chunks.map((chunk) => join(chunk.id, be(chunk.storedBytes, 3), be(chunk.plainBytes, 3)));
  return sized(4, join(be(1, 1), cellId, be(chunks.length, 2), ...list));
}

export function encodeSnapshotRecord(s: {
  id: Uint8Array;
  timeMs: number;
  set: Uint8Array;
  parent: Uint8Array;
  fileCount: number;
  fileBytes: number;
  level: number;
  chunkIds: Uint8Array[];
  extensions: { tag: number; value: Uint8Array }[];
}): Uint8Array {
  return sized(
    4,
    join(
      be(2, 1),
      s.id,
      be(s.timeMs, 8),
      sized(2, s.set),
      sized(2, s.parent),
      be(s.fileCount, 8),
      be(s.fileBytes, 8),
      be(s.level, 1),
      be(s.chunkIds.length, 2),
      ...s.chunkIds,
      be(s.extensions.length, 2),
      ...s.extensions.map((x) => join(be(x.tag, 2), sized(4, x.value))),
    ),
  );
}
