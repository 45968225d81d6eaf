// A damaged or lost catalog is put back: from state.bak, else as an empty one (docs/storage-format.md, "Rebuilding the
// catalog"). The damaged files are kept under another name.
// Invariant: a cut at any step leaves either no state.db, which is found as lost, or a whole one that knows that it was
// put back; running it again completes it. Two journals never meet: the old one is gone before the new file has its name.

import * as fs from 'node:fs';
import type { CatalogSource } from '../../ports/catalog-repair.ts';
import { isBbError } from '../../core/errors.ts';
import { BACKUP_NAME, syncPath } from './backup.ts';
import { CATALOG_NAME, openCopy, openDatabase } from './database.ts';
import { asDiskError } from '../files.ts';
import { readMarks } from './marks.ts';
import type { Sql } from './sql.ts';

/** There while packs were not searched yet for what the copy does not know. Not part of a catalog at rest. */
const MARKER = 'rebuilt';

/** Undefined for a catalog that was not put back, or whose rebuild is over. */
export function rebuiltFrom(sql: Sql): CatalogSource | undefined {
  const table = sql.get(`SELECT 1 FROM sqlite_schema WHERE name = '${MARKER}'`);
  if (table === undefined) return undefined;
  return sql.get(`SELECT source FROM ${MARKER}`)?.['source'] === 'copy' ? 'copy' : 'nothing';
}

/** Says that this catalog may not know all that is in the packs. Part of a transaction of the caller, or one of its own. */
export function markRebuilt(sql: Sql, source: CatalogSource): void {
  sql.exec(`CREATE TABLE IF NOT EXISTS ${MARKER} (source TEXT NOT NULL) STRICT`);
  if (sql.get(`SELECT 1 FROM ${MARKER}`) === undefined) sql.run(`INSERT INTO ${MARKER} VALUES (?)`, source);
}

/** Part of the transaction that ends a rebuild. */
export function endRebuild(sql: Sql): void {
  sql.exec(`DROP TABLE IF EXISTS ${MARKER}`);
}

/**
 * Puts a catalog in place of the damaged or lost one. `isCopyBad`: state.bak was tried and its rows do not open. The old
 * catalog is closed. NO_SPACE changes nothing.
 */
export function rebuildCatalog(dataDir: string, isCopyBad: boolean): CatalogSource {
  const path = `${dataDir}/${CATALOG_NAME}`;
  const fresh = `${path}.new`;
  for (const suffix of ['', '-wal', '-shm', '-journal']) fs.rmSync(`${fresh}${suffix}`, { force: true });
  const source = !isCopyBad && isGoodCopy(`${dataDir}/${BACKUP_NAME}`) ? 'copy' : 'nothing';
  writeFresh(dataDir, fresh, source);
  setAside(dataDir, isCopyBad);
  fs.renameSync(fresh, path);
  syncPath(dataDir);
  return source;
}

function writeFresh(dataDir: string, fresh: string, source: CatalogSource): void {
  try {
    if (source === 'copy') fs.copyFileSync(`${dataDir}/${BACKUP_NAME}`, fresh);
    const sql = openDatabase(fresh);
    try {
      sql.transaction(() => markRebuilt(sql, source));
    } finally {
      sql.close();
    }
    syncPath(fresh);
  } catch (error) {
    throw asDiskError(error);
  }
}

/** A copy that opens and whose tables and indexes agree. Whether its rows open is seen at unlock. */
export function isGoodCopy(path: string): boolean {
  try {
    const sql = openCopy(path);
    try {
      return databaseProblems(sql).length === 0;
    } finally {
      sql.close();
    }
  } catch (error) {
    if (isBbError(error, 'INTEGRITY')) return false;
    throw error;
  }
}

/** What SQLite finds wrong with its own structure, a few lines at most; marks that cells contradict. */
export function databaseProblems(sql: Sql): string[] {
  try {
    const lines = sql.all('PRAGMA integrity_check(8)').map((row) => String(row['integrity_check']));
    if (lines.length !== 1 || lines[0] !== 'ok') return lines;
    readMarks(sql, 'own');
    readMarks(sql, 'peers');
    return [];
  } catch (error) {
    if (isBbError(error, 'INTEGRITY')) return [error.message];
    throw error;
  }
}

function setAside(dataDir: string, isCopyBad: boolean): void {
  const number = nextNumber(dataDir);
  const names = [CATALOG_NAME, `${CATALOG_NAME}-wal`, `${CATALOG_NAME}-shm`, ...(isCopyBad ? [BACKUP_NAME] : [])];
  for (const name of names) {
    if (!fs.existsSync(`${dataDir}/${name}`)) continue;
    const suffix = name.startsWith(CATALOG_NAME) ? name.slice(CATALOG_NAME.length) : '-bak';
    fs.renameSync(`${dataDir}/${name}`, `${dataDir}/${CATALOG_NAME}.damaged-${number}${suffix}`);
  }
  syncPath(dataDir);
}

function nextNumber(dataDir: string): number {
  const numbers = fs
    .readdirSync(dataDir)
    .map((name) => Number(/^state\.db\.damaged-([0-9]{1,9})/.exec(name)?.[1] ?? 0));
  return Math.max(0, ...numbers) + 1;
}
