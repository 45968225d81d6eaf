// Looks for damage on the own disk: cells that cannot be read or are not what they should be, of our own content and of
// what is held for others (docs/protocol.md, "Damage"). Reads one cell after the other, so that serving goes on beside it.
// Invariant: a cell is called good only when its cell_id, or its leaf, was computed anew from its bytes.

import type { PackMark } from '../../ports/cell-store.ts';
import type { WorkerKeys } from '../../ports/workers.ts';
import type { CatalogReader, KnownCell } from '../../storage/catalog/catalog-reader.ts';
import type { CellReader } from '../../storage/packs/pack-cell-reader.ts';
import { heldCell, unlessDamaged } from './answers.ts';
import type { HeldList } from './answers.ts';
import { openOwnCell } from './own-blob.ts';
import type { OwnBlob } from './own-blob.ts';

export type Disk = {
  readonly keys: WorkerKeys;
  readonly catalog: CatalogReader;
  readonly own: CellReader;
  readonly peers: CellReader;
};

const CELL_ID_BYTES = 32;

/** Which of these cells of a blob of ours, heads included, are damaged. */
export async function damagedOfBlob(blob: OwnBlob, cells: readonly number[]): Promise<readonly number[]> {
  const damaged: number[] = [];
  for (const cell of cells) if ((await blob.open(cell)) === undefined) damaged.push(cell);
  return damaged;
}

/** Packed ids of the damaged own cells in these packs and in those where the named cells lie: damage has neighbours. */
export async function damagedOwn(disk: Disk, cellIds: Buffer, packs: readonly number[]): Promise<Buffer> {
  const suspect = new Set(packs);
  for (let at = 0; at < cellIds.length; at += CELL_ID_BYTES) {
    const known = disk.catalog.cell(cellIds.subarray(at, at + CELL_ID_BYTES));
    if (known !== undefined) suspect.add(known.position.pack);
  }
  const damaged: Buffer[] = [];
  for (const pack of suspect) damaged.push(...(await damagedAmong(disk, disk.catalog.ownCellsOfPack(pack))));
  return Buffer.concat(damaged);
}

/** The next own cells by number. `next`: where to go on; 0 when that was the last. */
export async function scrubOwn(
  disk: Disk,
  after: number,
  limit: number,
): Promise<{ readonly damaged: Buffer; readonly read: number; readonly next: number; readonly total: number }> {
  const cells = disk.catalog.ownCellsAfter(after, limit);
  const damaged = await damagedAmong(disk, cells);
  const next = cells.length < limit ? 0 : (cells.at(-1)?.num ?? 0);
  return { damaged: Buffer.concat(damaged), read: cells.length, next, total: disk.catalog.ownCellCount() };
}

/** Which of these cells of a held list are damaged or not here. */
export async function damagedHeld(held: HeldList, cells: readonly number[]): Promise<readonly number[]> {
  const damaged: number[] = [];
  for (const cell of cells) if ((await heldCell(held, cell)) === undefined) damaged.push(cell);
  return damaged;
}

/** Packs whose file is lost, too short, or damaged at its begin or its end: what lies in them has to be looked at. */
export async function suspectPacks({
  catalog,
  own,
  peers,
}: Disk): Promise<{ readonly own: readonly number[]; readonly peers: readonly number[] }> {
  return { own: await suspects(own, catalog.marks('own')), peers: await suspects(peers, catalog.marks('peers')) };
}

async function suspects(store: CellReader, marks: readonly PackMark[]): Promise<number[]> {
  const found: number[] = [];
  for (const { pack, slots } of marks) {
    if (slots > 0 && (await store.readTrailer({ pack, slot: slots - 1 })) === undefined) found.push(pack);
  }
  return found;
}

async function damagedAmong(
  { keys, own }: Disk,
  cells: readonly (KnownCell & { readonly cellId: Buffer })[],
): Promise<Buffer[]> {
  const damaged: Buffer[] = [];
  for (const cell of cells) {
    if ((await unlessDamaged(() => openOwnCell(keys, own, cell))) === undefined) damaged.push(cell.cellId);
  }
  return damaged;
}
