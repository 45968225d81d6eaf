// What a recovery can save when some data cells are held by nobody: a content of the files that are complete.

import { CHUNK_ID_BYTES } from '../../core/content/chunk-id.ts';
import { ENTRY_KIND } from '../../core/content/entry.ts';
import type { Metadata } from '../../core/content/metadata.ts';
import type { StagedContent } from '../../ports/catalog.ts';
import type { StagingDb } from '../../storage/catalog/staging.ts';
import { threadRandom } from '../thread-random.ts';
import { splitBytes } from './byte-list.ts';
import { ContentBuilder } from './content-builder.ts';
import { stagedFinder } from './own-content.ts';
import type { OwnContent } from './own-content.ts';
import type { CellFinder } from './own-cells.ts';
import { readBack } from './read-back.ts';
import { readSnapshot, tableEntries } from './stored-streams.ts';

const SNAPSHOT_ID_BYTES = 16;

/** All index cells of `metadata` are there; names of the files that are left out come beside the staged content. */
export async function stagePartial(
  own: OwnContent,
  staging: StagingDb,
  stagingId: string,
  metadata: Metadata,
  isHere: (cellId: Buffer) => Promise<boolean>,
  signal: AbortSignal,
): Promise<{ readonly staged: StagedContent; readonly missingFiles: readonly Buffer[] }> {
  const base = { root: metadata.indexRoot, indexCells: metadata.indexCells, lastDataCell: undefined };
  const builder = new ContentBuilder(own, staging, base);
  const finder = stagedFinder(staging, own.catalog);
  const old = await readSnapshot(builder.cells, metadata.indexRoot);
  const missingFiles: Buffer[] = [];
  let fileCount = 0;
  let fileBytes = 0;
  await builder.start();
  for await (const entry of tableEntries(builder.cells, old)) {
    signal.throwIfAborted();
    if (!(await areChunksHere(finder, isHere, entry.chunkIds))) {
      missingFiles.push(entry.path);
      continue;
    }
    if (entry.kind !== ENTRY_KIND.FOLDER) fileCount++;
    fileBytes += entry.size;
    builder.keepBytes(entry);
    await builder.addEntry(entry);
  }
  const snapshot = {
    id: threadRandom.bytes(SNAPSHOT_ID_BYTES),
    timeMs: old.timeMs,
    set: old.set,
    parent: old.id,
    fileCount,
    fileBytes,
    extensions: old.extensions,
  };
  const built = await builder.finish(snapshot);
  await own.store.sync();
  await readBack(builder.cells, {
    root: built.root,
    written: builder.written(),
    snapshot,
    dataCells: staging.listed('data'),
    isNew: () => false,
    onFile: async () => {},
    signal,
  });
  const { root, newCells, ...counted } = built;
  const staged = {
    stagingId,
    ...counted,
    indexRoot: root,
    fileCount,
    fileBytes,
    addedFiles: fileCount,
    removedFiles: 0,
    skippedFiles: missingFiles.length,
    isChanged: true,
    newCells,
  };
  return { staged, missingFiles };
}

/** Whether every chunk lies in a cell that can be read: one that the catalog names may be gone from the disk. */
export async function areChunksHere(
  finder: Pick<CellFinder, 'chunkCell'>,
  isHere: (cellId: Buffer) => Promise<boolean>,
  chunkIds: Buffer,
): Promise<boolean> {
  for (const id of splitBytes(chunkIds, CHUNK_ID_BYTES)) {
    const found = finder.chunkCell(id);
    if (found === undefined || !(await isHere(found.cellId))) return false;
  }
  return true;
}
