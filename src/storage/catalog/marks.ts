// High-water marks of packs. A mark never falls while cells below it are known: two pulls that sync one store may commit
// in either order.

import type { CellPosition, PackMark } from '../../ports/cell-store.ts';
import { BbError } from '../../core/errors.ts';
import { isPosition } from '../packs/pack-format.ts';
import { numberOf } from './sql.ts';
import type { Sql } from './sql.ts';

export type StoreName = 'own' | 'peers';
export const STORE = { own: 1, peers: 2 } as const satisfies Record<StoreName, number>;

/** Cells at or above the mark of their pack, in one statement: another thread may commit between two. */
const ABOVE_MARK: Readonly<Record<StoreName, string>> = {
  own: `SELECT 1 FROM (SELECT pack, max(slot) AS slot FROM cell GROUP BY pack) AS top
    LEFT JOIN mark ON mark.store = 1 AND mark.pack = top.pack
    WHERE mark.slots IS NULL OR top.slot >= mark.slots LIMIT 1`,
  peers: `SELECT 1 FROM (SELECT pack, max(slot) AS slot FROM held_cell WHERE pack IS NOT NULL GROUP BY pack) AS top
    LEFT JOIN mark ON mark.store = 2 AND mark.pack = top.pack
    WHERE mark.slots IS NULL OR top.slot >= mark.slots LIMIT 1`,
};

/**
 * Where packs are cut at start, so a mark is believed only when every known cell lies below it: one flipped bit would else take
 * cells away that somebody counts on. INTEGRITY when it does not hold.
 */
export function readMarks(sql: Sql, store: StoreName): PackMark[] {
  const marks = allMarks(sql, store);
  const isSound = marks.every(({ pack, slots }) => isPosition({ pack, slot: slots - 1 }));
  if (!isSound || sql.get(ABOVE_MARK[store]) !== undefined) {
    throw new BbError('INTEGRITY', 'a mark of a pack in the catalog is damaged');
  }
  return marks;
}

function allMarks(sql: Sql, store: StoreName): PackMark[] {
  return sql
    .all('SELECT pack, slots FROM mark WHERE store = ? ORDER BY pack', STORE[store])
    .map((row) => ({ pack: numberOf(row['pack']), slots: numberOf(row['slots']) }));
}

/** INTEGRITY for numbers that no cell can have. */
export function soundPosition(pack: number, slot: number): CellPosition {
  if (!isPosition({ pack, slot })) throw new BbError('INTEGRITY', 'a position in the catalog is damaged');
  return { pack, slot };
}

export function raiseMarks(sql: Sql, store: StoreName, marks: readonly PackMark[]): void {
  for (const { pack, slots } of marks) {
    sql.run(
      `INSERT INTO mark (store, pack, slots) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET slots = max(slots, excluded.slots)`,
      STORE[store],
      pack,
      slots,
    );
  }
}

/** Slots that are durable in a pack, 0 for an unknown one. */
export function slotsOfPack(sql: Sql, store: StoreName, pack: number): number {
  const row = sql.get('SELECT slots FROM mark WHERE store = ? AND pack = ?', STORE[store], pack);
  return row === undefined ? 0 : numberOf(row['slots']);
}

export function dropMark(sql: Sql, store: StoreName, pack: number): void {
  sql.run('DELETE FROM mark WHERE store = ? AND pack = ?', STORE[store], pack);
}
