// Which packs of the peers store are worth their space, and cells that moved out of one that is not.
// Invariant: a cell has one place, durable below a mark, at any moment; a pack is given up only when nothing is in it.

import type { HeldMove, PackUse } from '../../ports/catalog.ts';
import type { CellPosition, PackMark } from '../../ports/cell-store.ts';
import { notDurable } from './commit.ts';
import { dropEmptyHeldPacks } from './held.ts';
import { raiseMarks, slotsOfPack, soundPosition } from './marks.ts';
import { numberOf } from './sql.ts';
import type { Sql } from './sql.ts';

/** As Catalog.heldPackUse. */
export function heldPackUse(sql: Sql): PackUse[] {
  return sql
    .all(
      `SELECT m.pack, m.slots, count(c.num) AS needed FROM mark m LEFT JOIN held_cell c ON c.pack = m.pack
       WHERE m.store = 2 GROUP BY m.pack, m.slots ORDER BY m.pack`,
    )
    .map((row) => ({
      pack: numberOf(row['pack']),
      slots: numberOf(row['slots']),
      needed: numberOf(row['needed']),
    }));
}

/** As Catalog.heldInPack. */
export function heldInPack(sql: Sql, pack: number, slot: number, limit: number): CellPosition[] {
  return sql
    .all('SELECT slot FROM held_cell WHERE pack = ? AND slot >= ? ORDER BY slot LIMIT ?', pack, slot, limit)
    .map((row) => soundPosition(pack, numberOf(row['slot'])));
}

/** Part of a transaction. */
export function moveHeld(sql: Sql, moves: readonly HeldMove[], marks: readonly PackMark[]): void {
  raiseMarks(sql, 'peers', marks);
  for (const { from, to } of moves) {
    if (to.slot >= slotsOfPack(sql, 'peers', to.pack)) throw notDurable();
    sql.run(
      'UPDATE held_cell SET pack = ?, slot = ? WHERE pack = ? AND slot = ?',
      to.pack,
      to.slot,
      from.pack,
      from.slot,
    );
  }
}

/** As Catalog.dropHeldPacks. */
export function dropHeldPacks(sql: Sql, packs: readonly number[]): number[] {
  // A state.db that lost its journal would still name places in the packs that go, and cut off where their cells are now.
  const state = sql.get('PRAGMA wal_checkpoint(FULL)');
  if (state === undefined || state['busy'] !== 0 || state['log'] !== state['checkpointed']) return [];
  return sql.transaction(() => dropEmptyHeldPacks(sql, (pack) => packs.includes(pack)));
}
