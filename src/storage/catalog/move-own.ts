// Own cells that were damaged and have been written once more: the catalog's word of where they lie changes, and nothing
// else (docs/protocol.md, "Damage"). Part of a transaction of the caller.
// Invariant: acknowledged = durable: no position above its pack's mark is ever recorded.

import { CHUNK_ID_BYTES } from '../../core/content/chunk-id.ts';
import type { OwnMove } from '../../ports/catalog.ts';
import type { CellPosition } from '../../ports/cell-store.ts';
import { invariant } from '../../core/errors.ts';
import { notDurable } from './commit.ts';
import { raiseMarks, slotsOfPack } from './marks.ts';
import { dropEmptyPacks, needRevision, packPositions } from './revisions.ts';
import type { RowKeys } from './row-keys.ts';
import type { Sql } from './sql.ts';

const CELL_ID_BYTES = 32;

export function moveOwn(sql: Sql, keys: RowKeys, { cells, heads, marks }: OwnMove): void {
  raiseMarks(sql, 'own', marks);
  for (const { cellId, position } of cells) {
    requireDurable(sql, position);
    sql.run('UPDATE cell SET pack = ?, slot = ? WHERE cell_id = ?', position.pack, position.slot, cellId);
  }
  for (const { contentId, positions } of heads) {
    const { num, row } = needRevision(sql, keys, contentId);
    invariant(positions.length === 2 * row.headCells, 'a revision has two head copies');
    for (const position of positions) requireDurable(sql, position);
    sql.run('UPDATE revision SET heads = ? WHERE num = ?', packPositions(positions), num);
  }
  dropEmptyPacks(sql);
}

/** Where chunks lie, read from the cells themselves: packed chunk id, cell id. */
export function placeChunks(sql: Sql, places: Buffer): void {
  for (let at = 0; at < places.length; at += CHUNK_ID_BYTES + CELL_ID_BYTES) {
    const cellId = places.subarray(at + CHUNK_ID_BYTES, at + CHUNK_ID_BYTES + CELL_ID_BYTES);
    const chunkId = places.subarray(at, at + CHUNK_ID_BYTES);
    sql.run('INSERT OR REPLACE INTO chunk SELECT ?, num FROM cell WHERE cell_id = ?', chunkId, cellId);
  }
}

function requireDurable(sql: Sql, { pack, slot }: CellPosition): void {
  if (slot >= slotsOfPack(sql, 'own', pack)) throw notDurable();
}
