// All that SQL can see of a catalog: schema, every row of every table by scan, by key and by each index. Whatever the program
// asks is made of these, so two catalogs with one dump give the same answers, whatever their unused bytes are.

import { createHash } from 'node:crypto';
import type { SQLInputValue } from 'node:sqlite';
import { openDatabaseReader } from '../../src/storage/catalog/database.ts';
import type { Sql, SqlRow } from '../../src/storage/catalog/sql.ts';

/** A digest of the dump; undefined when the catalog cannot be read to its end. */
export function dumpOf(path: string): string | undefined {
  let sql: Sql;
  try {
    sql = openDatabaseReader(path);
  } catch {
    return undefined;
  }
  try {
    const hash = createHash('sha256');
    const add = (rows: readonly SqlRow[]): void => {
      for (const row of rows) {
        for (const value of Object.values(row)) {
          hash.update(value instanceof Uint8Array ? value : `${typeof value} ${String(value)}`).update('\0');
        }
        hash.update('\n');
      }
    };
    const schema = sql.all('SELECT type, name, tbl_name, sql FROM sqlite_master');
    add(schema);
    for (const row of schema) {
      const name = String(row['name']);
      if (row['type'] === 'index') {
        add(
          sql.all(`SELECT * FROM "${String(row['tbl_name'])}" INDEXED BY "${name}"${conditionOf(String(row['sql']))}`),
        );
      } else {
        addTable(sql, name, add);
      }
    }
    return hash.digest('hex');
  } catch {
    return undefined;
  } finally {
    sql.close();
  }
}

/** All rows at once, and each by its key: a search takes other pages than a walk. */
function addTable(sql: Sql, name: string, add: (rows: readonly SqlRow[]) => void): void {
  const rows = sql.all(`SELECT * FROM "${name}"`);
  add(rows);
  const columns = sql
    .all(`SELECT name FROM pragma_table_info('${name}') WHERE pk > 0`)
    .map((row) => String(row['name']));
  if (columns.length === 0) return;
  const where = columns.map((column) => `"${column}" = ?`).join(' AND ');
  for (const row of rows) {
    const key = columns.map((column) => (row[column] ?? null) as SQLInputValue);
    add(sql.all(`SELECT * FROM "${name}" WHERE ${where}`, ...key));
  }
}

/** A partial index is used only for its own rows. */
function conditionOf(text: string): string {
  return /\sWHERE\s.*/.exec(text)?.[0] ?? '';
}
