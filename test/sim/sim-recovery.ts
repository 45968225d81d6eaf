// Recovery of simulated content from cells that peers give back: the index first, then what it lists.

import { BbError } from '../../src/core/errors.ts';
import { pubkeyFromOnionId } from '../../src/core/ids.ts';
import type { OnionId } from '../../src/core/ids.ts';
import type { RevisionRow, StagedContent } from '../../src/ports/catalog.ts';
import type { RecoverySession, WorkerKeys } from '../../src/ports/workers.ts';
import { dataCellIds, decodeFiles, openOwnCell } from './content.ts';
import type { SimFile } from './content.ts';
import type { OwnStore } from './own-store.ts';
import { keyOf } from './sim-disk.ts';
import type { Key, OwnSlot } from './sim-disk.ts';

export class SimRecovery implements RecoverySession {
  readonly #keys: WorkerKeys;
  readonly #store: OwnStore;
  readonly #row: RevisionRow;
  readonly #index: readonly Key[];
  /** Durable: a process that is started again goes on with them. */
  readonly #got: Map<Key, OwnSlot>;
  #files: SimFile[] = [];
  /** Cell ids of index and data cells in blob order, once the index is here. */
  #all: readonly Key[] | undefined;

  constructor(keys: WorkerKeys, store: OwnStore, row: RevisionRow, index: readonly Buffer[]) {
    this.#keys = keys;
    this.#store = store;
    this.#row = row;
    this.#index = index.map(keyOf);
    const key = keyOf(row.contentId);
    this.#got = store.disk.recovered.get(key) ?? new Map<Key, OwnSlot>();
    store.disk.recovered.set(key, this.#got);
    this.#openIndex();
  }

  async wanted(limit: number): Promise<readonly number[]> {
    const { headCells } = this.#row;
    const cells = this.#all ?? this.#index;
    const wanted = cells.flatMap((cell, at) => (this.#has(cell) ? [] : [headCells + at]));
    return wanted.slice(0, limit);
  }

  async counts(): Promise<{ readonly done: number; readonly total: number; readonly indexDone: boolean }> {
    const total = this.#row.indexCells + this.#row.dataCells;
    const done = (this.#all ?? this.#index).filter((cell) => this.#has(cell)).length;
    return { done, total, indexDone: this.#all !== undefined };
  }

  async offer(peer: OnionId, number: number, bytes: Buffer): Promise<boolean> {
    const at = number - this.#row.headCells;
    const cell = (this.#all ?? this.#index)[at];
    if (cell === undefined) return false;
    const slot = openOwnCell(this.#keys, pubkeyFromOnionId(peer), cell, bytes);
    if (slot === undefined) return false;
    this.#got.set(cell, slot);
    this.#openIndex();
    return true;
  }

  /** Every cell that was taken is durable already. */
  async save(): Promise<void> {}

  async finish(): Promise<{ readonly staged: StagedContent; readonly missingFiles: readonly Buffer[] }> {
    if (this.#all === undefined) throw new BbError('PARTIAL', 'the index of the content is not complete yet');
    const isWhole = (file: SimFile): boolean => dataCellIds(this.#keys, file).every((cell) => this.#has(cell));
    const missing = this.#files.filter((file) => !isWhole(file));
    const staged = this.#store.stage(this.#keys, this.#files.filter(isWhole), [], this.#got);
    if (missing.length === 0) this.#store.disk.recovered.delete(keyOf(this.#row.contentId));
    return { staged: { ...staged, isChanged: true }, missingFiles: missing.map(({ name }) => Buffer.from(name)) };
  }

  async cellIds(): Promise<Buffer> {
    return Buffer.concat((this.#all ?? this.#index).map((cell) => Buffer.from(cell, 'latin1')));
  }

  async merge(
    line: RevisionRow,
  ): Promise<{ readonly staged: StagedContent; readonly missingFiles: readonly Buffer[] }> {
    if (this.#all === undefined) throw new BbError('PARTIAL', 'the index of the content is not complete yet');
    const mine = this.#store.files(line);
    const added = this.#files.flatMap((file) => {
      const same = mine.find(({ name }) => name === file.name);
      if (same === undefined) return [file];
      const isEqual = same.cells.join() === file.cells.join();
      return isEqual ? [] : [{ ...file, name: `${file.name}.recovered-${this.#row.sequence}` }];
    });
    const staged = this.#store.stage(this.#keys, [...mine, ...added], mine, this.#got);
    return { staged: { ...staged, isChanged: true }, missingFiles: [] };
  }

  async close(): Promise<void> {}

  #has(cell: Key): boolean {
    return this.#got.has(cell) || this.#store.slot(cell) !== undefined;
  }

  #openIndex(): void {
    const [first] = this.#index;
    if (this.#all !== undefined || first === undefined) return;
    const payload = this.#got.get(first)?.payload ?? this.#store.slot(first)?.payload;
    if (payload === undefined) return;
    this.#files = decodeFiles(payload);
    const all = [...this.#index, ...this.#files.flatMap((file) => dataCellIds(this.#keys, file))];
    const isRight = all.length === this.#row.indexCells + this.#row.dataCells;
    if (!isRight) throw new BbError('INTEGRITY', 'the index does not belong to this content revision');
    this.#all = all;
  }
}
