// Opens state.db: file mode, journal, format and migrations (docs/storage-format.md, "Catalog").
// Invariant: forward only, each migration in one transaction with a copy of the file kept before it; a file of a newer
// format is refused, never changed.

import * as fs from 'node:fs';
import { BbError } from '../../core/errors.ts';
import { numberOf, Sql } from './sql.ts';

/** "BBCT": tells a catalog from any other SQLite file. */
const APPLICATION_ID = 0x42424354;
/** Migration n brings a catalog from format n - 1 to n. */
const MIGRATIONS = ['001.sql'];

export const CATALOG_NAME = 'state.db';

/** Makes the catalog when there is none. INCOMPATIBLE for a newer format, INTEGRITY when it is not a catalog. */
export function openDatabase(path: string): Sql {
  fs.closeSync(fs.openSync(path, 'a', 0o600));
  const sql = new Sql(path);
  try {
    const format = formatOf(sql);
    if (format < MIGRATIONS.length) migrate(sql, path, format);
    sql.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY');
    sql.exec('PRAGMA cache_size = -8192; PRAGMA journal_size_limit = 16777216');
    return sql;
  } catch (error) {
    sql.close();
    throw error;
  }
}

/** For reading only, beside the one writer; the file must exist in the current format. */
export function openDatabaseReader(path: string): Sql {
  const sql = new Sql(path, { readOnly: true });
  try {
    if (formatOf(sql) !== MIGRATIONS.length) throw new BbError('INTEGRITY', 'the catalog has no content yet');
    sql.exec('PRAGMA cache_size = -4096');
    return sql;
  } catch (error) {
    sql.close();
    throw error;
  }
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

function migrate(sql: Sql, path: string, format: number): void {
  if (format > 0) {
    const copy = `${path}.format-${format}`;
    fs.rmSync(copy, { force: true });
    sql.get('VACUUM INTO ?', copy);
  }
  sql.transaction(() => {
    for (const name of MIGRATIONS.slice(format)) {
      sql.exec(fs.readFileSync(new URL(`sql/${name}`, import.meta.url), 'utf8'));
    }
    sql.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}
