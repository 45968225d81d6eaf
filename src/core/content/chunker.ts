// Content-defined chunking (FastCDC with normalised cut masks) over a stream of any size in constant memory
// (docs/storage-format.md, "Chunks"). Invariant: boundaries depend on the table, the bounds and the bytes only, never on
// how the stream was cut into pushes; test/unit holds the slow oracle.

import {
  CHUNK_AVG_BYTES,
  CHUNK_MAX_BYTES,
  CHUNK_MIN_BYTES,
  INDEX_CHUNK_AVG_BYTES,
  INDEX_CHUNK_MAX_BYTES,
  INDEX_CHUNK_MIN_BYTES,
} from '../limits.ts';
import { invariant } from '../errors.ts';

/** `avgBytes` is a power of two. */
export type ChunkBounds = { readonly minBytes: number; readonly avgBytes: number; readonly maxBytes: number };

export const DATA_CHUNKS: ChunkBounds = {
  minBytes: CHUNK_MIN_BYTES,
  avgBytes: CHUNK_AVG_BYTES,
  maxBytes: CHUNK_MAX_BYTES,
};
export const INDEX_CHUNKS: ChunkBounds = {
  minBytes: INDEX_CHUNK_MIN_BYTES,
  avgBytes: INDEX_CHUNK_AVG_BYTES,
  maxBytes: INDEX_CHUNK_MAX_BYTES,
};

/** A chunk is cut when this many top bits of the gear hash are zero: more before the average, fewer after it. */
const NORMALISATION_BITS = 2;

export class Chunker {
  readonly #gear: Uint32Array;
  readonly #bounds: ChunkBounds;
  readonly #shiftEarly: number;
  readonly #shiftLate: number;
  /** The begun chunk: its first bytes, when it started in an earlier push. */
  readonly #carry: Buffer;
  #carryBytes = 0;
  #hash = 0;

  constructor(gear: Uint32Array, bounds: ChunkBounds) {
    const bits = Math.log2(bounds.avgBytes);
    invariant(gear.length === 256 && Number.isInteger(bits), 'a chunker needs 256 words and an average power of two');
    this.#gear = gear;
    this.#bounds = bounds;
    this.#shiftEarly = 32 - (bits + NORMALISATION_BITS);
    this.#shiftLate = 32 - (bits - NORMALISATION_BITS);
    this.#carry = Buffer.allocUnsafe(bounds.maxBytes);
  }

  /**
   * Takes the next bytes of the stream and returns the chunks that are complete. They are views of `bytes` wherever
   * possible: use them before the buffer is reused.
   */
  push(bytes: Buffer): Buffer[] {
    const chunks: Buffer[] = [];
    let at = 0;
    while (at < bytes.length) {
      const end = this.#scan(bytes, at);
      if (end < 0) {
        this.#carryBytes += bytes.copy(this.#carry, this.#carryBytes, at);
        break;
      }
      const part = bytes.subarray(at, end);
      chunks.push(this.#carryBytes === 0 ? part : Buffer.concat([this.#carry.subarray(0, this.#carryBytes), part]));
      this.#carryBytes = 0;
      this.#hash = 0;
      at = end;
    }
    return chunks;
  }

  /** The last chunk, or undefined after an empty stream or a cut at its very end; the next push starts a new stream. */
  finish(): Buffer | undefined {
    const rest = this.#carryBytes === 0 ? undefined : Buffer.from(this.#carry.subarray(0, this.#carryBytes));
    this.#carryBytes = 0;
    this.#hash = 0;
    return rest;
  }

  /** Index after the last byte of the begun chunk, or -1 when it does not end in `bytes`. */
  #scan(bytes: Buffer, start: number): number {
    const { minBytes, avgBytes, maxBytes } = this.#bounds;
    const gear = this.#gear;
    // Index in `bytes` at which the begun chunk (carry included) has length 0.
    const zero = start - this.#carryBytes;
    const length = bytes.length;
    let hash = this.#hash;
    let at = Math.max(start, zero + minBytes);
    const earlyEnd = Math.min(length, zero + avgBytes);
    const shiftEarly = this.#shiftEarly;
    for (; at < earlyEnd; at++) {
      hash = ((hash << 1) + (gear[bytes[at] as number] as number)) | 0;
      if (hash >>> shiftEarly === 0) return at + 1;
    }
    const lateEnd = Math.min(length, zero + maxBytes);
    const shiftLate = this.#shiftLate;
    for (; at < lateEnd; at++) {
      hash = ((hash << 1) + (gear[bytes[at] as number] as number)) | 0;
      if (hash >>> shiftLate === 0) return at + 1;
    }
    this.#hash = hash;
    return zero + maxBytes <= length ? zero + maxBytes : -1;
  }
}
