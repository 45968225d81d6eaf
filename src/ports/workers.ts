// Work that must not run on the event loop: key derivation, ingest, reading content back, sealing
// for peers, challenges, recovery of cells. Each call streams; memory does not grow with content.
// A worker gets only the keys it needs, at unlock, and drops them at lock.

import type { ChallengeQuestion } from '../core/challenge/question.ts';
import type { Entry } from '../core/content/entry.ts';
import type { CellKind } from '../core/crypto/cell-seal.ts';
import type { OnionId } from '../core/ids.ts';
import type { RevisionRow, StagedContent } from './catalog.ts';
import type { CellPosition, PackMark } from './cell-store.ts';

export type WorkerKeys = {
  readonly pubkey: Buffer;
  readonly cellId: Buffer;
  readonly cellEnc: Buffer;
  readonly chunkId: Buffer;
  readonly cdc: Buffer;
  /** The unwrapped random per-directory keys. */
  readonly wrapKey: Buffer;
  readonly rowKey: Buffer;
};

export type IngestJob = {
  /** What changes: a tree read from disk, one file streamed in, or a removal (with an empty name: of everything). */
  readonly change:
    | { readonly kind: 'path'; readonly path: Buffer; readonly name: Buffer }
    | { readonly kind: 'stream'; readonly name: Buffer; readonly bytes: AsyncIterable<Buffer>; readonly mode: number }
    | { readonly kind: 'remove'; readonly name: Buffer };
  readonly snapshotId: Buffer;
  readonly nowMs: number;
};

export type IngestProgress = {
  readonly phase: 'scan' | 'read' | 'index' | 'verify';
  readonly files: number;
  readonly bytes: number;
  readonly totalFiles: number;
  readonly totalBytes: number;
};

export type ReadItem =
  | { readonly kind: 'entry'; readonly entry: Entry }
  /** The next bytes of the last entry; its SHA-256 is verified before the next entry comes, else INTEGRITY. */
  | { readonly kind: 'data'; readonly bytes: Buffer };

/** A sealed cell of ours as a peer held it, and which one it should be. */
export type CellFromPeer = { readonly cellId: Buffer; readonly bytes: Buffer };

export type DamagedFiles = {
  /** The file table itself cannot be read, so nothing more is known. */
  readonly isIndexLost: boolean;
  readonly files: number;
  /** Paths of the first of them. */
  readonly names: readonly Buffer[];
};

/** Files that have the fewest proved copies. */
export type WeakestFiles = {
  readonly copies: number;
  readonly files: number;
  /** Paths of the first of them; empty when no file has more than another. */
  readonly names: readonly Buffer[];
};

export type IngestedContent = StagedContent & {
  /** Of `skippedFiles`, in the order of the walk; at most MISSING_NAMES. */
  readonly skippedNames: readonly Buffer[];
};

export interface Workers {
  /** Argon2id with the constants of format 1; 64 bytes. One at a time. */
  deriveMaster(secret: Buffer, mode: 'phrase' | 'password', account: string): Promise<Buffer>;
  unlock(keys: WorkerKeys): Promise<void>;
  lock(): Promise<void>;
  close(): Promise<void>;

  /** Builds the next content from the newest revision (undefined = empty) and a change; durable and read back, not committed. */
  ingest(
    job: IngestJob,
    base: RevisionRow | undefined,
    onProgress: (progress: IngestProgress) => void,
    signal: AbortSignal,
  ): Promise<IngestedContent>;
  /** Appends the two head copies to the own store, durable and read back. */
  appendHeads(
    contentId: Buffer,
    heads: readonly [Buffer, Buffer],
  ): Promise<{ readonly positions: readonly CellPosition[]; readonly marks: readonly PackMark[] }>;
  /** Marks of the own store after an ingest, for the commit. */
  ownMarks(): Promise<readonly PackMark[]>;
  /** Throws staged content away (its cells are cut off at the next start, or reused). */
  discard(staged: StagedContent): Promise<void>;

  /** Throws away what recoveries have collected and no commit took: for a node that recovers nothing any more. */
  dropRecoveries(): Promise<void>;

  /** Entries at or below `name` (empty = all) of a committed revision, in table order, in batches. */
  list(revision: RevisionRow, name: Buffer): AsyncIterable<readonly Entry[]>;
  /** The same with the bytes of each file. */
  read(revision: RevisionRow, name: Buffer): AsyncIterable<ReadItem>;

  /** Leaves of own cells as sealed for `peer`, packed 32 bytes each, for these cell numbers of the blob. */
  sealLeaves(peer: OnionId, contentId: Buffer, cells: readonly number[]): Promise<Buffer>;
  /** Bytes of one cell of our blob as sealed for `peer`; undefined when our own cell is damaged. */
  sealCell(peer: OnionId, contentId: Buffer, cell: number): Promise<Buffer | undefined>;
  /** The mac the storer must answer; `damaged` names our own cells that do not verify. */
  expectedMac(
    question: ChallengeQuestion,
    responder: OnionId,
    blobCells: number,
  ): Promise<{ readonly mac: Buffer; readonly damaged: readonly number[] }>;
  /** The answer to a challenge about a list that we hold. Cells that are found damaged are named and count as zeros. */
  proveMac(
    question: ChallengeQuestion,
    challenger: OnionId,
    list: number,
    blobCells: number,
  ): Promise<{ readonly mac: Buffer; readonly blocksRead: number; readonly damaged: readonly number[] }>;

