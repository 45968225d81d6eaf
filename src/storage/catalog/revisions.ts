// Our own revisions: sealed descriptions, their cell lists, what two of them share, and forgetting them.
// The blob of a revision is head copy 0, index cells, data cells, head copy 1 (docs/storage-format.md, "The blob"); only
// index and data cells are in the pages, heads are described by the revision row.

import { blobCellCount } from '../../core/challenge/plan.ts';
import type { CommonRun, RevisionRow } from '../../ports/catalog.ts';
import type { CellPosition } from '../../ports/cell-store.ts';
import { BbError, invariant } from '../../core/errors.ts';
import { dropMark, soundPosition } from './marks.ts';
import { distinctNumbers, readNumbers } from './pages.ts';
import type { CountedList } from './pages.ts';
import { decodePlain, encodePlain } from './plain-json.ts';
import type { RowKeys } from './row-keys.ts';
import { bytes, integer, number, object } from './shape.ts';
import { bytesOf, numberOf } from './sql.ts';
import type { Sql, SqlRow } from './sql.ts';

/** A revision row without its Metadata, which may be a megabyte. */
export type RevisionDescription = Omit<RevisionRow, 'metadata'>;
export type KnownRevision = { readonly num: number; readonly row: RevisionDescription; readonly heads: Buffer };

const POSITION_BYTES = 8;
const CELL_ID_BYTES = 32;

const description = object<RevisionDescription>({
  contentId: bytes,
  generation: integer,
  sequence: integer,
  createdMs: number,
  headCells: integer,
  indexCells: integer,
  dataCells: integer,
  fileCount: integer,
  fileBytes: integer,
});

export function findRevision(sql: Sql, keys: RowKeys, contentId: Uint8Array): KnownRevision | undefined {
  const row = sql.get(`SELECT ${COLUMNS} FROM revision WHERE tag = ?`, keys.tag('revision', contentId));
  return row === undefined ? undefined : openRevision(row, keys);
}

/** NOT_FOUND when the revision is not kept. */
export function needRevision(sql: Sql, keys: RowKeys, contentId: Uint8Array): KnownRevision {
  const found = findRevision(sql, keys, contentId);
  if (found === undefined) throw new BbError('NOT_FOUND', 'this content revision is not kept here');
  return found;
}

export function allRevisions(sql: Sql, keys: RowKeys): KnownRevision[] {
  return sql.all(`SELECT ${COLUMNS} FROM revision`).map((row) => openRevision(row, keys));
}

/** Highest by (generation, sequence). */
export function newestRevision(sql: Sql, keys: RowKeys): KnownRevision | undefined {
  let newest: KnownRevision | undefined;
  for (const known of allRevisions(sql, keys)) {
    if (newest === undefined || isAfter(known.row, newest.row)) newest = known;
  }
  return newest;
}

export function withMetadata(sql: Sql, keys: RowKeys, known: KnownRevision): RevisionRow {
  const tag = keys.tag('revision', known.row.contentId);
  const sealed = sql.get('SELECT metadata FROM revision WHERE num = ?', known.num)?.['metadata'];
  return { ...known.row, metadata: keys.open({ id: tag, kind: 'metadata', version: 1 }, bytesOf(sealed)) };
}

/** Part of the commit; returns the number of the revision. CONFLICT when it is there already. */
export function insertRevision(sql: Sql, keys: RowKeys, row: RevisionRow, heads: readonly CellPosition[]): number {
  invariant(heads.length === 2 * row.headCells, 'a revision has two head copies');
  const { metadata, ...rest } = row;
  const tag = keys.tag('revision', row.contentId);
  if (findRevision(sql, keys, row.contentId) !== undefined) {
    throw new BbError('CONFLICT', 'this content revision was committed already');
  }
  return sql.run(
    'INSERT INTO revision (tag, description, metadata, heads, head_leaves) VALUES (?, ?, ?, ?, ?)',
    tag,
    keys.seal({ id: tag, kind: 'revision', version: 1 }, encodePlain(rest)),
    keys.seal({ id: tag, kind: 'metadata', version: 1 }, metadata),
    packPositions(heads),
    Buffer.alloc(0),
  );
}

/** As Catalog.cellIds. */
export function cellIds(sql: Sql, known: KnownRevision, from: number, count: number): Buffer {
  const out = Buffer.alloc(count * CELL_ID_BYTES);
  eachCell(sql, known, from, count, (index, cell) => {
    const at = index * CELL_ID_BYTES;
    if (cell.kind === 'head') {
      out.writeUInt8(1 + cell.copy, at);
      out.writeUInt8(1 + cell.number, at + CELL_ID_BYTES - 1);
    } else {
      bytesOf(cellRow(sql, cell.num)['cell_id']).copy(out, at);
    }
  });
  return out;
}

/** As Catalog.cellPositions. */
export function cellPositions(sql: Sql, known: KnownRevision, from: number, count: number): CellPosition[] {
  const out: CellPosition[] = [];
  eachCell(sql, known, from, count, (_, cell) => {
    if (cell.kind === 'cell') out.push(positionOf(cellRow(sql, cell.num)));
    else out.push(unpackPosition(known.heads, cell.copy * known.row.headCells + cell.number));
  });
  return out;
}

