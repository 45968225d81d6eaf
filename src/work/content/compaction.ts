// Which old cells are worth giving up because most of their bytes are needed no more (docs/protocol.md, "Commit"). Their
// live chunks move into new cells, so only a few are given up per revision: each new cell has to reach every peer.

import { bytesInCell } from '../../core/content/cell-codec.ts';
import type { StoredChunk } from '../../core/content/cell-codec.ts';
import { CHUNK_ID_BYTES } from '../../core/content/chunk-id.ts';
import type { DirectoryCell } from '../../core/content/directory.ts';
import type { RootList } from '../../core/content/root-list.ts';
import { COMPACTED_CELLS, COMPACTED_PERCENT } from '../../core/limits.ts';
import type { StagingDb } from '../../storage/catalog/staging.ts';
import { splitBytes } from './byte-list.ts';
import type { BaseContent } from './content-builder.ts';
import { indexRecords, listChunkIds, tableEntries } from './stored-streams.ts';
import type { ChunkLoader } from './stored-streams.ts';

const CELL_ID_BYTES = 32;

/**
 * Data cells of the base of which less than half of the chunks are needed, the oldest first and only as many as one
 * revision may give up. A chunk that is needed twice counts twice: that errs towards keeping.
 */
export async function sparseDataCells(
  cells: ChunkLoader,
  base: BaseContent,
  staging: StagingDb,
): Promise<readonly DirectoryCell[]> {
  const sparse: DirectoryCell[] = [];
  let count = 0;
  for await (const record of indexRecords(cells, base.root)) {
    if (record.kind !== 'cell') continue;
    count++;
    const uses = staging.usesOf(record.cell.cellId);
    if (uses > 0 && 2 * uses < record.cell.chunks.length) sparse.push(record.cell);
  }
  return sparse.slice(0, mayGiveUp(count));
}

/** The least used index cells of the base: whether they are sparse shows only when they are opened. */
export function leastUsedIndexCells(base: BaseContent, staging: StagingDb): readonly Buffer[] {
  const all = [...splitBytes(base.indexCells, CELL_ID_BYTES)].map((cellId) => ({
    cellId,
    uses: staging.usesOf(cellId),
  }));
  const used = all.filter(({ uses }) => uses > 0).sort((a, b) => a.uses - b.uses);
  return used.slice(0, mayGiveUp(all.length)).map(({ cellId }) => cellId);
}

/** Whether the live chunks take less than half of what the cell's chunks take. */
export function isSparse(chunks: readonly StoredChunk[], isLive: (chunk: StoredChunk) => boolean): boolean {
  const bytes = (some: readonly StoredChunk[]): number =>
    some.reduce((sum, chunk) => sum + bytesInCell(chunk.stored.length), 0);
  return 2 * bytes(chunks.filter(isLive)) < bytes(chunks);
}

/** Names (latin1) of the chunks of these cells that the new file table needs. */
export async function liveChunks(
  cells: ChunkLoader,
  table: RootList,
  sparse: readonly DirectoryCell[],
): Promise<ReadonlySet<string>> {
  const candidates = new Set(sparse.flatMap((cell) => cell.chunks.map((chunk) => chunk.chunkId.toString('latin1'))));
  const live = new Set<string>();
  for await (const entry of tableEntries(cells, { table })) {
    for (const id of splitBytes(entry.chunkIds, CHUNK_ID_BYTES)) {
      const name = id.toString('latin1');
      if (candidates.has(name)) live.add(name);
    }
  }
  return live;
}

/** Names (latin1) of all index chunks behind these roots. */
export async function streamChunks(cells: ChunkLoader, roots: readonly RootList[]): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  const add = (id: Buffer): void => {
    names.add(id.toString('latin1'));
  };
  for (const root of roots) {
    for (const id of splitBytes(await listChunkIds(cells, root, add), CHUNK_ID_BYTES)) add(id);
  }
  return names;
}

function mayGiveUp(cells: number): number {
  return Math.max(COMPACTED_CELLS, Math.floor((cells * COMPACTED_PERCENT) / 100));
}
