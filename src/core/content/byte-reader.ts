// Reads big-endian fields of a stored record. Invariant: no read leaves the record, and done() refuses trailing bytes, so
// a record has one reading or INTEGRITY.

import { BbError } from '../errors.ts';

export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  u8(): number {
    return this.bytes(1).readUInt8(0);
  }

  u16(): number {
    return this.bytes(2).readUInt16BE(0);
  }

  u24(): number {
    return this.bytes(3).readUIntBE(0, 3);
  }

  u32(): number {
    return this.bytes(4).readUInt32BE(0);
  }

  /** A u64 of at most 2^53-1. */
  natural(): number {
    const value = this.bytes(8).readBigUInt64BE(0);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw broken();
    return Number(value);
  }

  i64(): bigint {
    return this.bytes(8).readBigInt64BE(0);
  }

  /** A view of the next `count` bytes. */
  bytes(count: number): Buffer {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw broken();
    const view = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return view;
  }

  /** u16 length, then the bytes. */
  bytes16(): Buffer {
    return this.bytes(this.u16());
  }

  /** u32 length, then the bytes. */
  bytes32(): Buffer {
    return this.bytes(this.u32());
  }

  done(): void {
    if (this.#at !== this.#bytes.length) throw broken();
  }
}

function broken(): BbError {
  return new BbError('INTEGRITY', 'a stored record is damaged');
}
