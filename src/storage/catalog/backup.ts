// state.bak: a complete copy of the catalog beside it, whole at any moment (docs/storage-format.md, "Catalog").

import * as fs from 'node:fs';
import { dirname } from 'node:path';
import type { Sql } from './sql.ts';

export const BACKUP_NAME = 'state.bak';

export function backupCatalog(sql: Sql, dataDir: string): void {
  copyCatalog(sql, `${dataDir}/${BACKUP_NAME}`);
}

/** A complete, private and durable copy at `path`, in place of what was there. */
export function copyCatalog(sql: Sql, path: string): void {
  const temporary = `${path}.new`;
  fs.rmSync(temporary, { force: true });
  fs.closeSync(fs.openSync(temporary, 'wx', 0o600));
  try {
    sql.get('VACUUM INTO ?', temporary);
    syncPath(temporary);
    fs.renameSync(temporary, path);
  } catch (error) {
    // As large as the catalog: on a full disk this is space that is needed now, not at the next copy.
    fs.rmSync(temporary, { force: true });
    throw error;
  }
  syncPath(dirname(path));
}

/** fsync of a file or folder. */
export function syncPath(path: string): void {
  const handle = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}
