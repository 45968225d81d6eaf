// The record of a data cell in the index stream, made from its chunks.

import type { StoredChunk } from '../../core/content/cell-codec.ts';
import { encodeIndexRecord } from '../../core/content/directory.ts';

/** Bytes of the record, its length included. */
export function encodeCellRecord(cellId: Buffer, chunks: readonly StoredChunk[]): Buffer {
  const named = chunks.map(({ chunkId, plainBytes, stored }) => ({ chunkId, plainBytes, storedBytes: stored.length }));
  return encodeIndexRecord({ kind: 'cell', cell: { cellId, chunks: named } });
}
