// Opens state.db: file mode, journal, format and migrations (docs/storage-format.md, "Catalog").
// Invariant: forward only; a file of a newer format is refused, never changed.

import * as fs from 'node:fs';
import { BbError } from '../../core/errors.ts';
import { APPLICATION_ID, migrate } from './migrate.ts';
import { isJournalDamaged } from './journal.ts';
import { isStatementError, numberOf, Sql } from './sql.ts';

/** Migration n brings a catalog from format n - 1 to n. */
const MIGRATIONS = ['001.sql'];

export const CATALOG_NAME = 'state.db';

/** Bytes of a SQLite file header: change counter, pages, and the change counter for which that number holds. */
const CHANGES_AT = 24;
const PAGES_AT = 28;
const PAGES_VALID_AT = 92;
const PAGE_BYTES_AT = 16;
const FILE_HEADER_BYTES = 100;

/** Makes the catalog when there is none. INCOMPATIBLE for a newer format, INTEGRITY when it is not a catalog. */
export function openDatabase(path: string): Sql {
  fs.closeSync(fs.openSync(path, 'a', 0o600));
  return openWritable(path);
}

/** For a directory that has a catalog: INTEGRITY also when it is lost, empty or cut short. */
export function openExisting(path: string): Sql {
  if (!fs.existsSync(path)) throw new BbError('INTEGRITY', 'the catalog (state.db) is lost');
  if (isCut(path)) throw new BbError('INTEGRITY', 'the catalog (state.db) is cut short');
  if (isJournalDamaged(`${path}-wal`)) throw new BbError('INTEGRITY', 'the journal of the catalog is damaged');
  return openWritable(path);
}

function openWritable(path: string): Sql {
  const sql = new Sql(path);
  try {
    const format = formatOf(sql);
    sql.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY');
    if (format < MIGRATIONS.length) migrate(sql, path, format, MIGRATIONS.map(stepText));
    requireSchema(sql);
    sql.exec('PRAGMA cache_size = -8192; PRAGMA journal_size_limit = 16777216');
    return sql;
  } catch (error) {
    sql.close();
    throw asDamage(error);
  }
}

/** A copy of the catalog (state.bak), never written; of this format or an earlier one. INTEGRITY when it is none. */
export function openCopy(path: string): Sql {
  if (!fs.existsSync(path) || isCut(path)) throw new BbError('INTEGRITY', 'there is no whole copy of the catalog');
  const sql = new Sql(path, { readOnly: true });
  try {
    if (formatOf(sql) === 0) throw new BbError('INTEGRITY', 'the copy of the catalog is empty');
    return sql;
  } catch (error) {
    sql.close();
    throw asDamage(error);
  }
}

/** For reading only, beside the one writer; the file must exist in the current format. */
export function openDatabaseReader(path: string): Sql {
  const sql = new Sql(path, { readOnly: true });
  try {
    if (formatOf(sql) !== MIGRATIONS.length) throw new BbError('INTEGRITY', 'the catalog has no content yet');
    requireSchema(sql);
    sql.exec('PRAGMA cache_size = -4096');
    return sql;
  } catch (error) {
    sql.close();
    throw asDamage(error);
  }
}

/** SQLite reads what is missing at the end as zeros. With a journal the rest may be in there. */
function isCut(path: string): boolean {
  const sizeBytes = fs.statSync(path).size;
  if (sizeBytes < FILE_HEADER_BYTES) return true;
  const journal = fs.statSync(`${path}-wal`, { throwIfNoEntry: false });
  if (journal !== undefined && journal.size > 0) return false;
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  const handle = fs.openSync(path, 'r');
  fs.readSync(handle, header, 0, FILE_HEADER_BYTES, 0);
  fs.closeSync(handle);
  const pageBytes = header.readUInt16BE(PAGE_BYTES_AT);
  const isPagesValid = header.readUInt32BE(CHANGES_AT) === header.readUInt32BE(PAGES_VALID_AT);
  return isPagesValid && sizeBytes < header.readUInt32BE(PAGES_AT) * pageBytes;
}

function formatOf(sql: Sql): number {
  const format = numberOf(sql.get('PRAGMA user_version')?.['user_version']);
  const application = numberOf(sql.get('PRAGMA application_id')?.['application_id']);
  if (application !== (format === 0 ? 0 : APPLICATION_ID)) {
    throw new BbError('INTEGRITY', 'state.db is not a catalog of BarterBackup');
  }
  if (format > MIGRATIONS.length) {
    throw new BbError('INCOMPATIBLE', `the catalog has format ${format}, this version knows ${MIGRATIONS.length}`);
  }
  return format;
}

function stepText(name: string): string {
  return fs.readFileSync(new URL(`sql/${name}`, import.meta.url), 'utf8');
}

/** What SQLite calls an error of the statement is, for our own statements, a file that is no longer what it was. */
function asDamage(error: unknown): unknown {
  return isStatementError(error) ? new BbError('INTEGRITY', 'the catalog is damaged', { cause: error }) : error;
}

const SCHEMA = 'SELECT type, name, tbl_name, sql FROM sqlite_master';

/** The texts of the schema lie in the file like all else: a flipped byte in one makes SQLite see other columns or rules. */
function requireSchema(sql: Sql): void {
  const found = new Set(sql.all(SCHEMA).map((row) => JSON.stringify(row)));
  const fresh = new Sql(':memory:');
  for (const text of MIGRATIONS.map(stepText)) fresh.exec(text);
  const isSound = fresh.all(SCHEMA).every((row) => found.has(JSON.stringify(row)));
  fresh.close();
  if (!isSound) throw new BbError('INTEGRITY', 'the schema of the catalog is damaged');
}
