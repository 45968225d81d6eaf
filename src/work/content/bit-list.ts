// A list of yes and no that grows: one bit for each entry of a file table.

export class BitList {
  #bits = Buffer.alloc(1024);
  length = 0;

  push(bit: boolean): void {
    const at = this.length >>> 3;
    if (at === this.#bits.length) this.#bits = Buffer.concat([this.#bits, Buffer.alloc(this.#bits.length)]);
    if (bit) this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (this.length & 7));
    this.length++;
  }

  has(index: number): boolean {
    return index < this.length && ((this.#bits[index >>> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }
}
