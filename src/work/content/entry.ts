// Entry of the content worker: the one writer of the own store. Ingest, heads, recovery, and reading files back.
// Invariant: calls that write run one after the other; reading goes on beside them.

import { workerData } from 'node:worker_threads';
import { BbError, invariant } from '../../core/errors.ts';
import { pubkeyFromOnionId } from '../../core/ids.ts';
import type { OnionId } from '../../core/ids.ts';
import { leafHash } from '../../core/content/merkle.ts';
import type { Entry } from '../../core/content/entry.ts';
import { CELL_KIND } from '../../core/crypto/cell-seal.ts';
import type { CellKind } from '../../core/crypto/cell-seal.ts';
import { CELL_BYTES, LOCAL_LIST_BYTES } from '../../core/limits.ts';
import type { RevisionRow } from '../../ports/catalog.ts';
import type { CellPosition, PackMark } from '../../ports/cell-store.ts';
import type {
  CellFromPeer,
  DamagedFiles,
  IngestedContent,
  IngestProgress,
  WeakestFiles,
  WorkerKeys,
} from '../../ports/workers.ts';
import { removeStaging, stagingPath } from '../../storage/catalog/staging.ts';
import { Serial } from '../../storage/serial.ts';
import type { CallContext } from '../calls.ts';
import { serveCalls } from '../serve-calls.ts';
import { filesOfLost, healCells, isOwnCell } from './heal.ts';
import { misplacedChunks } from './chunk-places.ts';
import { ingest } from './ingest.ts';
import type { PlainJob } from './ingest.ts';
import { isRecovery, OwnContent } from './own-content.ts';
import { entriesBelow, itemsBelow } from './read-content.ts';
import { Recovery } from './recovery.ts';
import type { Merged } from './merge-fork.ts';
import type { RecoveryCounts } from './recovery.ts';
import { weakestFiles } from './weakest-files.ts';

export type ContentCalls = typeof calls;

/** Progress is sent when so many bytes or files have passed, and at each new phase. */
const PROGRESS_BYTES = 2 * 1024 * 1024;
const PROGRESS_FILES = 100;

const { dataDir } = workerData as { readonly dataDir: string };
const writes = new Serial();
let content: OwnContent | undefined;
/** By content id in hex. */
const recoveries = new Map<string, Recovery>();

const calls = {
  async unlock(_: CallContext, keys: WorkerKeys): Promise<void> {
    await writes.run(async () => {
      await close();
      content = await OwnContent.open(dataDir, keys);
    });
  },

  async lock(): Promise<void> {
    await writes.run(close);
  },

  ingest(context: CallContext, job: PlainJob, base: RevisionRow | undefined): Promise<IngestedContent> {
    const onProgress = sparingly((progress) => context.emit(progress));
    const { signal, input } = context;
    return writes.run(async () => {
      await saveRecoveries();
      return ingest(unlocked(), job, base, { signal, input, onProgress });
    });
  },

  appendHeads(
    _: CallContext,
    contentId: Buffer,
    heads: readonly Buffer[],
  ): Promise<{ readonly positions: readonly CellPosition[]; readonly marks: readonly PackMark[] }> {
    return writes.run(() => appendHeads(unlocked(), contentId, heads));
  },

  async isOwnCell(_: CallContext, peer: OnionId, kind: CellKind, cell: CellFromPeer): Promise<boolean> {
    return isOwnCell(unlocked(), pubkeyFromOnionId(peer), kind, cell);
  },

  healCells(_: CallContext, peer: OnionId, cells: readonly CellFromPeer[]): ReturnType<typeof healCells> {
    return writes.run(() => healCells(unlocked(), pubkeyFromOnionId(peer), cells));
  },

  async takeMetDamage(): Promise<Buffer> {
    return unlocked().damage.takeMet();
  },

  async setLost(_: CallContext, cellIds: Buffer): Promise<void> {
    unlocked().damage.setLost(cellIds);
  },

  misplacedChunks(_: CallContext, row: RevisionRow, limit: number): Promise<Buffer> {
    return misplacedChunks(unlocked(), row, limit);
  },

  filesOfLost(_: CallContext, row: RevisionRow): Promise<DamagedFiles> {
    return filesOfLost(unlocked(), row);
  },

  weakestFiles(_: CallContext, row: RevisionRow, copies: Buffer): Promise<WeakestFiles> {
    return weakestFiles(unlocked(), row, copies);
  },

  ownMarks(): Promise<readonly PackMark[]> {
    return writes.run(() => unlocked().store.sync());
  },

  /** What a recovery has collected stays. */
  discard(_: CallContext, stagingId: string): Promise<void> {
    return writes.run(async () => {
      await saveRecoveries();
      if (stagingId !== '' && !isRecovery(stagingId)) removeStaging(stagingPath(dataDir, stagingId));
      await unlocked().cutBack();
    });
  },

  dropRecoveries(): Promise<void> {
    return writes.run(async () => {
      await closeRecoveries();
      await unlocked().dropRecoveries();
    });
  },

  /** Emits batches of entries without their chunk lists. */
  async list(context: CallContext, row: RevisionRow, name: Buffer): Promise<void> {
    let batch: Entry[] = [];
    let batchBytes = 0;
    for await (const entry of entriesBelow(unlocked(), row, name)) {
      batch.push(withoutChunks(entry));
      batchBytes += ENTRY_FIXED_BYTES + entry.path.length;
      if (batchBytes < LOCAL_LIST_BYTES) continue;
      await context.emit(batch);
      batch = [];
      batchBytes = 0;
    }
    if (batch.length > 0) await context.emit(batch);
  },

  async read(context: CallContext, row: RevisionRow, name: Buffer): Promise<void> {
    for await (const item of itemsBelow(unlocked(), row, name)) {
      await context.emit(item.kind === 'entry' ? { ...item, entry: withoutChunks(item.entry) } : item);
    }
  },

  /** Content ids of finished revisions that the catalog does not know. */
  async lateRevisions(): Promise<readonly Buffer[]> {
    return (await unlocked().late?.contentIds()) ?? [];
  },

  async lateHeadCells(_: CallContext, contentId: Buffer): Promise<readonly Buffer[]> {
    return (await unlocked().late?.headCells(contentId)) ?? [];
  },

  adoptLate(context: CallContext, contentId: Buffer): Promise<void> {
    return writes.run(() => unlocked().adoptLate(contentId, context.signal));
  },

  settleLate(): Promise<void> {
    return writes.run(() => unlocked().settleLate());
  },

  startRecovery(_: CallContext, row: RevisionRow, indexCellIds: Buffer): Promise<void> {
    return writes.run(async () => {
      const name = nameOf(row.contentId);
      await recoveries.get(name)?.close();
      recoveries.delete(name);
      recoveries.set(name, await Recovery.open(unlocked(), row, indexCellIds));
    });
  },

  wantedCells(_: CallContext, contentId: Buffer, limit: number): Promise<readonly number[]> {
    return writes.run(async () => recovering(contentId).wanted(limit));
  },

  recoveryCellIds(_: CallContext, contentId: Buffer): Promise<Buffer> {
    return writes.run(async () => recovering(contentId).cellIds());
  },

  recoveryCounts(_: CallContext, contentId: Buffer): Promise<RecoveryCounts> {
    return writes.run(async () => recovering(contentId).counts());
  },

  offerCell(_: CallContext, contentId: Buffer, peer: OnionId, cell: number, bytes: Buffer): Promise<boolean> {
    return writes.run(() => recovering(contentId).offer(pubkeyFromOnionId(peer), cell, bytes));
  },

  saveRecovery(_: CallContext, contentId: Buffer): Promise<void> {
    return writes.run(() => recovering(contentId).save());
  },

  finishRecovery(context: CallContext, contentId: Buffer): Promise<Merged> {
    return endRecovery(contentId, (recovery) => recovery.finish(context.signal));
  },

  mergeRecovery(context: CallContext, contentId: Buffer, line: RevisionRow): Promise<Merged> {
    return endRecovery(contentId, (recovery) => recovery.merge(line, context.signal));
  },

  closeRecovery(_: CallContext, contentId: Buffer): Promise<void> {
    return writes.run(async () => {
      const name = nameOf(contentId);
      await recoveries.get(name)?.close();
      recoveries.delete(name);
    });
  },
};

