// The plaintext of a cell: a directory, whole stored chunks, zeros (docs/storage-format.md, "Cells").
// Layout, big-endian: count u16 | count x (algorithm u8, stored length u24, plain length u24) | chunks | zero fill.
// Invariant: a cell has exactly one encoding for its list of chunks; every other byte string is refused.

import { BbError, invariant } from '../errors.ts';
import { CELL_BYTES, CHUNK_MAX_BYTES } from '../limits.ts';
import { ALGORITHM } from './compress.ts';

export const CELL_COUNT_BYTES = 2;
export const CELL_RECORD_BYTES = 7;

export type StoredChunk = {
  readonly chunkId: Buffer;
  readonly algorithm: number;
  readonly plainBytes: number;
  readonly stored: Buffer;
};

/** A chunk as a cell directory names it; `stored` is a view of the cell. */
export type CellChunk = { readonly algorithm: number; readonly plainBytes: number; readonly stored: Buffer };

/** Bytes that a chunk takes in a cell, its directory record included. */
export function bytesInCell(storedBytes: number): number {
  return CELL_RECORD_BYTES + storedBytes;
}

/** The 131 072 bytes of a cell; the chunks must fit. */
export function encodeCell(chunks: readonly CellChunk[]): Buffer {
  const cell = Buffer.alloc(CELL_BYTES);
  let at = CELL_COUNT_BYTES + CELL_RECORD_BYTES * chunks.length;
  cell.writeUInt16BE(chunks.length, 0);
  for (const [index, chunk] of chunks.entries()) {
    invariant(at + chunk.stored.length <= CELL_BYTES, 'the chunks of a cell fit into it');
    const record = CELL_COUNT_BYTES + CELL_RECORD_BYTES * index;
    cell.writeUInt8(chunk.algorithm, record);
    cell.writeUIntBE(chunk.stored.length, record + 1, 3);
    cell.writeUIntBE(chunk.plainBytes, record + 4, 3);
    at += chunk.stored.copy(cell, at);
  }
  return cell;
}

/** The chunks of an opened cell in order. INTEGRITY for any defect, INCOMPATIBLE for an unknown algorithm. */
export function parseCell(cell: Buffer): CellChunk[] {
  if (cell.length !== CELL_BYTES) throw broken('its length');
  const count = cell.readUInt16BE(0);
  let at = CELL_COUNT_BYTES + CELL_RECORD_BYTES * count;
  if (count === 0 || at > CELL_BYTES) throw broken('its directory');
  const chunks: CellChunk[] = [];
  for (let index = 0; index < count; index++) {
    const record = CELL_COUNT_BYTES + CELL_RECORD_BYTES * index;
    const algorithm = cell.readUInt8(record);
    const storedBytes = cell.readUIntBE(record + 1, 3);
    const plainBytes = cell.readUIntBE(record + 4, 3);
    if (algorithm > ALGORITHM.ZSTD) throw new BbError('INCOMPATIBLE', 'a cell was written by a newer version');
    if (storedBytes === 0 || at + storedBytes > CELL_BYTES) throw broken('the stored length of a chunk');
    if (plainBytes === 0 || plainBytes > CHUNK_MAX_BYTES) throw broken('the plain length of a chunk');
    if (algorithm === ALGORITHM.RAW ? storedBytes !== plainBytes : storedBytes >= plainBytes) {
      throw broken('the lengths of a chunk');
    }
    chunks.push({ algorithm, plainBytes, stored: cell.subarray(at, at + storedBytes) });
    at += storedBytes;
  }
  if (!ZEROS.subarray(at).equals(cell.subarray(at))) throw broken('its fill');
  return chunks;
}

const ZEROS = Buffer.alloc(CELL_BYTES);

function broken(what: string): BbError {
  return new BbError('INTEGRITY', `a cell is damaged: ${what} is wrong`);
}
