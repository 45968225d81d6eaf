// Brings a catalog from its format to a later one (docs/storage-format.md, "Catalog").
// Invariant: all steps in one transaction, and before the first one a whole and durable copy of the old catalog beside it.

import { copyCatalog } from './backup.ts';
import type { Sql } from './sql.ts';

/** "BBCT": tells a catalog from any other SQLite file. */
export const APPLICATION_ID = 0x42424354;

/** Step n of `steps`, counted from 1, leads from format n - 1 to n; format 0 is an empty file, of which no copy is kept. */
export function migrate(sql: Sql, path: string, format: number, steps: readonly string[]): void {
  if (format > 0) copyCatalog(sql, `${path}.format-${format}`);
  sql.transaction(() => {
    for (const step of steps.slice(format)) sql.exec(step);
    sql.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${steps.length}`);
  });
}
