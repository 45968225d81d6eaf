// Lists of leaves that we hold for owners, and where their cells lie. A cell is stored once per owner however many of its
// lists name it; owners never share cells (per-peer sealing), so nothing here looks across owners.

import type { CellPosition, PackMark } from '../../ports/cell-store.ts';
import { BbError, invariant } from '../../core/errors.ts';
import { notDurable } from './commit.ts';
import { dropMark, raiseMarks, slotsOfPack, soundPosition } from './marks.ts';
import { distinctNumbers, packNumbers, PAGE_CELLS, readNumbers } from './pages.ts';
import type { CountedList } from './pages.ts';
import { pageLabel } from './row-keys.ts';
import type { RowKeys } from './row-keys.ts';
import { asBuffer, bytesOf, numberOf } from './sql.ts';
import type { Sql, SqlRow } from './sql.ts';

const LEAF_BYTES = 32;
const KIND = 'held-page';

export function createHeldList(sql: Sql, keys: RowKeys, peer: number, leaves: Uint8Array): number {
  invariant(leaves.length % LEAF_BYTES === 0, 'packed leaves have 32 bytes each');
  const cells = leaves.length / LEAF_BYTES;
  const list = sql.run('INSERT INTO held_list (peer, cells) VALUES (?, ?)', peer, cells);
  for (let from = 0; from < cells; from += PAGE_CELLS) {
    const page = from / PAGE_CELLS;
    const inPage = asBuffer(leaves).subarray(from * LEAF_BYTES, (from + PAGE_CELLS) * LEAF_BYTES);
    const numbers: number[] = [];
    for (let at = 0; at < inPage.length; at += LEAF_BYTES) {
      numbers.push(cellNumber(sql, peer, heldTag(keys, peer, inPage.subarray(at, at + LEAF_BYTES))));
    }
    const sealed = keys.seal(pageLabel(KIND, list, page), inPage);
    sql.run('INSERT INTO held_page VALUES (?, ?, ?, ?)', list, page, packNumbers(numbers), sealed);
  }
  return list;
}

/** As Catalog.heldLeaves. */
export function heldLeaves(sql: Sql, keys: RowKeys, list: number, from: number, count: number): Buffer {
  requireRange(sql, list, from, count);
  const parts: Buffer[] = [];
  for (let at = from; at < from + count; ) {
    const page = Math.floor(at / PAGE_CELLS);
    const row = sql.get('SELECT leaves FROM held_page WHERE list = ? AND page = ?', list, page);
    const leaves = keys.open(pageLabel(KIND, list, page), bytesOf(row?.['leaves']));
    const end = Math.min(from + count, (page + 1) * PAGE_CELLS);
    parts.push(leaves.subarray((at - page * PAGE_CELLS) * LEAF_BYTES, (end - page * PAGE_CELLS) * LEAF_BYTES));
    at = end;
  }
  return Buffer.concat(parts);
}

/** As Catalog.heldMissing. */
export function heldMissing(sql: Sql, list: number, from: number, limit: number): number[] {
  const { peer, cells } = heldList(sql, list);
  const missing: number[] = [];
  if (sql.get('SELECT 1 FROM held_cell WHERE peer = ? AND pack IS NULL LIMIT 1', peer) === undefined) return missing;
  for (let at = from; at < cells && missing.length < limit; at += PAGE_CELLS) {
    const numbers = readNumbers(sql, 'held_page', list, at, Math.min(PAGE_CELLS, cells - at));
    for (const [index, num] of numbers.entries()) {
      if (missing.length < limit && positionOfHeld(sql, num) === undefined) missing.push(at + index);
    }
  }
  return missing;
}

export function addHeldCells(
  sql: Sql,
  keys: RowKeys,
  peer: number,
  cells: readonly { readonly leaf: Uint8Array; readonly position: CellPosition }[],
  marks: readonly PackMark[],
): void {
  raiseMarks(sql, 'peers', marks);
  for (const { leaf, position } of cells) {
    if (position.slot >= slotsOfPack(sql, 'peers', position.pack)) throw notDurable();
    sql.run(
      'UPDATE held_cell SET pack = ?, slot = ? WHERE peer = ? AND tag = ?',
      position.pack,
      position.slot,
      peer,
      heldTag(keys, peer, leaf),
    );
  }
}

