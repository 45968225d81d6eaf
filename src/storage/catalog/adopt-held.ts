// Cells of other people that lie in packs above the marks of a catalog that was put back. They are registered for their
// owners, so that a pull finds them present by their leaf; which revision they belong to, only the owner can say.

import * as fs from 'node:fs';
import { onionIdFromPubkey } from '../../core/ids.ts';
import { CELLS_IN_FLIGHT } from '../../core/limits.ts';
import { packKeys } from '../../core/crypto/dir-keys.ts';
import type { PackMark } from '../../ports/cell-store.ts';
import { LateSlots, marksOf } from '../packs/late-slots.ts';
import type { LateCell, LateRange } from '../packs/late-slots.ts';
import { packName } from '../packs/pack-format.ts';
import { registerHeldCell } from './held.ts';
import { raiseMarks, readMarks } from './marks.ts';
import { peerNumber } from './peer-numbers.ts';
import type { RowKeys } from './row-keys.ts';
import type { Sql } from './sql.ts';

/** How many were found. Run again it finds nothing new; cut in the middle, it goes on pack by pack. */
export async function adoptHeldCells(dataDir: string, sql: Sql, keys: RowKeys, wrapKey: Uint8Array): Promise<number> {
  const slots = new LateSlots({ dir: `${dataDir}/peers`, kind: 'peers', keys: packKeys(wrapKey) });
  const marks = readMarks(sql, 'peers');
  sql.transaction(() =>
    forgetPlaces(
      sql,
      marks.filter(({ pack }) => !fs.existsSync(packPath(dataDir, pack))),
    ),
  );
  const ranges = await slots.ranges(marks);
  let found = 0;
  for (const range of ranges) {
    await slots.sync([range]);
    let batch: LateCell[] = [];
    for await (const cell of slots.cells([range])) {
      batch.push(withoutBytes(cell));
      found++;
      if (batch.length < BATCH_CELLS) continue;
      register(sql, keys, batch, { ...range, to: cell.position.slot + 1 });
      batch = [];
    }
    register(sql, keys, batch, range);
  }
  return found;
}

/** What an older catalog has in packs that are gone was lost, or moved (held-packs.ts) and lies above a mark. */
function forgetPlaces(sql: Sql, packs: readonly PackMark[]): void {
  for (const { pack } of packs) sql.run('UPDATE held_cell SET pack = NULL, slot = NULL WHERE pack = ?', pack);
}

function packPath(dataDir: string, pack: number): string {
  return `${dataDir}/peers/${packName(pack)}`;
}

const BATCH_CELLS = 8 * CELLS_IN_FLIGHT;

function register(sql: Sql, keys: RowKeys, cells: readonly LateCell[], range: LateRange): void {
  sql.transaction(() => {
    raiseMarks(sql, 'peers', marksOf([range]));
    for (const { trailer, position } of cells) {
      const peer = peerNumber(sql, keys, onionIdFromPubkey(trailer.address));
      registerHeldCell(sql, keys, peer, trailer.leaf, position);
    }
  });
}

function withoutBytes({ position, trailer }: LateCell): LateCell {
  return { position, trailer, bytes: Buffer.alloc(0) };
}
