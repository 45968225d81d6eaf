// Bytes that grow by appending: the chunk list of a file may have millions of ids, too many for an array of buffers.

const FIRST_BYTES = 1024;

export class ByteList {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#length + bytes.length));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** All bytes so far, in a buffer of their own. */
  copy(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }
}

/** Packed ids one by one, as views. */
export function* splitBytes(packed: Buffer, itemBytes: number): Generator<Buffer> {
  for (let at = 0; at < packed.length; at += itemBytes) yield packed.subarray(at, at + itemBytes);
}