/** As Catalog.commonRuns. */
export function commonRuns(sql: Sql, known: KnownRevision, reference: KnownRevision): CommonRun[] {
  const cellOf = new Map(bodyNumbers(sql, reference).map((num, index) => [num, index + reference.row.headCells]));
  const runs: { cell: number; referenceCell: number; cells: number }[] = [];
  for (const [index, num] of bodyNumbers(sql, known).entries()) {
    const referenceCell = cellOf.get(num);
    if (referenceCell === undefined) continue;
    const cell = index + known.row.headCells;
    const last = runs.at(-1);
    if (last && last.cell + last.cells === cell && last.referenceCell + last.cells === referenceCell) last.cells++;
    else runs.push({ cell, referenceCell, cells: 1 });
  }
  return runs;
}

/** Numbers of all index and data cells in blob order. */
export function bodyNumbers(sql: Sql, known: KnownRevision): number[] {
  return readNumbers(sql, 'revision_page', known.num, 0, known.row.indexCells + known.row.dataCells);
}

/** One transaction of the caller: the revision and every cell, chunk and leaf page that only it needed. */
export function dropRevision(sql: Sql, keys: RowKeys, known: KnownRevision): void {
  const own = distinctNumbers(sql, 'revision_page', [countedOf(known)]);
  sql.run('DELETE FROM revision WHERE num = ?', known.num);
  sql.run('DELETE FROM revision_page WHERE list = ?', known.num);
  const others = allRevisions(sql, keys).map(countedOf);
  const kept = distinctNumbers(sql, 'revision_page', others);
  const dead = [...own].filter((num) => !kept.has(num));
  if (dead.length > 0) {
    for (const num of dead) sql.run('DELETE FROM cell WHERE num = ?', num);
    sql.run('DELETE FROM chunk WHERE cell NOT IN (SELECT num FROM cell)');
    sql.run('DELETE FROM leaf_page WHERE page NOT IN (SELECT DISTINCT num / 1024 FROM cell)');
  }
  dropEmptyPacks(sql);
}

function countedOf({ num, row }: KnownRevision): CountedList {
  return { list: num, cells: row.indexCells + row.dataCells };
}

/** Own packs in which nothing is live lose their mark, so that the store removes them when it is opened next. */
export function dropEmptyPacks(sql: Sql): void {
  const live = new Set(sql.all('SELECT DISTINCT pack FROM cell').map((row) => numberOf(row['pack'])));
  for (const row of sql.all('SELECT heads FROM revision')) {
    const heads = bytesOf(row['heads']);
    for (let at = 0; at < heads.length; at += POSITION_BYTES) live.add(heads.readUInt32BE(at));
  }
  const packs = sql.all('SELECT pack FROM mark WHERE store = 1 ORDER BY pack').map((row) => numberOf(row['pack']));
  for (const pack of packs.slice(0, -1)) if (!live.has(pack)) dropMark(sql, 'own', pack);
}

const COLUMNS = 'num, tag, description, heads';

function openRevision(row: SqlRow, keys: RowKeys): KnownRevision {
  const label = { id: bytesOf(row['tag']), kind: 'revision', version: 1 };
  const value = decodePlain(keys.open(label, bytesOf(row['description'])));
  return { num: numberOf(row['num']), row: description(value), heads: bytesOf(row['heads']) };
}

type CellName =
  | { readonly kind: 'head'; readonly copy: 0 | 1; readonly number: number }
  | { readonly kind: 'cell'; readonly num: number };

function eachCell(
  sql: Sql,
  known: KnownRevision,
  from: number,
  count: number,
  visit: (index: number, cell: CellName) => void,
): void {
  const { headCells } = known.row;
  const end = blobCellCount(known.row) - headCells;
  invariant(from >= 0 && count >= 0 && from + count <= end + headCells, 'a range of cells lies inside the blob');
  const first = Math.max(from, headCells);
  const numbers = readNumbers(
    sql,
    'revision_page',
    known.num,
    first - headCells,
    Math.max(0, Math.min(from + count, end) - first),
  );
  for (let index = 0; index < count; index++) {
    const cell = from + index;
    if (cell < headCells) visit(index, { kind: 'head', copy: 0, number: cell });
    else if (cell >= end) visit(index, { kind: 'head', copy: 1, number: cell - end });
    else visit(index, { kind: 'cell', num: numbers[cell - first] ?? 0 });
  }
}

function cellRow(sql: Sql, num: number): SqlRow {
  const row = sql.get('SELECT cell_id, pack, slot FROM cell WHERE num = ?', num);
  if (row === undefined) throw new BbError('INTEGRITY', 'a cell of a revision is missing in the catalog');
  return row;
}

function isAfter(a: RevisionDescription, b: RevisionDescription): boolean {
  return a.generation === b.generation ? a.sequence > b.sequence : a.generation > b.generation;
}

export function positionOf(row: SqlRow): CellPosition {
  return soundPosition(numberOf(row['pack']), numberOf(row['slot']));
}

export function packPositions(positions: readonly CellPosition[]): Buffer {
  const packed = Buffer.alloc(positions.length * POSITION_BYTES);
  for (const [index, { pack, slot }] of positions.entries()) {
    packed.writeUInt32BE(pack, index * POSITION_BYTES);
    packed.writeUInt32BE(slot, index * POSITION_BYTES + 4);
  }
  return packed;
}

function unpackPosition(packed: Buffer, index: number): CellPosition {
  const at = index * POSITION_BYTES;
  if (at + POSITION_BYTES > packed.length) throw new BbError('INTEGRITY', 'a position in the catalog is damaged');
  return soundPosition(packed.readUInt32BE(at), packed.readUInt32BE(at + 4));
}
