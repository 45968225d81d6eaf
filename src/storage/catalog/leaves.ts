// Leaves of own cells as sealed for a peer: computed once, 32 bytes per (peer, cell), so that a new revision costs only
// its new cells. Head cells are equal at all peers, so their leaves stand with the revision.

import { blobCellCount } from '../../core/challenge/plan.ts';
import { invariant } from '../../core/errors.ts';
import { PAGE_CELLS, readNumbers } from './pages.ts';
import type { KnownRevision } from './revisions.ts';
import { pageLabel } from './row-keys.ts';
import type { RowKeys } from './row-keys.ts';
import { asBuffer, bytesOf, numberOf as sqlNumber } from './sql.ts';
import type { Sql } from './sql.ts';

const LEAF_BYTES = 32;
const UNKNOWN = Buffer.alloc(LEAF_BYTES);
const KIND = 'leaf-page';

/**
 * Leaves of `count` cells of the blob from `from` on, unknown ones zero; `peer` is undefined for one that has no number
 * yet. Reads the pages of these cells only.
 */
export function readLeaves(
  sql: Sql,
  keys: RowKeys,
  peer: number | undefined,
  known: KnownRevision,
  from: number,
  count: number,
): Buffer {
  const { headCells } = known.row;
  const cells = blobCellCount(known.row);
  invariant(from >= 0 && count >= 0 && from + count <= cells, 'a range of cells lies inside the blob');
  const to = from + count;
  const out = Buffer.alloc(count * LEAF_BYTES);
  const heads = readHeadLeaves(sql, keys, known);
  const copyHead = (cell: number, inHeads: number) =>
    heads.copy(out, (cell - from) * LEAF_BYTES, inHeads * LEAF_BYTES, (inHeads + 1) * LEAF_BYTES);
  for (let cell = from; cell < Math.min(to, headCells); cell++) copyHead(cell, cell);
  const bodyEnd = cells - headCells;
  for (let cell = Math.max(from, bodyEnd); cell < to; cell++) copyHead(cell, cell - bodyEnd + headCells);
  if (peer === undefined) return out;
  const first = Math.max(from, headCells);
  const inBody = Math.max(0, Math.min(to, bodyEnd) - first);
  const pages = new Map<number, Buffer>();
  for (const [index, num] of readNumbers(sql, 'revision_page', known.num, first - headCells, inBody).entries()) {
    const page = Math.floor(num / PAGE_CELLS);
    const leaves = pages.get(page) ?? readPage(sql, keys, peer, page);
    pages.set(page, leaves);
    const at = (num % PAGE_CELLS) * LEAF_BYTES;
    leaves.copy(out, (first - from + index) * LEAF_BYTES, at, at + LEAF_BYTES);
  }
  return out;
}

/** Numbers of the cells whose leaf is zero in what readLeaves gave. */
export function unknownIn(leaves: Buffer): number[] {
  const unknown: number[] = [];
  for (let cell = 0; cell * LEAF_BYTES < leaves.length; cell++) {
    if (leaves.compare(UNKNOWN, 0, LEAF_BYTES, cell * LEAF_BYTES, (cell + 1) * LEAF_BYTES) === 0) unknown.push(cell);
  }
  return unknown;
}

/** Part of a transaction of the caller; `cells` are numbers of the blob, `leaves` theirs in the same order. */
export function writeLeaves(
  sql: Sql,
  keys: RowKeys,
  peer: number,
  known: KnownRevision,
  cells: readonly number[],
  leaves: Uint8Array,
): void {
  invariant(leaves.length === cells.length * LEAF_BYTES, 'there is one leaf for each cell');
  const { headCells } = known.row;
  const bodyCells = known.row.indexCells + known.row.dataCells;
  const numberOf = numberLookup(sql, known);
  const heads = readHeadLeaves(sql, keys, known);
  const pages = new Map<number, Buffer>();
  let headsChanged = false;
  for (const [index, cell] of cells.entries()) {
    const leaf = asBuffer(leaves).subarray(index * LEAF_BYTES, (index + 1) * LEAF_BYTES);
    const inBody = cell - headCells;
    if (inBody < 0 || inBody >= bodyCells) {
      const inHeads = inBody < 0 ? cell : cell - bodyCells;
      invariant(inHeads >= 0 && inHeads < 2 * headCells, 'a cell lies inside the blob');
      leaf.copy(heads, inHeads * LEAF_BYTES);
      headsChanged = true;
      continue;
    }
    const num = numberOf(inBody);
    const page = Math.floor(num / PAGE_CELLS);
    const inPage = pages.get(page) ?? readPage(sql, keys, peer, page);
    pages.set(page, inPage);
    leaf.copy(inPage, (num % PAGE_CELLS) * LEAF_BYTES);
  }
  for (const [page, plain] of pages) {
    const sealed = keys.seal(pageLabel(KIND, peer, page), plain);
    sql.run('INSERT OR REPLACE INTO leaf_page (peer, page, leaves) VALUES (?, ?, ?)', peer, page, sealed);
  }
  if (headsChanged) {
    const sealed = keys.seal(headLabel(keys, known), heads);
    sql.run('UPDATE revision SET head_leaves = ? WHERE num = ?', sealed, known.num);
  }
}

/** INTEGRITY when a page of leaves does not open. */
export function checkLeafPages(sql: Sql, keys: RowKeys): void {
  for (const row of sql.iterate('SELECT peer, page, leaves FROM leaf_page')) {
    keys.open(pageLabel(KIND, sqlNumber(row['peer']), sqlNumber(row['page'])), bytesOf(row['leaves']));
  }
}

/** Cell number of an index or data cell by its place, opening each page of the list once. */
function numberLookup(sql: Sql, known: KnownRevision): (inBody: number) => number {
  const bodyCells = known.row.indexCells + known.row.dataCells;
  const pages = new Map<number, readonly number[]>();
  return (inBody) => {
    const from = inBody - (inBody % PAGE_CELLS);
    const numbers =
      pages.get(from) ?? readNumbers(sql, 'revision_page', known.num, from, Math.min(PAGE_CELLS, bodyCells - from));
    pages.set(from, numbers);
    const number = numbers[inBody - from];
    invariant(number !== undefined, 'a page of a list is complete');
    return number;
  };
}

function readPage(sql: Sql, keys: RowKeys, peer: number, page: number): Buffer {
  const row = sql.get('SELECT leaves FROM leaf_page WHERE peer = ? AND page = ?', peer, page);
  return row === undefined
    ? Buffer.alloc(PAGE_CELLS * LEAF_BYTES)
    : keys.open(pageLabel(KIND, peer, page), bytesOf(row['leaves']));
}

function readHeadLeaves(sql: Sql, keys: RowKeys, known: KnownRevision): Buffer {
  const sealed = bytesOf(sql.get('SELECT head_leaves FROM revision WHERE num = ?', known.num)?.['head_leaves']);
  return sealed.length === 0
    ? Buffer.alloc(2 * known.row.headCells * LEAF_BYTES)
    : keys.open(headLabel(keys, known), sealed);
}

function headLabel(keys: RowKeys, known: KnownRevision): { id: Buffer; kind: string; version: number } {
  return { id: keys.tag('revision', known.row.contentId), kind: 'head-leaves', version: 1 };
}
