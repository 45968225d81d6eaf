// Reads what lies in INDEX cells: the chunk list behind a root, the records of the index stream, the file table. Each
// is streamed; only the packed list of chunk ids (16 bytes per 8 KiB) is held.

import { CHUNK_ID_BYTES } from '../../core/content/chunk-id.ts';
import { IndexReader } from '../../core/content/directory.ts';
import type { IndexRecord } from '../../core/content/directory.ts';
import type { Entry } from '../../core/content/entry.ts';
import { TableReader } from '../../core/content/file-table.ts';
import type { RootList } from '../../core/content/root-list.ts';
import type { Snapshot } from '../../core/content/snapshot.ts';
import { BbError } from '../../core/errors.ts';
import { ROOT_LEVELS } from '../../core/limits.ts';
import { ByteList, splitBytes } from './byte-list.ts';

/** Where the chunks of a stream come from: OwnCells, or what is still being packed. */
export type ChunkLoader = { load(chunkId: Buffer): Promise<Buffer> };

/** Records of the index stream: data cells in blob order, then snapshots. */
export async function* indexRecords(cells: ChunkLoader, root: RootList): AsyncGenerator<IndexRecord> {
  const reader = new IndexReader();
  for await (const bytes of streamBytes(cells, root)) yield* reader.push(bytes);
  reader.finish();
}

/** The one snapshot of a content. INTEGRITY when there is none, INCOMPATIBLE when there are several. */
export async function readSnapshot(cells: ChunkLoader, root: RootList): Promise<Snapshot> {
  let found: Snapshot | undefined;
  for await (const record of indexRecords(cells, root)) {
    if (record.kind !== 'snapshot') continue;
    if (found !== undefined) throw new BbError('INCOMPATIBLE', 'this content holds several snapshots');
    found = record.snapshot;
  }
  if (found === undefined) throw new BbError('INTEGRITY', 'this content holds no snapshot');
  return found;
}

/** Entries of a snapshot in table order. */
export async function* tableEntries(cells: ChunkLoader, snapshot: Pick<Snapshot, 'table'>): AsyncGenerator<Entry> {
  const reader = new TableReader();
  for await (const bytes of streamBytes(cells, snapshot.table)) yield* reader.push(bytes);
  reader.finish();
}

async function* streamBytes(cells: ChunkLoader, root: RootList): AsyncGenerator<Buffer> {
  for (const id of splitBytes(await listChunkIds(cells, root), CHUNK_ID_BYTES)) yield await cells.load(id);
}

/** Packed chunk ids of a stream (docs/storage-format.md, "Root lists"); `onList` hears of those of the lists above it. */
export async function listChunkIds(
  cells: ChunkLoader,
  root: RootList,
  onList: (id: Buffer) => void = () => {},
): Promise<Buffer> {
  if (root.level > ROOT_LEVELS) throw new BbError('INTEGRITY', 'a root list has too many levels');
  let ids: Buffer = Buffer.concat(root.chunkIds);
  for (let level = root.level; level > 0; level--) {
    const below = new ByteList();
    for (const id of splitBytes(ids, CHUNK_ID_BYTES)) {
      onList(id);
      below.append(await cells.load(id));
    }
    ids = below.copy();
    if (ids.length % CHUNK_ID_BYTES !== 0) throw new BbError('INTEGRITY', 'a list of chunk ids is damaged');
  }
  return ids;
}