serveCalls(calls);

/** Roughly what an entry takes besides its name. */
const ENTRY_FIXED_BYTES = 200;

async function close(): Promise<void> {
  const open = content;
  await closeRecoveries();
  content = undefined;
  await open?.close();
}

function unlocked(): OwnContent {
  if (content === undefined) throw new BbError('LOCKED', 'the content worker has no keys');
  return content;
}

async function saveRecoveries(): Promise<void> {
  for (const recovery of recoveries.values()) await recovery.save();
}

async function closeRecoveries(): Promise<void> {
  for (const [name, recovery] of recoveries) {
    recoveries.delete(name);
    await recovery.close();
  }
}

function endRecovery<T>(contentId: Buffer, end: (recovery: Recovery) => Promise<T>): Promise<T> {
  return writes.run(async () => {
    const result = await end(recovering(contentId));
    recoveries.delete(nameOf(contentId));
    return result;
  });
}

function nameOf(contentId: Buffer): string {
  return contentId.toString('hex');
}

function recovering(contentId: Buffer): Recovery {
  const recovery = recoveries.get(nameOf(contentId));
  invariant(recovery !== undefined, 'a recovery has been started and not finished');
  return recovery;
}

/** Chunk lists stay here: they are large and mean nothing outside. */
function withoutChunks(entry: Entry): Entry {
  return { ...entry, chunkIds: Buffer.alloc(0) };
}

async function appendHeads(
  own: OwnContent,
  contentId: Buffer,
  heads: readonly Buffer[],
): Promise<{ readonly positions: readonly CellPosition[]; readonly marks: readonly PackMark[] }> {
  const positions: CellPosition[] = [];
  const cells = heads.flatMap((head) =>
    Array.from({ length: head.length / CELL_BYTES }, (_, index) =>
      head.subarray(index * CELL_BYTES, (index + 1) * CELL_BYTES),
    ),
  );
  for (const bytes of cells) {
    const cell = { kind: CELL_KIND.HEAD, address: contentId.subarray(0, 32), leaf: leafHash(bytes), bytes };
    positions.push(...(await own.store.append([cell])));
  }
  const marks = await own.store.sync();
  for (const [index, position] of positions.entries()) {
    if ((await own.store.read(position)).equals(cells[index] as Buffer)) continue;
    throw new BbError('INTEGRITY', 'a head does not read back as it was written');
  }
  return { positions, marks };
}

function sparingly(send: (progress: IngestProgress) => Promise<void>): (progress: IngestProgress) => Promise<void> {
  let last: IngestProgress | undefined;
  return async (progress) => {
    const isDue =
      last === undefined ||
      last.phase !== progress.phase ||
      progress.totalFiles !== last.totalFiles ||
      progress.bytes - last.bytes >= PROGRESS_BYTES ||
      progress.files - last.files >= PROGRESS_FILES;
    if (!isDue) return;
    last = progress;
    await send(progress);
  };
}
