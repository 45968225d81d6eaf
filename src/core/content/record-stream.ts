// Cuts a stream of length-prefixed records (4-byte magic, then u32 length and body each) back into records, whatever the
// sizes in which it arrives. Memory: one record.

import { BbError } from '../errors.ts';

export class RecordStream {
  readonly #magic: Buffer;
  readonly #maxRecordBytes: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #wantedBytes: number;
  #state: 'magic' | 'length' | 'body' = 'magic';

  constructor(magic: Buffer, maxRecordBytes: number) {
    this.#magic = magic;
    this.#maxRecordBytes = maxRecordBytes;
    this.#wantedBytes = magic.length;
  }

  /** Bodies of the records that are complete; INTEGRITY for a wrong magic or a record above the bound. */
  push(bytes: Buffer): Buffer[] {
    const records: Buffer[] = [];
    let rest = bytes;
    while (this.#pendingBytes + rest.length >= this.#wantedBytes) {
      const taken = this.#wantedBytes - this.#pendingBytes;
      const piece = this.#pending.length === 0 ? rest.subarray(0, taken) : this.#join(rest.subarray(0, taken));
      rest = rest.subarray(taken);
      this.#pending = [];
      this.#pendingBytes = 0;
      this.#take(piece, records);
    }
    if (rest.length > 0) {
      this.#pending.push(Buffer.from(rest));
      this.#pendingBytes += rest.length;
    }
    return records;
  }

  /** INTEGRITY when the stream ends inside a record or before its magic. */
  finish(): void {
    if (this.#state !== 'length' || this.#pendingBytes > 0) throw broken('it ends too early');
  }

  #join(last: Buffer): Buffer {
    return Buffer.concat([...this.#pending, last]);
  }

  #take(piece: Buffer, records: Buffer[]): void {
    if (this.#state === 'magic') {
      if (!piece.equals(this.#magic)) throw broken('its kind is wrong');
    } else if (this.#state === 'body') {
      records.push(piece);
    } else {
      const length = piece.readUInt32BE(0);
      if (length > this.#maxRecordBytes) throw broken('the length of a record is wrong');
      this.#state = 'body';
      this.#wantedBytes = length;
      return;
    }
    this.#state = 'length';
    this.#wantedBytes = 4;
  }
}

function broken(what: string): BbError {
  return new BbError('INTEGRITY', `a stored stream is damaged: ${what}`);
}
