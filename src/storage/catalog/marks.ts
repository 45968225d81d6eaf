// High-water marks of packs. A mark never falls while cells below it are known: two pulls that sync one store may commit
// in either order.

import type { PackMark } from '../../ports/cell-store.ts';
import { numberOf } from './sql.ts';
import type { Sql } from './sql.ts';

export type StoreName = 'own' | 'peers';
export const STORE = { own: 1, peers: 2 } as const satisfies Record<StoreName, number>;

export function readMarks(sql: Sql, store: StoreName): PackMark[] {
  return sql
    .all('SELECT pack, slots FROM mark WHERE store = ? ORDER BY pack', STORE[store])
    .map((row) => ({ pack: numberOf(row['pack']), slots: numberOf(row['slots']) }));
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