  // Damage (docs/protocol.md, "Damage"). Cell ids are packed, 32 bytes each.
  /** Which of these cells of our blob, heads included, are damaged. */
  damagedOfBlob(contentId: Buffer, cells: readonly number[]): Promise<readonly number[]>;
  /** Ids of all damaged own cells in these packs and in the packs of the named cells. */
  damagedOwn(cellIds: Buffer, packs: readonly number[]): Promise<Buffer>;
  /** Reads the next own cells, at most `limit`. `next`: where to go on, 0 = at the begin; `total`: own cells in all. */
  scrubOwn(
    after: number,
    limit: number,
  ): Promise<{ readonly damaged: Buffer; readonly read: number; readonly next: number; readonly total: number }>;
  /** Which of these cells of a held list are damaged or not here. */
  damagedHeld(list: number, cells: readonly number[]): Promise<readonly number[]>;
  /** These packs of the peers store were removed: an open file would keep their space. */
  forgetPacks(packs: readonly number[]): Promise<void>;
  /** Packs whose file is lost or damaged at one of its ends: their cells have to be looked at. */
  suspectPacks(): Promise<{ readonly own: readonly number[]; readonly peers: readonly number[] }>;
  /** True if these bytes of a peer open to the cell of ours that they should be. */
  isOwnCell(peer: OnionId, kind: CellKind, cell: CellFromPeer): Promise<boolean>;
  /** Writes own cells that a peer gave back, durable and read back; undefined for one that is not what it should be. */
  healCells(
    peer: OnionId,
    cells: readonly CellFromPeer[],
  ): Promise<{ readonly positions: readonly (CellPosition | undefined)[]; readonly marks: readonly PackMark[] }>;
  /** Ids of damaged own cells that reading met since the last call. */
  takeMetDamage(): Promise<Buffer>;
  /** Damaged own cells that nobody gives back: an ingest stores their chunks anew. Replaces what was said before. */
  setLost(cellIds: Buffer): Promise<void>;
  /**
   * Chunks of this revision that the catalog cannot find in a cell of it, with the cell in which they are: as
   * Catalog.placeChunks takes them, at most `limit`. INTEGRITY when its index cannot be read.
   */
  misplacedChunks(revision: RevisionRow, limit: number): Promise<Buffer>;
  /** Files of this revision that need lost cells. */
  filesOfLost(revision: RevisionRow): Promise<DamagedFiles>;
  /**
   * The files with the fewest copies, given how many there are of each data cell, one byte each in blob order. INTEGRITY
   * when the index cannot be read.
   */
  weakestFiles(revision: RevisionRow, copies: Buffer): Promise<WeakestFiles>;

  // Own revisions in packs above the marks of the catalog, found at unlock; nothing of them is cut off before settleLate.
  /** Content ids as their heads name them, unjudged. */
  lateRevisions(): Promise<readonly Buffer[]>;
  /** Head cells of one of them in the order in which they were written; copy 0 comes before copy 1. */
  lateHeadCells(contentId: Buffer): Promise<readonly Buffer[]>;
  /** Takes late index and data cells over where they lie, for a recovery of this revision. */
  adoptLate(contentId: Buffer): Promise<void>;
  /** Cuts off what neither the catalog nor a recovery knows. */
  settleLate(): Promise<void>;

  /** One for each revision; those of several go on side by side. */
  startRecovery(revision: RevisionRow, indexCellIds: readonly Buffer[]): Promise<RecoverySession>;
}

/**
 * Rebuilds own content from cells that peers give back. Each accepted cell is opened under its
 * cell_id, sealed for ourselves and made durable in the own store; killable at any time.
 */
export interface RecoverySession {
  /**
   * Cells still wanted, by their number in the blob of this revision, rising: index cells first; data cells once all
   * index cells are in. At most `limit`.
   */
  wanted(limit: number): Promise<readonly number[]>;
  /** Packed ids of the cells of the blob without heads, in its order: index cells; data cells once all index cells are in. */
  cellIds(): Promise<Buffer>;
  counts(): Promise<{ readonly done: number; readonly total: number; readonly indexDone: boolean }>;
  /** Offers a sealed cell of the blob as `peer` held it; false if it is not the cell it should be. */
  offer(peer: OnionId, cell: number, bytes: Buffer): Promise<boolean>;
  /** Makes every accepted cell survive a crash; it happens by itself, too, every so many cells. */
  save(): Promise<void>;
  /** Ends with what there is: complete content, or the complete files with the rest listed. */
  finish(): Promise<{ readonly staged: StagedContent; readonly missingFiles: readonly Buffer[] }>;
  /**
   * Ends with the content of `line`, a committed revision, to which everything is added that it does not have; what differs
   * under the same name gets another one. PARTIAL while index cells are missing, TOO_LARGE. Files that lack cells are named.
   */
  merge(line: RevisionRow): Promise<{ readonly staged: StagedContent; readonly missingFiles: readonly Buffer[] }>;
  /** Lets go of it; what was saved stays. */
  close(): Promise<void>;
}
