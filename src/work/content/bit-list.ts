// A list of yes and no that grows: one bit for each entry of a file table, or for each cell of a blob.

export class BitList {
  #bits = Buffer.alloc(1024);
  length = 0;

  push(bit: boolean): void {
    const index = this.length++;
    if (index >>> 3 === this.#bits.length) this.#bits = Buffer.concat([this.#bits, Buffer.alloc(this.#bits.length)]);
    if (bit) this.set(index);
  }

  /** Makes an item that was pushed yes. */
  set(index: number): void {
    this.#bits[index >>> 3] = (this.#bits[index >>> 3] ?? 0) | (1 << (index & 7));
  }

  has(index: number): boolean {
    return index < this.length && ((this.#bits[index >>> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }
}
