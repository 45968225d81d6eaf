// Proves that staged content can be read before anybody is told that it is stored: every cell that was written is opened
// again, and every new file hashed again from its cells (docs/protocol.md, "Commit").

import { CHUNK_ID_BYTES } from '../../core/content/chunk-id.ts';
import { encodeIndexRecord } from '../../core/content/directory.ts';
import type { Entry } from '../../core/content/entry.ts';
import type { RootList } from '../../core/content/root-list.ts';
import type { Snapshot } from '../../core/content/snapshot.ts';
import { startSha256 } from '../../core/crypto/hash.ts';
import { BbError } from '../../core/errors.ts';
import { PACK_SLOTS } from '../../core/limits.ts';
import type { CellPosition } from '../../ports/cell-store.ts';
import { splitBytes } from './byte-list.ts';
import type { FoundCell, OwnCells } from './own-cells.ts';
import { indexRecords, tableEntries } from './stored-streams.ts';

export type ReadBackJob = {
  readonly root: RootList;
  /** As it was written, but for the root of its table. */
  readonly snapshot: Omit<Snapshot, 'table'>;
  /** Ids of the data cells in blob order. */
  readonly dataCells: Iterator<Buffer>;
  /** Every cell that was written, of both kinds: some hold nothing but chunks of old files that moved. */
  readonly written: Iterable<FoundCell>;
  /** Whether the n-th entry of the table has bytes that were not there before. */
  isNew(ordinal: number): boolean;
  onFile(entry: Entry): Promise<void>;
  readonly signal: AbortSignal;
};

/** INTEGRITY when anything differs from what was written. */
export async function readBack(cells: OwnCells, job: ReadBackJob): Promise<void> {
  const read = new Set<number>();
  cells.forget(({ position }) => read.add(slotNumber(position)));
  const snapshot = await readIndexBack(cells, job);
  let ordinal = 0;
  for await (const entry of tableEntries(cells, snapshot)) {
    job.signal.throwIfAborted();
    if (!job.isNew(ordinal++)) continue;
    await verifyFile(cells, entry, job.signal);
    await job.onFile(entry);
  }
  for (const cell of job.written) {
    job.signal.throwIfAborted();
    if (!read.has(slotNumber(cell.position))) await cells.chunksOf(cell);
  }
}

/** One number for a place in the store: a few bytes per cell, where its id would take a hundred. */
function slotNumber({ pack, slot }: CellPosition): number {
  return pack * PACK_SLOTS + slot;
}

/** Recomputes the hash of a file from its chunks; INTEGRITY when it is another. */
async function verifyFile(cells: OwnCells, entry: Entry, signal: AbortSignal): Promise<void> {
  const hash = startSha256();
  for (const id of splitBytes(entry.chunkIds, CHUNK_ID_BYTES)) {
    signal.throwIfAborted();
    hash.update(await cells.load(id));
  }
  if (entry.sha256.length > 0 && !hash.digest().equals(entry.sha256)) throw broken();
}

async function readIndexBack(cells: OwnCells, job: ReadBackJob): Promise<Snapshot> {
  let snapshot: Snapshot | undefined;
  for await (const record of indexRecords(cells, job.root)) {
    if (record.kind === 'snapshot') snapshot = record.snapshot;
    else if (job.dataCells.next().value?.equals(record.cell.cellId) !== true) throw broken();
  }
  if (snapshot === undefined || job.dataCells.next().done !== true) throw broken();
  const written = { ...job.snapshot, table: snapshot.table };
  const isSame = encodeIndexRecord({ kind: 'snapshot', snapshot: written }).equals(
    encodeIndexRecord({ kind: 'snapshot', snapshot }),
  );
  if (!isSame) throw broken();
  return snapshot;
}

function broken(): BbError {
  return new BbError('INTEGRITY', 'what was written does not read back as it was');
}
