// Reads cells out of packs. Opens pack files when they are first asked for and keeps a bounded number of them open
// (besides those being read at the moment), so several readers in several threads may look at the packs that one writer appends to.
// Invariant: nothing here writes; a slot that cannot be read is INTEGRITY and never other bytes.

import type { CellPosition, CellStore } from '../../ports/cell-store.ts';
import { BbError, invariant } from '../../core/errors.ts';
import { openTrailer, wrapHeldCell } from '../../core/crypto/peer-wrap.ts';
import type { SlotTrailer } from '../../core/crypto/peer-wrap.ts';
import { CELL_BYTES, OPEN_PACKS, PACK_HEADER_BYTES, PACK_SLOT_BYTES, PACK_TRAILER_BYTES } from '../../core/limits.ts';
import { isErrno } from '../files.ts';
import type { Files, OpenFile } from '../files.ts';
import { decodePackHeader, isPosition, packName, slotAt } from './pack-format.ts';
import type { PackKind } from './pack-format.ts';

/** The reading half of a cell store. */
export type CellReader = Pick<CellStore, 'read' | 'readRange' | 'readTrailer' | 'close'>;

export type PackStoreOptions = {
  /** Folder of this kind's packs (`<data>/own` or `<data>/peers`). */
  readonly dir: string;
  readonly kind: PackKind;
  /** packKeys() of the directory's wrap key. */
  readonly keys: { readonly cell: Buffer; readonly slot: Buffer };
};

type OpenPack = { readonly file: OpenFile; readonly packNonce: Buffer; users: number; dropped: boolean };

export class PackCellReader implements CellReader {
  readonly #options: PackStoreOptions;
  readonly #files: Files;
  /** Least recently used first. */
  readonly #open = new Map<number, Promise<OpenPack>>();

  constructor(options: PackStoreOptions, files: Files) {
    this.#options = options;
    this.#files = files;
  }

  read(position: CellPosition): Promise<Buffer> {
    return this.#withPack(position, async ({ file, packNonce }) => {
      const slot = await readAll(file, PACK_SLOT_BYTES, slotAt(position.slot));
      const cell = slot.subarray(0, CELL_BYTES);
      if (this.#options.kind === 'own') return cell;
      const trailer = this.#openTrailer(packNonce, position, slot.subarray(CELL_BYTES));
      return wrapHeldCell(this.#options.keys.cell, trailer.leaf, { packNonce, slot: position.slot }, cell);
    });
  }

  readRange(position: CellPosition, offset: number, length: number): Promise<Buffer> {
    invariant(offset >= 0 && length >= 0 && offset + length <= CELL_BYTES, 'a range lies inside its cell');
    return this.#withPack(position, async ({ file, packNonce }) => {
      const start = slotAt(position.slot);
      if (this.#options.kind === 'own') return readAll(file, length, start + offset);
      const sealed = await readAll(file, PACK_TRAILER_BYTES, start + CELL_BYTES);
      const trailer = this.#openTrailer(packNonce, position, sealed);
      const blockOffset = offset - (offset % 16);
      const wrapped = await readAll(file, offset + length - blockOffset, start + blockOffset);
      const place = { packNonce, slot: position.slot };
      const bytes = wrapHeldCell(this.#options.keys.cell, trailer.leaf, place, wrapped, blockOffset);
      return bytes.subarray(offset - blockOffset);
    });
  }

  async readTrailer(position: CellPosition): Promise<SlotTrailer | undefined> {
    try {
      return await this.#withPack(position, async ({ file, packNonce }) => {
        const sealed = await readAll(file, PACK_TRAILER_BYTES, slotAt(position.slot) + CELL_BYTES);
        return openTrailer(this.#options.keys.slot, { packNonce, slot: position.slot }, sealed);
      });
    } catch (error) {
      if (error instanceof BbError && error.code === 'INTEGRITY') return undefined;
      throw error;
    }
  }

  /** Forgets an open pack; its file is closed as soon as nobody reads it. */
  async drop(pack: number): Promise<void> {
    const opening = this.#open.get(pack);
    this.#open.delete(pack);
    const open = await opening?.catch(() => undefined);
    if (open === undefined) return;
    open.dropped = true;
    if (open.users === 0) await open.file.close();
  }

  async close(): Promise<void> {
    for (const pack of [...this.#open.keys()]) await this.drop(pack);
  }

  async #withPack<T>(position: CellPosition, use: (pack: OpenPack) => Promise<T>): Promise<T> {
    invariant(isPosition(position), 'a position names a slot of a pack');
    const pack = await this.#acquire(position.pack);
    try {
      return await use(pack);
    } catch (error) {
      if (isErrno(error, 'EIO')) throw new BbError('INTEGRITY', 'a slot of a pack cannot be read', { cause: error });
      throw error;
    } finally {
      pack.users--;
      if (pack.dropped && pack.users === 0) await pack.file.close();
    }
  }

  /**
   * An open pack with one more user. Callers wait for `opening` from the same step in which they find it, so they are
   * counted before a drop(), which waits longer, can look at `users`.
   */
  async #acquire(pack: number): Promise<OpenPack> {
    const opening = this.#open.get(pack) ?? this.#openPack(pack);
    this.#open.delete(pack);
    this.#open.set(pack, opening);
    try {
      const open = await opening;
      invariant(!open.dropped, 'a pack is not closed under its reader');
      open.users++;
      const [oldest] = this.#open.keys();
      if (this.#open.size > OPEN_PACKS && oldest !== undefined) await this.drop(oldest);
      return open;
    } catch (error) {
      if (this.#open.get(pack) === opening) this.#open.delete(pack);
      throw error;
    }
  }

  async #openPack(pack: number): Promise<OpenPack> {
    let file: OpenFile;
    try {
      file = await this.#files.open(`${this.#options.dir}/${packName(pack)}`, 'read');
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'EIO')) throw error;
      throw new BbError('INTEGRITY', `pack ${pack} of the ${this.#options.kind} store is missing`, { cause: error });
    }
    try {
      const packNonce = decodePackHeader(this.#options.kind, await readAll(file, PACK_HEADER_BYTES, 0));
      if (packNonce === undefined) throw new BbError('INTEGRITY', `the header of pack ${pack} is damaged`);
      return { file, packNonce, users: 0, dropped: false };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  #openTrailer(packNonce: Buffer, position: CellPosition, sealed: Buffer): SlotTrailer {
    const trailer = openTrailer(this.#options.keys.slot, { packNonce, slot: position.slot }, sealed);
    if (trailer === undefined)
      throw new BbError('INTEGRITY', `slot ${position.slot} of pack ${position.pack} is damaged`);
    return trailer;
  }
}

async function readAll(file: OpenFile, lengthBytes: number, position: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(lengthBytes);
  if ((await file.read(bytes, position)) !== lengthBytes) {
    throw new BbError('INTEGRITY', 'a pack is shorter than it should be');
  }
  return bytes;
}
