// The record of a snapshot in the index stream (docs/storage-format.md, "Snapshot record").

import { BbError, invariant } from '../errors.ts';
import { ENTRY_EXTENSIONS, ENTRY_NAME_BYTES, INDEX_ROOT_CHUNKS, ROOT_LEVELS } from '../limits.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { CHUNK_ID_BYTES } from './chunk-id.ts';
import type { Extension } from './entry.ts';
import type { RootList } from './root-list.ts';

export const SNAPSHOT_ID_BYTES = 16;

export type Snapshot = {
  /** 16 random bytes. */
  readonly id: Buffer;
  readonly timeMs: number;
  /** Name of the file set it belongs to; empty: the only one. */
  readonly set: Buffer;
  /** Id of the snapshot it was made from, 16 bytes, or empty. */
  readonly parent: Buffer;
  /** Entries of the table, and bytes of its files. */
  readonly fileCount: number;
  readonly fileBytes: number;
  /** Root of the file table. */
  readonly table: RootList;
  readonly extensions: readonly Extension[];
};

export function writeSnapshot(writer: ByteWriter, snapshot: Snapshot): void {
  invariant(snapshot.id.length === SNAPSHOT_ID_BYTES, 'a snapshot id has 16 bytes');
  invariant(snapshot.parent.length === 0 || snapshot.parent.length === SNAPSHOT_ID_BYTES, 'a parent is a snapshot id');
  invariant(snapshot.table.chunkIds.length <= INDEX_ROOT_CHUNKS, 'a root list is folded');
  writer
    .bytes(snapshot.id)
    .natural(snapshot.timeMs)
    .bytes16(snapshot.set)
    .bytes16(snapshot.parent)
    .natural(snapshot.fileCount)
    .natural(snapshot.fileBytes)
    .u8(snapshot.table.level)
    .u16(snapshot.table.chunkIds.length)
    .bytes(Buffer.concat(snapshot.table.chunkIds))
    .u16(snapshot.extensions.length);
  for (const { tag, value } of snapshot.extensions) writer.u16(tag).bytes32(value);
}

/** Reads what writeSnapshot wrote; INTEGRITY for lengths out of range. */
export function readSnapshot(reader: ByteReader): Snapshot {
  const id = reader.bytes(SNAPSHOT_ID_BYTES);
  const timeMs = reader.natural();
  const set = reader.bytes16();
  const parent = reader.bytes16();
  const fileCount = reader.natural();
  const fileBytes = reader.natural();
  const level = reader.u8();
  const count = reader.u16();
  if (
    set.length > ENTRY_NAME_BYTES ||
    (parent.length !== 0 && parent.length !== SNAPSHOT_ID_BYTES) ||
    level > ROOT_LEVELS ||
    count > INDEX_ROOT_CHUNKS
  ) {
    throw new BbError('INTEGRITY', 'a snapshot record is damaged');
  }
  const chunkIds = Array.from({ length: count }, () => reader.bytes(CHUNK_ID_BYTES));
  const extensionCount = reader.u16();
  if (extensionCount > ENTRY_EXTENSIONS) throw new BbError('INTEGRITY', 'a snapshot record is damaged');
  const extensions = Array.from({ length: extensionCount }, () => ({ tag: reader.u16(), value: reader.bytes32() }));
  return { id, timeMs, set, parent, fileCount, fileBytes, table: { level, chunkIds }, extensions };
}
