// In which cell of a content each of its chunks lies, as the cells themselves say: INDEX cells are opened, and what they
// hold names the chunks of the data cells. The catalog's own word of it may be older, or lost.

import type { Metadata } from '../../core/content/metadata.ts';
import { BbError } from '../../core/errors.ts';
import type { RevisionRow } from '../../ports/catalog.ts';
import { splitBytes } from './byte-list.ts';
import { committedFinder, metadataOf } from './own-content.ts';
import type { OwnContent } from './own-content.ts';
import { OwnCells } from './own-cells.ts';
import type { CellFinder, FoundCell } from './own-cells.ts';
import { indexRecords } from './stored-streams.ts';

export type ChunkPlace = { readonly chunkId: Buffer; readonly cellId: Buffer };

const CELL_ID_BYTES = 32;

/** Index chunks first, then those of the data cells in blob order. INTEGRITY when an index cell cannot be read. */
export async function* chunkPlaces(
  own: OwnContent,
  finder: CellFinder,
  { indexCells, indexRoot }: Pick<Metadata, 'indexCells' | 'indexRoot'>,
): AsyncGenerator<ChunkPlace> {
  const places = new Map<string, FoundCell>();
  const chunkCell: CellFinder['chunkCell'] = (id) => places.get(id.toString('latin1')) ?? finder.chunkCell(id);
  const cells = new OwnCells(own.keys, { cell: (id) => finder.cell(id), chunkCell }, own.store, (id) =>
    own.damage.meet(id),
  );
  for (const cellId of splitBytes(indexCells, CELL_ID_BYTES)) {
    const found = finder.cell(cellId);
    if (found === undefined) throw new BbError('INTEGRITY', 'a cell of the content is missing in the catalog');
    for (const { chunkId } of await cells.chunksOf(found)) {
      places.set(chunkId.toString('latin1'), found);
      yield { chunkId, cellId };
    }
  }
  for await (const record of indexRecords(cells, indexRoot)) {
    if (record.kind !== 'cell') continue;
    for (const { chunkId } of record.cell.chunks) yield { chunkId, cellId: record.cell.cellId };
  }
}

/**
 * Chunks of a committed revision that the catalog cannot find in a cell of that revision, packed: chunk id, cell id; at
 * most `limit` of them. INTEGRITY when an index cell cannot be read.
 */
export async function misplacedChunks(own: OwnContent, row: RevisionRow, limit: number): Promise<Buffer> {
  const { catalog } = own;
  const listed = new Set<string>();
  const count = row.indexCells + row.dataCells;
  for (const id of splitBytes(catalog.cellIds(row.contentId, row.headCells, count), CELL_ID_BYTES)) {
    listed.add(id.toString('latin1'));
  }
  const misplaced: Buffer[] = [];
  for await (const { chunkId, cellId } of chunkPlaces(own, committedFinder(catalog), metadataOf(row))) {
    const known = catalog.chunkCell(chunkId)?.cellId.toString('latin1');
    if (known !== undefined && listed.has(known)) continue;
    misplaced.push(chunkId, cellId);
    if (misplaced.length >= 2 * limit) break;
  }
  return Buffer.concat(misplaced);
}
