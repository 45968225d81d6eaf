// Which files of a revision have the fewest copies, when it is known how many there are of each data cell.

import { CHUNK_ID_BYTES } from '../../core/content/chunk-id.ts';
import { BbError } from '../../core/errors.ts';
import { MISSING_NAMES } from '../../core/limits.ts';
import type { RevisionRow } from '../../ports/catalog.ts';
import type { WeakestFiles } from '../../ports/workers.ts';
import { splitBytes } from './byte-list.ts';
import { metadataOf } from './own-content.ts';
import type { OwnContent } from './own-content.ts';
import { readSnapshot, tableEntries } from './stored-streams.ts';

const CELL_ID_BYTES = 32;

/** `copies`: one byte per data cell in blob order. Entries without bytes are in no cell and do not count. */
export async function weakestFiles(own: OwnContent, row: RevisionRow, copies: Buffer): Promise<WeakestFiles> {
  const first = row.headCells + row.indexCells;
  const ids = splitBytes(own.catalog.cellIds(row.contentId, first, row.dataCells), CELL_ID_BYTES);
  const ofCell = new Map([...ids].map((id, at) => [id.toString('latin1'), copies[at] ?? 0]));
  const ofFile = (chunkIds: Buffer): number => {
    let least = Number.POSITIVE_INFINITY;
    for (const id of splitBytes(chunkIds, CHUNK_ID_BYTES)) {
      const cell = own.catalog.chunkCell(id)?.cellId.toString('latin1') ?? '';
      least = Math.min(least, ofCell.get(cell) ?? 0);
    }
    return least;
  };
  let weakest = { copies: Number.POSITIVE_INFINITY, files: 0, names: [] as Buffer[] };
  const snapshot = await readSnapshot(own.committed, metadataOf(row).indexRoot);
  for await (const { chunkIds, path } of tableEntries(own.committed, snapshot)) {
    if (chunkIds.length === 0) continue;
    const found = ofFile(chunkIds);
    if (found > weakest.copies) continue;
    if (found < weakest.copies) weakest = { copies: found, files: 0, names: [] };
    weakest.files += 1;
    if (weakest.names.length < MISSING_NAMES) weakest.names.push(path);
  }
  if (weakest.files === 0) throw new BbError('INTEGRITY', 'a content with data cells has no file with bytes');
  return weakest;
}
