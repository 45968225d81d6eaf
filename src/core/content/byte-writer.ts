// Writes big-endian fields of a stored record; the counterpart of byte-reader.ts. A field that does not fit its width is
// a bug and throws.

import { invariant } from '../errors.ts';

export class ByteWriter {
  readonly #parts: Buffer[] = [];

  u8(value: number): this {
    return this.#number(value, 1);
  }

  u16(value: number): this {
    return this.#number(value, 2);
  }

  u24(value: number): this {
    return this.#number(value, 3);
  }

  u32(value: number): this {
    return this.#number(value, 4);
  }

  /** A u64 of at most 2^53-1. */
  natural(value: number): this {
    invariant(Number.isSafeInteger(value) && value >= 0, 'a stored number is a natural number below 2^53');
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(value));
    return this.bytes(bytes);
  }

  i64(value: bigint): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(value);
    return this.bytes(bytes);
  }

  bytes(bytes: Buffer): this {
    this.#parts.push(bytes);
    return this;
  }

  /** u16 length, then the bytes. */
  bytes16(bytes: Buffer): this {
    return this.u16(bytes.length).bytes(bytes);
  }

  /** u32 length, then the bytes. */
  bytes32(bytes: Buffer): this {
    return this.u32(bytes.length).bytes(bytes);
  }

  /** Everything written so far in one buffer. */
  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** The same with its own u32 length in front: one record of a stream. */
  finishRecord(): Buffer {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(this.#parts.reduce((sum, part) => sum + part.length, 0));
    return Buffer.concat([length, ...this.#parts]);
  }

  #number(value: number, width: 1 | 2 | 3 | 4): this {
    invariant(Number.isInteger(value) && value >= 0 && value < 256 ** width, 'a stored number fits its field');
    const bytes = Buffer.alloc(width);
    bytes.writeUIntBE(value, 0, width);
    return this.bytes(bytes);
  }
}
