// Sealed cells on disk. Append-only packs; nothing existing is ever touched (docs/storage-format.md,
// "Packs"). There are two stores: `own` (cells sealed for ourselves) and `peers` (other people's
// cells, wrapped with a key of this directory so that nothing on disk is recognisable).

export type CellPosition = { readonly pack: number; readonly slot: number };

/** How many slots of a pack are valid; everything above is cut off at start. */
export type PackMark = { readonly pack: number; readonly slots: number };

export type CellToAppend = {
  /** CELL_KIND of core/crypto/cell-seal. */
  readonly kind: number;
  /** 32 bytes: own store: cell_id (HEAD: content_id[0..32]); peers: the owner's onion key. */
  readonly address: Buffer;
  /** 32 bytes: SHA-256(0x00 || sealed cell). */
  readonly leaf: Buffer;
  /** CELL_BYTES sealed bytes. */
  readonly bytes: Buffer;
};

export interface CellStore {
  /** Cuts every pack down to its mark and removes packs without one. The first call; again to take back what was not committed. */
  open(marks: readonly PackMark[]): Promise<void>;
  /** Appends cells in order; not durable before sync(). NO_SPACE leaves nothing of this call; open() again also takes back earlier unsynced cells. */
  append(cells: readonly CellToAppend[]): Promise<readonly CellPosition[]>;
  /** Makes all appended cells durable (fdatasync, directory fsync when a pack is new) and returns the new marks. */
  sync(): Promise<readonly PackMark[]>;
  /** The sealed bytes as given to append(); the caller verifies them. INTEGRITY when the slot cannot be read. */
  read(position: CellPosition): Promise<Buffer>;
  /** A part of a cell's sealed bytes, `offset + length` at most CELL_BYTES. */
  readRange(position: CellPosition, offset: number, length: number): Promise<Buffer>;
  /** The opened slot trailer, or undefined when it is damaged. */
  readTrailer(
    position: CellPosition,
  ): Promise<{ readonly kind: number; readonly address: Buffer; readonly leaf: Buffer } | undefined>;
  /** This pack takes no more cells from now on, or until open() is called again. All of it is synced. */
  retirePack(pack: number): Promise<void>;
  /** Forgets a pack whose cells are all dead (after the catalog has committed that). */
  removePack(pack: number): Promise<void>;
  /** Bytes of all packs on disk. */
  diskBytes(): Promise<number>;
  close(): Promise<void>;
}
