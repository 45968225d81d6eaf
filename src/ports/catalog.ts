// The catalog: everything the daemon must remember, in one transactional store. Each method that
// writes is one durable transaction (WAL, synchronous=FULL): when its promise resolves, the change
// survives power loss. Sealed records are few and are all read at unlock.

import type { CatalogRecord, RecordId } from '../core/records.ts';
import type { OnionId } from '../core/ids.ts';
import type { CatalogRepair } from './catalog-repair.ts';
import type { CellPosition, PackMark } from './cell-store.ts';

/** One content revision of our own, newest or still held by somebody. */
export type RevisionRow = {
  readonly contentId: Buffer;
  readonly generation: number;
  readonly sequence: number;
  readonly createdMs: number;
  /** Cells of one head copy; the blob is head copy 0, index cells, data cells, head copy 1. */
  readonly headCells: number;
  readonly indexCells: number;
  readonly dataCells: number;
  readonly fileCount: number;
  readonly fileBytes: number;
  /** Encoded Metadata (storedpb), sealed at rest. */
  readonly metadata: Buffer;
};

/** What a finished ingest or recovery left behind, not yet visible. Owned by the worker that made it. */
export type StagedContent = {
  /** Names the staging database under tmp/; empty when nothing but the head changes. */
  readonly stagingId: string;
  readonly indexCells: number;
  readonly dataCells: number;
  readonly indexRoot: { readonly level: number; readonly chunkIds: readonly Buffer[] };
  /** Merkle root over the cell ids of index then data cells (Metadata.content_sha256). */
  readonly contentRoot: Buffer;
  /** Packed, 32 bytes each, in blob order. */
  readonly indexCellIds: Buffer;
  readonly fileCount: number;
  readonly fileBytes: number;
  readonly addedFiles: number;
  readonly removedFiles: number;
  /** Any entry of the file table differs from the base, were it only in its mode. */
  readonly isChanged: boolean;
  /** Sockets, devices and unreadable files that were left out or marked. */
  readonly skippedFiles: number;
  /** Cells this revision adds, heads not counted. */
  readonly newCells: number;
};

export type RevisionCommit = {
  readonly staged: StagedContent;
  readonly revision: RevisionRow;
  /** Positions of head copy 0 then head copy 1. */
  readonly heads: readonly CellPosition[];
  readonly ownMarks: readonly PackMark[];
  /** Records that must change in the same transaction. */
  readonly records: readonly CatalogRecord[];
};

/** Own cells that were written once more, durable and read back; nothing else about them changes. */
export type OwnMove = {
  readonly cells: readonly { readonly cellId: Buffer; readonly position: CellPosition }[];
  /** Head copy 0 then head copy 1 of these revisions. */
  readonly heads: readonly { readonly contentId: Buffer; readonly positions: readonly CellPosition[] }[];
  readonly marks: readonly PackMark[];
};

export type PackUse = PackMark & { readonly needed: number };

export type HeldMove = { readonly from: CellPosition; readonly to: CellPosition };

export interface Catalog extends CatalogRepair {
  /** Makes the catalog of a fresh directory. INTEGRITY when a used one has none, or a damaged one. */
  open(): Promise<void>;
  /** Gives the row key (32 bytes); sealed rows can be read and written from now on. */
  unlock(rowKey: Buffer): Promise<void>;
  lock(): Promise<void>;
  close(): Promise<void>;

  records(): Promise<readonly CatalogRecord[]>;
  /** Puts and deletes in one transaction. */
  putRecords(puts: readonly CatalogRecord[], deletes?: readonly RecordId[]): Promise<void>;

  marks(store: 'own' | 'peers'): Promise<readonly PackMark[]>;

