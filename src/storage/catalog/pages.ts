// Lists of cell numbers, packed 1 024 to a row: half a million cells are two megabytes and a handful of reads.
// Invariant: a number that a disk changed is never followed: each row ends with a check value over its numbers.

import { sha256 } from '../../core/crypto/hash.ts';
import { BbError, invariant } from '../../core/errors.ts';
import { bytesOf } from './sql.ts';
import type { Sql } from './sql.ts';

export const PAGE_CELLS = 1024;
const NUMBER_BYTES = 4;
const CHECK_BYTES = 8;

export type PageTable = 'revision_page' | 'held_page';

/** A list and how many cells it has; a row of it that is lost would else go unnoticed. */
export type CountedList = { readonly list: number; readonly cells: number };

/** Cell numbers (u32) of one page, then 8 bytes of their SHA-256. */
export function packNumbers(numbers: readonly number[]): Buffer {
  const packed = Buffer.alloc(numbers.length * NUMBER_BYTES);
  for (const [index, number] of numbers.entries()) packed.writeUInt32BE(number, index * NUMBER_BYTES);
  return Buffer.concat([packed, sha256(packed).subarray(0, CHECK_BYTES)]);
}

/** INTEGRITY when the row is not what was written. */
export function unpackNumbers(page: Buffer): number[] {
  const packed = page.subarray(0, Math.max(0, page.length - CHECK_BYTES));
  if (!sha256(packed).subarray(0, CHECK_BYTES).equals(page.subarray(packed.length))) {
    throw new BbError('INTEGRITY', 'a list of cells in the catalog is damaged');
  }
  const numbers: number[] = [];
  for (let at = 0; at + NUMBER_BYTES <= packed.length; at += NUMBER_BYTES) numbers.push(packed.readUInt32BE(at));
  return numbers;
}

/** Cell numbers `from` to `from + count` of a list, in order; INTEGRITY when the list is shorter than asked. */
export function readNumbers(sql: Sql, table: PageTable, list: number, from: number, count: number): number[] {
  invariant(from >= 0 && count >= 0, 'a range of a list is not negative');
  const numbers: number[] = [];
  for (let at = from; at < from + count; ) {
    const page = Math.floor(at / PAGE_CELLS);
    const row = sql.get(`SELECT cells FROM ${table} WHERE list = ? AND page = ?`, list, page);
    const inPage = row === undefined ? [] : unpackNumbers(bytesOf(row['cells']));
    const taken = inPage.slice(at - page * PAGE_CELLS, from + count - page * PAGE_CELLS);
    if (taken.length === 0) throw new BbError('INTEGRITY', 'a list of cells in the catalog is incomplete');
    numbers.push(...taken);
    at += taken.length;
  }
  return numbers;
}

/** All cell numbers of these lists, as a set. INTEGRITY when a list has another length than it should have. */
export function distinctNumbers(sql: Sql, table: PageTable, lists: readonly CountedList[]): Set<number> {
  const seen = new Set<number>();
  for (const { list, cells } of lists) {
    let count = 0;
    for (const row of sql.all(`SELECT cells FROM ${table} WHERE list = ?`, list)) {
      for (const number of unpackNumbers(bytesOf(row['cells']))) {
        seen.add(number);
        count += 1;
      }
    }
    if (count !== cells) throw new BbError('INTEGRITY', 'a list of cells in the catalog has another length');
  }
  return seen;
}

/** Calls `write` with each full page of a stream of numbers and with the rest. */
export class PageWriter {
  readonly #write: (page: number, packed: Buffer) => void;
  #numbers: number[] = [];
  #page = 0;
  count = 0;

  constructor(write: (page: number, packed: Buffer) => void) {
    this.#write = write;
  }

  push(number: number): void {
    this.#numbers.push(number);
    this.count++;
    if (this.#numbers.length === PAGE_CELLS) this.finish();
  }

  finish(): void {
    if (this.#numbers.length === 0) return;
    this.#write(this.#page++, packNumbers(this.#numbers));
    this.#numbers = [];
  }
}