/** A durable cell that no list names yet; one that has a place keeps it. Part of a transaction of the caller. */
export function registerHeldCell(sql: Sql, keys: RowKeys, peer: number, leaf: Uint8Array, place: CellPosition): void {
  const num = cellNumber(sql, peer, heldTag(keys, peer, leaf));
  sql.run('UPDATE held_cell SET pack = ?, slot = ? WHERE num = ? AND pack IS NULL', place.pack, place.slot, num);
}

export function allHeldLists(sql: Sql): CountedList[] {
  return sql.all('SELECT num, cells FROM held_list ORDER BY num').map(countedOf);
}

function countedOf(row: SqlRow): CountedList {
  return { list: numberOf(row['num']), cells: numberOf(row['cells']) };
}

/** As Catalog.heldPositions. */
export function heldPositions(sql: Sql, list: number, from: number, count: number): (CellPosition | undefined)[] {
  requireRange(sql, list, from, count);
  return readNumbers(sql, 'held_page', list, from, count).map((num) => positionOfHeld(sql, num));
}

/** Part of a transaction; returns packs in which nothing is left, the newest (it may be being filled) never. */
export function dropHeldList(sql: Sql, list: number): number[] {
  const { peer, cells } = heldList(sql, list);
  const own = distinctNumbers(sql, 'held_page', [{ list, cells }]);
  sql.run('DELETE FROM held_list WHERE num = ?', list);
  sql.run('DELETE FROM held_page WHERE list = ?', list);
  const others = sql.all('SELECT num, cells FROM held_list WHERE peer = ?', peer).map(countedOf);
  const kept = distinctNumbers(sql, 'held_page', others);
  for (const num of own) {
    if (!kept.has(num)) sql.run('DELETE FROM held_cell WHERE num = ? AND peer = ?', num, peer);
  }
  return dropEmptyHeldPacks(sql, () => true);
}

/** Part of a transaction: drops the marks of those of these packs in which nothing is needed, but not of the newest. */
export function dropEmptyHeldPacks(sql: Sql, isAsked: (pack: number) => boolean): number[] {
  const empty = sql
    .all(
      `SELECT pack FROM mark WHERE store = 2 AND pack < (SELECT max(pack) FROM mark WHERE store = 2)
       AND pack NOT IN (SELECT pack FROM held_cell WHERE pack IS NOT NULL)`,
    )
    .map((row) => numberOf(row['pack']))
    .filter(isAsked);
  for (const pack of empty) dropMark(sql, 'peers', pack);
  return empty;
}

/** As Catalog.heldDistinctCells. */
export function heldDistinctCells(sql: Sql, lists: readonly number[]): number {
  const counted = lists.map((list) => ({ list, cells: heldList(sql, list).cells }));
  return distinctNumbers(sql, 'held_page', counted).size;
}

function heldList(sql: Sql, list: number): { readonly peer: number; readonly cells: number } {
  const row = sql.get('SELECT peer, cells FROM held_list WHERE num = ?', list);
  if (row === undefined) throw new BbError('NOT_FOUND', 'this list of held cells does not exist');
  return { peer: numberOf(row['peer']), cells: numberOf(row['cells']) };
}

function requireRange(sql: Sql, list: number, from: number, count: number): void {
  const { cells } = heldList(sql, list);
  invariant(from >= 0 && count >= 0, 'a range of cells is not negative');
  // Who asks knows the length from a sealed record, so it is this number that is wrong.
  if (from + count > cells) throw new BbError('INTEGRITY', 'a list of held cells in the catalog is damaged');
}

function cellNumber(sql: Sql, peer: number, tag: Buffer): number {
  const row = sql.get('SELECT num FROM held_cell WHERE peer = ? AND tag = ?', peer, tag);
  if (row !== undefined) return numberOf(row['num']);
  return sql.run('INSERT INTO held_cell (peer, tag) VALUES (?, ?)', peer, tag);
}

function positionOfHeld(sql: Sql, num: number): CellPosition | undefined {
  const row = sql.get('SELECT pack, slot FROM held_cell WHERE num = ?', num);
  if (row === undefined) throw new BbError('INTEGRITY', 'a held cell is missing in the catalog');
  return row['pack'] === null ? undefined : soundPosition(numberOf(row['pack']), numberOf(row['slot']));
}

function heldTag(keys: RowKeys, peer: number, leaf: Uint8Array): Buffer {
  return keys.tag('held', Buffer.from(`${peer}\0`), leaf);
}