  // Our own content.
  newestRevision(): Promise<RevisionRow | undefined>;
  revision(contentId: Buffer): Promise<RevisionRow | undefined>;
  /** The commit point: staged cells, chunks, snapshot, revision row, cell list, marks and records in one transaction. */
  commitRevision(commit: RevisionCommit): Promise<void>;
  /** Healed cells and heads lie elsewhere from now on. A cell that no revision lists any more is left out. */
  moveOwn(move: OwnMove): Promise<void>;
  /** Says in which own cell each chunk lies: packed, chunk id (16 bytes) then cell id (32). Unknown cells are left out. */
  placeChunks(places: Buffer): Promise<void>;
  /** Forgets a superseded revision; cells that no kept revision lists become dead. */
  dropRevision(contentId: Buffer): Promise<void>;
  /**
   * Cell ids of a revision, packed 32 bytes each, in blob order, `from` counted in cells of the blob. A head cell is
   * 32 zero bytes but its last byte is 1 + its number in its copy, and its first byte 1 + the copy.
   */
  cellIds(contentId: Buffer, from: number, count: number): Promise<Buffer>;
  /** Positions in the own store of the cells of a revision, heads included, same order as cellIds. */
  cellPositions(contentId: Buffer, from: number, count: number): Promise<readonly CellPosition[]>;
  /** Runs of cells of `contentId` that `reference` has too: [{cell, referenceCell, cells}], in rising order, heads never. */
  commonRuns(contentId: Buffer, reference: Buffer): Promise<readonly CommonRun[]>;
  /** Leaves of a part of the blob as sealed for a peer, packed 32 bytes each; undefined when not all of it are known. */
  peerLeaves(peer: OnionId, contentId: Buffer, from: number, count: number): Promise<Buffer | undefined>;
  /** Cell numbers of the blob whose leaf for this peer is not known yet. */
  unknownLeaves(peer: OnionId, contentId: Buffer): Promise<readonly number[]>;
  putLeaves(peer: OnionId, contentId: Buffer, cells: readonly number[], leaves: Buffer): Promise<void>;

  // Content we hold for others.
  /** Stores the leaves (packed 32 bytes) of a blob of `owner` and returns the number of the list. */
  createHeldList(owner: OnionId, leaves: Buffer): Promise<number>;
  heldLeaves(list: number, from: number, count: number): Promise<Buffer>;
  /** Ordinals, rising, from `from` on, of cells of the list that are not on disk yet; at most `limit`. */
  heldMissing(list: number, from: number, limit: number): Promise<readonly number[]>;
  /** Records cells that are durable in the peers store, with its marks; a cell may serve several lists of its owner. */
  addHeldCells(
    owner: OnionId,
    cells: readonly { readonly leaf: Buffer; readonly position: CellPosition }[],
    marks: readonly PackMark[],
  ): Promise<void>;
  heldPositions(list: number, from: number, count: number): Promise<readonly (CellPosition | undefined)[]>;
  /** Drops a list and the cells of its owner that no other list names; returns packs of the peers store that became empty. */
  dropHeldList(list: number): Promise<readonly number[]>;
  /** Every pack of the peers store with its mark, and how many of its cells are needed. */
  heldPackUse(): Promise<readonly PackUse[]>;
  /** Places of needed cells in a pack of the peers store, rising, from this slot on; at most `limit`. */
  heldInPack(pack: number, slot: number, limit: number): Promise<readonly CellPosition[]>;
  /** Cells that were copied to where they are durable, too, lie there from now on; one that is needed no more is left out. */
  moveHeld(moves: readonly HeldMove[], marks: readonly PackMark[]): Promise<void>;
  /**
   * Forgets those of these packs of the peers store in which nothing is needed, but not the newest; returns them. What was
   * moved out of them before cannot be forgotten any more, were it the journal that is lost.
   */
  dropHeldPacks(packs: readonly number[]): Promise<readonly number[]>;
  /** Distinct cells in the union of these lists of one owner. */
  heldDistinctCells(lists: readonly number[]): Promise<number>;

  /** Everything that takes space here: content ids of own revisions, numbers of held lists. */
  inventory(): Promise<{ readonly revisions: readonly Buffer[]; readonly heldLists: readonly number[] }>;

  /** A complete copy beside the catalog (state.bak): VACUUM INTO, fsync, rename. */
  backup(): Promise<void>;
}

export type CommonRun = { readonly cell: number; readonly referenceCell: number; readonly cells: number };
