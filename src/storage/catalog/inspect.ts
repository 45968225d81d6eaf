// What `bb doctor` asks of the catalog: its structure, its copy, the packs that it counts on, and, unlocked, every row.

import * as fs from 'node:fs';
import { blobCellCount } from '../../core/challenge/plan.ts';
import type { CatalogReport, PackDamage } from '../../ports/catalog-repair.ts';
import { isBbError } from '../../core/errors.ts';
import { PACK_HEADER_BYTES } from '../../core/limits.ts';
import { decodePackHeader, packName, slotAt } from '../packs/pack-format.ts';
import { BACKUP_NAME } from './backup.ts';
import { openCopy } from './database.ts';
import { allHeldLists, heldLeaves, heldPositions } from './held.ts';
import { checkLeafPages } from './leaves.ts';
import { readMarks } from './marks.ts';
import type { StoreName } from './marks.ts';
import { databaseProblems, isGoodCopy, rebuiltFrom } from './rebuild.ts';
import { readRecords } from './records.ts';
import { allRevisions, cellPositions, withMetadata } from './revisions.ts';
import type { RowKeys } from './row-keys.ts';
import { numberOf } from './sql.ts';
import type { Sql } from './sql.ts';

const LINES = 8;
const CELLS_AT_ONCE = 4096;

/** `problem`: why the catalog could not be opened, with `sql` undefined. */
export function inspectCatalog(dataDir: string, sql: Sql | undefined, problem: string): CatalogReport {
  const copyPath = `${dataDir}/${BACKUP_NAME}`;
  const copyStat = fs.statSync(copyPath, { throwIfNoEntry: false });
  const problems = sql === undefined ? [problem] : databaseProblems(sql);
  const isSound = sql !== undefined && problems.length === 0;
  return {
    problems,
    rebuiltFrom: isSound ? rebuiltFrom(sql) : undefined,
    copy: copyStat === undefined ? 'missing' : isGoodCopy(copyPath) ? 'good' : 'damaged',
    copyMs: copyStat === undefined ? 0 : Math.floor(copyStat.mtimeMs),
    packs: isSound ? readMarks(sql, 'own').length + readMarks(sql, 'peers').length : 0,
    damagedPacks: isSound ? [...damagedPacks(dataDir, sql, 'own'), ...damagedPacks(dataDir, sql, 'peers')] : [],
  };
}

/** Every sealed row opens, every list leads to cells that have a place below a mark. */
export function verifyCatalog(sql: Sql, keys: RowKeys): string[] {
  const problems: string[] = [...databaseProblems(sql)];
  const attempt = (look: () => void): void => {
    if (problems.length >= LINES) return;
    try {
      look();
    } catch (error) {
      if (!isBbError(error, 'INTEGRITY')) throw error;
      problems.push(error.message);
    }
  };
  attempt(() => void readRecords(sql, keys));
  attempt(() => {
    for (const known of allRevisions(sql, keys)) {
      withMetadata(sql, keys, known);
      inSteps(blobCellCount(known.row), (from, count) => void cellPositions(sql, known, from, count));
    }
  });
  attempt(() => checkLeafPages(sql, keys));
  attempt(() => {
    for (const { list, cells } of allHeldLists(sql)) {
      inSteps(cells, (from, count) => {
        heldPositions(sql, list, from, count);
        heldLeaves(sql, keys, list, from, count);
      });
    }
  });
  return problems;
}

/** The same for state.bak; one that is missing has no problem. */
export function verifyCopy(dataDir: string, keys: RowKeys): string[] {
  const path = `${dataDir}/${BACKUP_NAME}`;
  if (!fs.existsSync(path)) return [];
  try {
    const sql = openCopy(path);
    try {
      return verifyCatalog(sql, keys);
    } finally {
      sql.close();
    }
  } catch (error) {
    if (isBbError(error, 'INTEGRITY')) return [error.message];
    throw error;
  }
}

function inSteps(cells: number, look: (from: number, count: number) => void): void {
  for (let from = 0; from < cells; from += CELLS_AT_ONCE) look(from, Math.min(CELLS_AT_ONCE, cells - from));
}

const CELLS_IN_PACK = {
  own: 'SELECT count(*) AS n FROM cell WHERE pack = ?',
  peers: 'SELECT count(*) AS n FROM held_cell WHERE pack = ?',
} as const;

function damagedPacks(dataDir: string, sql: Sql, store: StoreName): PackDamage[] {
  return readMarks(sql, store).flatMap(({ pack, slots }) => {
    const damage = packDamage(`${dataDir}/${store}/${packName(pack)}`, store, slotAt(slots));
    const cells = damage === undefined ? 0 : numberOf(sql.get(CELLS_IN_PACK[store], pack)?.['n']);
    // What nothing is in any more is given back when its mark goes.
    return damage === undefined || cells === 0 ? [] : [{ store, pack, damage, cells }];
  });
}

function packDamage(path: string, store: StoreName, wantedBytes: number): PackDamage['damage'] | undefined {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'missing';
  const header = Buffer.alloc(PACK_HEADER_BYTES);
  const handle = fs.openSync(path, 'r');
  try {
    fs.readSync(handle, header, 0, PACK_HEADER_BYTES, 0);
  } finally {
    fs.closeSync(handle);
  }
  if (decodePackHeader(store, header) === undefined) return 'header';
  return stat.size < wantedBytes ? 'short' : undefined;
}
