// The commit point of a revision: staged cells and chunks, cell list, revision row, marks and records become visible in
// one transaction (docs/protocol.md, "Commit").

import * as fs from 'node:fs';
import type { RevisionCommit, StagedContent } from '../../ports/catalog.ts';
import { BbError, invariant } from '../../core/errors.ts';
import { raiseMarks, slotsOfPack } from './marks.ts';
import { PageWriter } from './pages.ts';
import { writeRecords } from './records.ts';
import { bodyNumbers, insertRevision, newestRevision } from './revisions.ts';
import type { RowKeys } from './row-keys.ts';
import { removeStaging, stagingPath } from './staging.ts';
import { numberOf } from './sql.ts';
import type { Sql } from './sql.ts';

export function commitRevision(sql: Sql, keys: RowKeys, dataDir: string, commit: RevisionCommit): void {
  const { stagingId } = commit.staged;
  if (stagingId === '') {
    sql.transaction(() => commitRows(sql, keys, commit, newestNumbers(sql, keys)));
    return;
  }
  const path = stagingPath(dataDir, stagingId);
  if (!fs.existsSync(path)) throw new BbError('NOT_FOUND', 'the staged content is gone; run the command again');
  sql.get('ATTACH DATABASE ? AS staged', path);
  try {
    sql.transaction(() => {
      copyStaged(sql);
      commitRows(sql, keys, commit, stagedNumbers(sql));
      requireDurable(sql);
    });
  } finally {
    sql.exec('DETACH DATABASE staged');
  }
  try {
    removeStaging(path);
  } catch {
    // Committed it is, and must not count as failed; the file goes at the next start.
  }
}

function commitRows(sql: Sql, keys: RowKeys, commit: RevisionCommit, numbers: Iterable<number>): void {
  const { revision, staged } = commit;
  requireCounts(revision.indexCells === staged.indexCells && revision.dataCells === staged.dataCells);
  const num = insertRevision(sql, keys, revision, commit.heads);
  const pages = new PageWriter((page, packed) => {
    sql.run('INSERT INTO revision_page (list, page, cells) VALUES (?, ?, ?)', num, page, packed);
  });
  for (const number of numbers) pages.push(number);
  pages.finish();
  requireCounts(pages.count === bodyCells(staged));
  raiseMarks(sql, 'own', commit.ownMarks);
  for (const { pack, slot } of commit.heads) if (slot >= slotsOfPack(sql, 'own', pack)) throw notDurable();
  writeRecords(sql, keys, commit.records);
}

/**
 * A cell that is known already (healed, or recovered again) moves to its new place and keeps its number. Numbers follow
 * the order of the blob, so that pages by number (leaves) are near each other when the blob is. A chunk is looked for only
 * in a cell that the revision lists: it lives as long as the revision does.
 */
function copyStaged(sql: Sql): void {
  sql.run(`INSERT INTO main.cell (cell_id, kind, pack, slot)
    SELECT s.cell_id, s.kind, s.pack, s.slot FROM staged.listed l JOIN staged.cell s ON s.cell_id = l.cell_id
    WHERE true ORDER BY l.is_index DESC, l.ordinal
    ON CONFLICT (cell_id) DO UPDATE SET pack = excluded.pack, slot = excluded.slot`);
  sql.run(`INSERT OR REPLACE INTO main.chunk (chunk_id, cell)
    SELECT s.chunk_id, c.num FROM staged.chunk s JOIN staged.listed l ON l.cell_id = s.cell_id
    JOIN main.cell c ON c.cell_id = s.cell_id`);
}

function* stagedNumbers(sql: Sql): Generator<number> {
  const rows = sql.iterate(`SELECT c.num AS num FROM staged.listed l LEFT JOIN main.cell c ON c.cell_id = l.cell_id
    ORDER BY l.is_index DESC, l.ordinal`);
  for (const row of rows) {
    if (row['num'] === null) throw new BbError('INTEGRITY', 'a listed cell is neither new nor known');
    yield numberOf(row['num']);
  }
}

/** Only the head changes: the cells are those of the newest revision. */
function newestNumbers(sql: Sql, keys: RowKeys): number[] {
  const newest = newestRevision(sql, keys);
  return newest === undefined ? [] : bodyNumbers(sql, newest);
}

function requireDurable(sql: Sql): void {
  const row = sql.get(`SELECT 1 FROM staged.cell s LEFT JOIN main.mark m ON m.store = 1 AND m.pack = s.pack
    WHERE m.slots IS NULL OR s.slot >= m.slots LIMIT 1`);
  if (row !== undefined) throw notDurable();
}

function bodyCells(staged: StagedContent): number {
  return staged.indexCells + staged.dataCells;
}

function requireCounts(isRight: boolean): void {
  invariant(isRight, 'the counts of a revision are those of its staged cells');
}

export function notDurable(): BbError {
  return new BbError('CONFLICT', 'a cell to be recorded is not durable; write it again');
}
