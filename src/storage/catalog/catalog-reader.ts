// A second, read-only connection to the catalog for worker threads: they look up cells while the catalog's own thread
// writes. Sees what was committed before each call.

import type { CellPosition, PackMark } from '../../ports/cell-store.ts';
import type { Random } from '../../ports/random.ts';
import { CATALOG_NAME, openDatabaseReader } from './database.ts';
import { heldLeaves, heldPositions } from './held.ts';
import { readMarks } from './marks.ts';
import type { StoreName } from './marks.ts';
import { cellIds, cellPositions, needRevision, positionOf } from './revisions.ts';
import { RowKeys } from './row-keys.ts';
import { bytesOf, numberOf } from './sql.ts';
import type { Sql, SqlRow } from './sql.ts';

export type KnownCell = { readonly kind: number; readonly position: CellPosition };

const NO_RANDOM: Pick<Random, 'bytes'> = {
  bytes: () => {
    throw new Error('a reader seals nothing');
  },
};

function namedCell(row: SqlRow): KnownCell & { readonly cellId: Buffer } {
  return { cellId: bytesOf(row['cell_id']), kind: numberOf(row['kind']), position: positionOf(row) };
}

export class CatalogReader {
  readonly #sql: Sql;
  readonly #keys: RowKeys;

  /** The catalog exists already. `rowKey` (32 bytes) stays the caller's. */
  constructor(dataDir: string, rowKey: Uint8Array) {
    this.#sql = openDatabaseReader(`${dataDir}/${CATALOG_NAME}`);
    this.#keys = new RowKeys(rowKey, NO_RANDOM);
  }

  /** An own cell of any kept revision. */
  cell(cellId: Uint8Array): KnownCell | undefined {
    const row = this.#sql.get('SELECT kind, pack, slot FROM cell WHERE cell_id = ?', cellId);
    return row === undefined ? undefined : { kind: numberOf(row['kind']), position: positionOf(row) };
  }

  /** Own cells in order of their numbers, from the one after `after` on; at most `limit`. */
  ownCellsAfter(after: number, limit: number): (KnownCell & { readonly num: number; readonly cellId: Buffer })[] {
    return this.#sql
      .all('SELECT num, cell_id, kind, pack, slot FROM cell WHERE num > ? ORDER BY num LIMIT ?', after, limit)
      .map((row) => ({ num: numberOf(row['num']), ...namedCell(row) }));
  }

  ownCellCount(): number {
    return numberOf(this.#sql.get('SELECT count(*) AS n FROM cell')?.['n']);
  }

  /** Own cells that lie in this pack. */
  ownCellsOfPack(pack: number): (KnownCell & { readonly cellId: Buffer })[] {
    return this.#sql.all('SELECT cell_id, kind, pack, slot FROM cell WHERE pack = ?', pack).map(namedCell);
  }

  /** The cell in which a chunk lies; the cell may belong to an older kept revision only. */
  chunkCell(chunkId: Uint8Array): (KnownCell & { readonly cellId: Buffer }) | undefined {
    const row = this.#sql.get(
      'SELECT c.cell_id, c.kind, c.pack, c.slot FROM chunk k JOIN cell c ON c.num = k.cell WHERE k.chunk_id = ?',
      chunkId,
    );
    return row === undefined ? undefined : namedCell(row);
  }

  /** As Catalog.cellIds; NOT_FOUND when the revision is not kept. */
  cellIds(contentId: Uint8Array, from: number, count: number): Buffer {
    return cellIds(this.#sql, needRevision(this.#sql, this.#keys, contentId), from, count);
  }

  /** As Catalog.cellPositions. */
  cellPositions(contentId: Uint8Array, from: number, count: number): readonly CellPosition[] {
    return cellPositions(this.#sql, needRevision(this.#sql, this.#keys, contentId), from, count);
  }

  marks(store: StoreName): readonly PackMark[] {
    return readMarks(this.#sql, store);
  }

  /** As Catalog.heldLeaves. */
  heldLeaves(list: number, from: number, count: number): Buffer {
    return heldLeaves(this.#sql, this.#keys, list, from, count);
  }

  /** As Catalog.heldPositions. */
  heldPositions(list: number, from: number, count: number): readonly (CellPosition | undefined)[] {
    return heldPositions(this.#sql, list, from, count);
  }

  close(): void {
    this.#keys.wipe();
    this.#sql.close();
  }
}
