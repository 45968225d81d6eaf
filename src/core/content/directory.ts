// The index stream: which chunks each data cell holds, and the snapshots (docs/storage-format.md, "Index stream"). Chunks
// are named by id, never by ordinal, so that unchanged parts keep their ciphertext.

import { BbError, invariant } from '../errors.ts';
import { CELL_BYTES, CHUNK_MAX_BYTES, INDEX_RECORD_BYTES } from '../limits.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { CELL_COUNT_BYTES, CELL_RECORD_BYTES } from './cell-codec.ts';
import { CHUNK_ID_BYTES } from './chunk-id.ts';
import { RecordStream } from './record-stream.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';

/** The first bytes of every index stream: "BBI", version 1. */
export const INDEX_MAGIC = Buffer.from([0x42, 0x42, 0x49, 1]);

const RECORD = { CELL: 1, SNAPSHOT: 2 } as const;

export type DirectoryChunk = { readonly chunkId: Buffer; readonly storedBytes: number; readonly plainBytes: number };
/** A data cell and its chunks in the order of its own directory. */
export type DirectoryCell = { readonly cellId: Buffer; readonly chunks: readonly DirectoryChunk[] };

export type IndexRecord =
  | { readonly kind: 'cell'; readonly cell: DirectoryCell }
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot };

/** One record of the index stream; the caller writes INDEX_MAGIC first, then the cells, then the snapshots. */
export function encodeIndexRecord(record: IndexRecord): Buffer {
  const writer = new ByteWriter();
  if (record.kind === 'snapshot') {
    writeSnapshot(writer.u8(RECORD.SNAPSHOT), record.snapshot);
    return writer.finishRecord();
  }
  const { cellId, chunks } = record.cell;
  invariant(cellId.length === 32, 'a cell id has 32 bytes');
  writer.u8(RECORD.CELL).bytes(cellId).u16(chunks.length);
  for (const chunk of chunks) writer.bytes(chunk.chunkId).u24(chunk.storedBytes).u24(chunk.plainBytes);
  return writer.finishRecord();
}

/** Records of the index stream from its bytes in pieces of any size. */
export class IndexReader {
  readonly #records = new RecordStream(INDEX_MAGIC, INDEX_RECORD_BYTES);

  /** INTEGRITY for damage, INCOMPATIBLE for a record of a later version. */
  push(bytes: Buffer): IndexRecord[] {
    return this.#records.push(bytes).map(decodeIndexRecord);
  }

  /** INTEGRITY when the stream was cut. */
  finish(): void {
    this.#records.finish();
  }
}

function decodeIndexRecord(body: Buffer): IndexRecord {
  const reader = new ByteReader(body);
  const type = reader.u8();
  if (type !== RECORD.CELL && type !== RECORD.SNAPSHOT) {
    throw new BbError('INCOMPATIBLE', 'the index was written by a newer version');
  }
  const record: IndexRecord =
    type === RECORD.CELL
      ? { kind: 'cell', cell: readCell(reader) }
      : { kind: 'snapshot', snapshot: readSnapshot(reader) };
  reader.done();
  return record;
}

function readCell(reader: ByteReader): DirectoryCell {
  const cellId = reader.bytes(32);
  const count = reader.u16();
  let usedBytes = CELL_COUNT_BYTES;
  const chunks = Array.from({ length: count }, () => {
    const chunk = { chunkId: reader.bytes(CHUNK_ID_BYTES), storedBytes: reader.u24(), plainBytes: reader.u24() };
    usedBytes += CELL_RECORD_BYTES + chunk.storedBytes;
    if (chunk.storedBytes === 0 || chunk.plainBytes < chunk.storedBytes || chunk.plainBytes > CHUNK_MAX_BYTES) {
      throw broken();
    }
    return chunk;
  });
  if (count === 0 || usedBytes > CELL_BYTES) throw broken();
  return { cellId, chunks };
}

function broken(): BbError {
  return new BbError('INTEGRITY', 'a record of the index is damaged');
}
