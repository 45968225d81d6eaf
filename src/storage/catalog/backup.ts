// state.bak: a complete copy of the catalog beside it, whole at any moment (docs/storage-format.md, "Catalog").

import * as fs from 'node:fs';
import type { Sql } from './sql.ts';

export const BACKUP_NAME = 'state.bak';

export function backupCatalog(sql: Sql, dataDir: string): void {
  const temporary = `${dataDir}/${BACKUP_NAME}.new`;
  fs.rmSync(temporary, { force: true });
  fs.closeSync(fs.openSync(temporary, 'wx', 0o600));
  sql.get('VACUUM INTO ?', temporary);
  syncPath(temporary);
  fs.renameSync(temporary, `${dataDir}/${BACKUP_NAME}`);
  syncPath(dataDir);
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
