// The file table of a snapshot: a stream of entries in the order of compareNames, each path once
// (docs/storage-format.md, "File table"). Written and read entry by entry.

import { BbError, invariant } from '../errors.ts';
import { ENTRY_BYTES } from '../limits.ts';
import { decodeEntry, encodeEntry } from './entry.ts';
import type { Entry } from './entry.ts';
import { compareNames } from './path.ts';
import { RecordStream } from './record-stream.ts';

/** The first bytes of every table stream: "BBT", version 1. */
export const TABLE_MAGIC = Buffer.from([0x42, 0x42, 0x54, 1]);

/** Bytes of a table, entry by entry; the caller writes TABLE_MAGIC first. Out of order is a bug and throws. */
export class TableWriter {
  #last: Entry | undefined;

  append(entry: Entry): Buffer {
    invariant(this.#last === undefined || compareEntries(this.#last, entry) < 0, 'entries are appended in table order');
    this.#last = entry;
    return encodeEntry(entry);
  }
}

/** Entries of a table from its bytes in pieces of any size. */
export class TableReader {
  readonly #records = new RecordStream(TABLE_MAGIC, ENTRY_BYTES);
  #last: Entry | undefined;

  /** INTEGRITY for damage or wrong order. */
  push(bytes: Buffer): Entry[] {
    const entries = this.#records.push(bytes).map(decodeEntry);
    for (const entry of entries) {
      if (this.#last !== undefined && compareEntries(this.#last, entry) >= 0) {
        throw new BbError('INTEGRITY', 'the file table is out of order');
      }
      this.#last = entry;
    }
    return entries;
  }

  /** INTEGRITY when the stream was cut. */
  finish(): void {
    this.#records.finish();
  }
}

/** User files first, then system records, each in name order. */
export function compareEntries(a: Entry, b: Entry): number {
  return a.namespace - b.namespace || compareNames(a.path, b.path);
}
