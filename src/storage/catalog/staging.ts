// A staging database: what an ingest or a recovery has made so far, outside the catalog. The commit copies it in one
// transaction and removes it; after a crash before that nothing of it counts (docs/protocol.md, "Commit").
// Invariant: the catalog is never written from here.

import type { CellPosition, PackMark } from '../../ports/cell-store.ts';
import * as fs from 'node:fs';
import { bytesOf, numberOf, Sql } from './sql.ts';

export type StagedCell = { readonly kind: number; readonly position: CellPosition };

/** `<data>/tmp/<stagingId>.db`; the id is a plain file name. */
export function stagingPath(dataDir: string, stagingId: string): string {
  return `${dataDir}/tmp/${stagingId}.db`;
}

/** Removes a staging database with its journals. */
export function removeStaging(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) fs.rmSync(`${path}${suffix}`, { force: true });
}

export class StagingDb {
  readonly path: string;
  readonly #sql: Sql;

  /** Opens or makes the file. `durable` keeps what save() wrote through a power cut: recovery. */
  constructor(path: string, options: { readonly durable: boolean }) {
    this.path = path;
    fs.closeSync(fs.openSync(path, 'a', 0o600));
    this.#sql = new Sql(path);
    this.#sql.exec(
      options.durable
        ? 'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL'
        : 'PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF',
    );
    this.#sql.exec(`PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;
      CREATE TABLE IF NOT EXISTS cell (cell_id BLOB PRIMARY KEY, kind INTEGER NOT NULL, pack INTEGER NOT NULL,
        slot INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS chunk (chunk_id BLOB PRIMARY KEY, cell_id BLOB NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS listed (ordinal INTEGER PRIMARY KEY, is_index INTEGER NOT NULL,
        cell_id BLOB NOT NULL UNIQUE) STRICT;
      CREATE TABLE IF NOT EXISTS live (cell_id BLOB PRIMARY KEY, uses INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS record (ordinal INTEGER PRIMARY KEY, cell_id BLOB NOT NULL, body BLOB NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS aside (name_key BLOB PRIMARY KEY, entry BLOB NOT NULL) STRICT, WITHOUT ROWID;
      BEGIN`);
  }

  /** A new cell that is in the own store; a later position replaces an earlier one. */
  addCell(cellId: Buffer, cell: StagedCell): void {
    const { pack, slot } = cell.position;
    this.#sql.run('INSERT OR REPLACE INTO cell VALUES (?, ?, ?, ?)', cellId, cell.kind, pack, slot);
  }

  cell(cellId: Buffer): StagedCell | undefined {
    const row = this.#sql.get('SELECT kind, pack, slot FROM cell WHERE cell_id = ?', cellId);
    return row === undefined
      ? undefined
      : { kind: numberOf(row['kind']), position: { pack: numberOf(row['pack']), slot: numberOf(row['slot']) } };
  }

  /** Learns the cells and chunks that another one has saved; it may be open. */
  takeOver(path: string): void {
    this.#sql.exec('COMMIT');
    this.#sql.get('ATTACH DATABASE ? AS other', path);
    try {
      this.#sql.exec(`BEGIN; INSERT OR IGNORE INTO cell SELECT * FROM other.cell;
        INSERT OR IGNORE INTO chunk SELECT * FROM other.chunk; COMMIT`);
    } finally {
      this.#sql.exec('DETACH DATABASE other; BEGIN');
    }
  }

  cellCount(): number {
    return numberOf(this.#sql.get('SELECT count(*) AS n FROM cell')?.['n']);
  }

  /** Where a chunk lies from now on; the catalog's older place is replaced at the commit. */
  addChunk(chunkId: Buffer, cellId: Buffer): void {
    this.#sql.run('INSERT OR REPLACE INTO chunk VALUES (?, ?)', chunkId, cellId);
  }

  /** The cell of a chunk that was added here. */
  chunkCell(chunkId: Buffer): Buffer | undefined {
    const row = this.#sql.get('SELECT cell_id FROM chunk WHERE chunk_id = ?', chunkId);
    return row === undefined ? undefined : bytesOf(row['cell_id']);
  }

  /** Appends a cell, staged or of the catalog, to the blob: index cells come first, each kind in order of the calls. */
  listCell(cellId: Buffer, kind: 'index' | 'data'): void {
    this.#sql.run('INSERT INTO listed (is_index, cell_id) VALUES (?, ?)', kind === 'index' ? 1 : 0, cellId);
  }

  isListed(cellId: Buffer): boolean {
    return this.#sql.get('SELECT 1 FROM listed WHERE cell_id = ?', cellId) !== undefined;
  }

  /** The cell ids of the blob without heads, in blob order; or those of one kind. */
  *listed(kind?: 'index' | 'data'): Generator<Buffer> {
    const where = kind === undefined ? '' : `WHERE is_index = ${kind === 'index' ? 1 : 0}`;
    for (const row of this.#sql.iterate(`SELECT cell_id FROM listed ${where} ORDER BY is_index DESC, ordinal`)) {
      yield bytesOf(row['cell_id']);
    }
  }

  listedCount(kind: 'index' | 'data'): number {
    const row = this.#sql.get('SELECT count(*) AS n FROM listed WHERE is_index = ?', kind === 'index' ? 1 : 0);
    return numberOf(row?.['n']);
  }

  /** Remembers that a cell of the catalog has chunks that the new content needs, so many times. */
  markLive(cellId: Buffer, uses = 1): void {
    this.#sql.run('INSERT INTO live VALUES (?, ?) ON CONFLICT DO UPDATE SET uses = uses + excluded.uses', cellId, uses);
  }

  /** How often chunks of a cell are needed; 0 for a cell that is not live. */
  usesOf(cellId: Buffer): number {
    const row = this.#sql.get('SELECT uses FROM live WHERE cell_id = ?', cellId);
    return row === undefined ? 0 : numberOf(row['uses']);
  }

  /** The chunks of a live cell have moved elsewhere. */
  unmarkLive(cellId: Buffer): void {
    this.#sql.run('DELETE FROM live WHERE cell_id = ?', cellId);
  }

  isLive(cellId: Buffer): boolean {
    return this.#sql.get('SELECT 1 FROM live WHERE cell_id = ?', cellId) !== undefined;
  }

  /** Cells marked live that are not part of the blob yet. */
  unlistedLive(): Buffer[] {
    return this.#sql
      .all('SELECT cell_id FROM live WHERE cell_id NOT IN (SELECT cell_id FROM listed)')
      .map((row) => bytesOf(row['cell_id']));
  }

  /** Keeps the directory record of a new data cell until the directory is written; in order of the calls. */
  addRecord(cellId: Buffer, body: Buffer): void {
    this.#sql.run('INSERT INTO record (cell_id, body) VALUES (?, ?)', cellId, body);
  }

  *records(): Generator<{ readonly cellId: Buffer; readonly body: Buffer }> {
    for (const row of this.#sql.iterate('SELECT cell_id, body FROM record ORDER BY ordinal')) {
      yield { cellId: bytesOf(row['cell_id']), body: bytesOf(row['body']) };
    }
  }

  /** Keeps an entry of the file table for its place in the order of `nameKey`; false when one is there already. */
  addAside(nameKey: Buffer, entry: Buffer): boolean {
    if (this.#sql.get('SELECT 1 FROM aside WHERE name_key = ?', nameKey) !== undefined) return false;
    this.#sql.run('INSERT INTO aside (name_key, entry) VALUES (?, ?)', nameKey, entry);
    return true;
  }

  /** The entries that were put aside, in order. */
  *asides(): Generator<Buffer> {
    for (const row of this.#sql.iterate('SELECT entry FROM aside ORDER BY name_key')) yield bytesOf(row['entry']);
  }

  forgetAsides(): void {
    this.#sql.exec('DELETE FROM aside');
  }

  /** Forgets the list of the blob and what led to it; cells and chunks stay. */
  unlist(): void {
    this.#sql.exec('DELETE FROM listed; DELETE FROM live; DELETE FROM record; DELETE FROM aside');
  }

  /** How far the packs of the own store must be kept for the cells that are staged here. */
  marks(): PackMark[] {
    return this.#sql
      .all('SELECT pack, max(slot) + 1 AS slots FROM cell GROUP BY pack ORDER BY pack')
      .map((row) => ({ pack: numberOf(row['pack']), slots: numberOf(row['slots']) }));
  }

  /** Writes what came since the last save; with `durable` it is on the disk when this returns. */
  save(): void {
    this.#sql.exec('COMMIT; BEGIN');
  }

  /** Saves and closes; the file is ready for commitRevision. */
  close(): void {
    this.#sql.exec('COMMIT');
    this.#sql.close();
  }

  /** Closes and removes the file. */
  discard(): void {
    this.#sql.close();
    removeStaging(this.path);
  }
}
