// The one writer of a folder of packs. Append-only: bytes below a mark are never touched again, so a crash or a full
// disk can only cost cells that nobody was told are durable (docs/storage-format.md, "Packs").
// Invariant: within one life of this object no (pack, slot) is given out twice after it was durable, a pack number is
// never used again, and a pack whose fsync failed takes no more cells.

import type { CellPosition, CellStore, CellToAppend, PackMark } from '../../ports/cell-store.ts';
import type { Random } from '../../ports/random.ts';
import { BbError, invariant } from '../../core/errors.ts';
import { sealTrailer, wrapHeldCell } from '../../core/crypto/peer-wrap.ts';
import type { SlotTrailer } from '../../core/crypto/peer-wrap.ts';
import { CELL_BYTES, PACK_HEADER_BYTES, PACK_SLOT_BYTES, PACK_SLOTS } from '../../core/limits.ts';
import { asDiskError, diskFiles } from '../files.ts';
import type { Files, OpenFile } from '../files.ts';
import { Serial } from '../serial.ts';
import { PackCellReader } from './pack-cell-reader.ts';
import type { PackStoreOptions } from './pack-cell-reader.ts';
import { decodePackHeader, encodePackHeader, PACK_NONCE_BYTES, packName, packNumber, slotAt } from './pack-format.ts';

type Pack = {
  readonly pack: number;
  slots: number;
  syncedSlots: number;
  /** Undefined for a pack that takes no more cells. */
  writer: { readonly file: OpenFile; readonly packNonce: Buffer } | undefined;
  /** Its name is not durable yet. */
  isNew: boolean;
};

export class PackCellStore implements CellStore {
  readonly #options: PackStoreOptions;
  readonly #files: Files;
  readonly #random: Pick<Random, 'bytes'>;
  readonly #reader: PackCellReader;
  readonly #writes = new Serial();
  readonly #packs = new Map<number, Pack>();
  readonly #slotBytes = Buffer.alloc(PACK_SLOT_BYTES);
  #nextPack = 0;
  #active: Pack | undefined;

  constructor(options: PackStoreOptions, random: Pick<Random, 'bytes'>, files: Files = diskFiles) {
    this.#options = options;
    this.#random = random;
    this.#files = files;
    this.#reader = new PackCellReader(options, files);
  }

  /** May be called again: that cuts the store back to `marks` (cells of an abandoned ingest give their space back). */
  open(marks: readonly PackMark[]): Promise<void> {
    return this.#writes.run(async () => {
      await this.#closeAll();
      await this.#files.makeDir(this.#options.dir);
      const slots = new Map(marks.map((mark) => [mark.pack, mark.slots]));
      let removed = false;
      for (const name of await this.#files.list(this.#options.dir)) {
        const pack = packNumber(name);
        if (pack === undefined) continue;
        this.#nextPack = Math.max(this.#nextPack, pack + 1);
        if (slots.has(pack)) continue;
        await this.#files.unlink(this.#path(pack));
        removed = true;
      }
      if (removed) await this.#files.syncDir(this.#options.dir);
      for (const mark of marks) await this.#cutPack(mark);
      this.#active = [...this.#packs.values()].find(takesMore);
    });
  }

  append(cells: readonly CellToAppend[]): Promise<readonly CellPosition[]> {
    return this.#writes.run(async () => {
      const before = [...this.#packs.values()].map((pack) => ({ pack, slots: pack.slots }));
      try {
        const positions: CellPosition[] = [];
        for (const cell of cells) positions.push(await this.#appendOne(cell));
        return positions;
      } catch (error) {
        await this.#cutBack(before);
        throw asDiskError(error);
      }
    });
  }

  sync(): Promise<readonly PackMark[]> {
    return this.#writes.run(async () => {
      for (const pack of this.#packs.values()) {
        if (pack.writer === undefined || pack.slots === pack.syncedSlots) continue;
        try {
          await pack.writer.file.datasync();
          if (pack.isNew) await this.#files.syncDir(this.#options.dir);
          await this.#requireNamed(pack);
        } catch (error) {
          // Whether the bytes reached the disk is unknown, and asking again would lie: rewrite elsewhere.
          await this.#retire(pack);
          throw asDiskError(error);
        }
        pack.isNew = false;
        pack.syncedSlots = pack.slots;
        if (!takesMore(pack)) await this.#retire(pack);
      }
      return this.#marks();
    });
  }

  read(position: CellPosition): Promise<Buffer> {
    return this.#reader.read(position);
  }

  readRange(position: CellPosition, offset: number, length: number): Promise<Buffer> {
    return this.#reader.readRange(position, offset, length);
  }

  readTrailer(position: CellPosition): Promise<SlotTrailer | undefined> {
    return this.#reader.readTrailer(position);
  }

  retirePack(number: number): Promise<void> {
    return this.#writes.run(async () => {
      const pack = this.#packs.get(number);
      if (pack === undefined) return;
      invariant(pack.slots === pack.syncedSlots, 'a pack is retired when all of it is durable');
      await this.#retire(pack);
    });
  }

  /** A pack that is still being filled stays: its cells may not be in the catalog yet. */
  removePack(pack: number): Promise<void> {
    return this.#writes.run(async () => {
      const known = this.#packs.get(pack);
      if (known?.writer !== undefined) return;
      this.#packs.delete(pack);
      await this.#reader.drop(pack);
      await this.#files.unlink(this.#path(pack));
      await this.#files.syncDir(this.#options.dir);
    });
  }

  async diskBytes(): Promise<number> {
    let total = 0;
    for (const name of await this.#files.list(this.#options.dir)) {
      if (packNumber(name) !== undefined) total += (await this.#files.sizeBytes(`${this.#options.dir}/${name}`)) ?? 0;
    }
    return total;
  }

  close(): Promise<void> {
    return this.#writes.run(() => this.#closeAll());
  }

  async #closeAll(): Promise<void> {
    this.#active = undefined;
    for (const pack of this.#packs.values()) await this.#retire(pack);
    this.#packs.clear();
    await this.#reader.close();
  }

  /** A pack with a lost or short file, or a damaged header, keeps its mark and takes no more cells. */
  async #cutPack(mark: PackMark): Promise<void> {
    invariant(mark.slots >= 0 && mark.slots <= PACK_SLOTS, 'a mark lies inside its pack');
    const pack: Pack = { pack: mark.pack, slots: mark.slots, syncedSlots: mark.slots, writer: undefined, isNew: false };
    this.#packs.set(mark.pack, pack);
    this.#nextPack = Math.max(this.#nextPack, mark.pack + 1);
    const sizeBytes = await this.#files.sizeBytes(this.#path(mark.pack));
    const wantedBytes = slotAt(mark.slots);
    if (sizeBytes === undefined || sizeBytes < wantedBytes) return;
    const file = await this.#files.open(this.#path(mark.pack), 'write');
    const header = Buffer.alloc(PACK_HEADER_BYTES);
    await file.read(header, 0);
    const packNonce = decodePackHeader(this.#options.kind, header);
    if (packNonce !== undefined) pack.writer = { file, packNonce };
    else await file.close();
    if (sizeBytes > wantedBytes) await pack.writer?.file.truncate(wantedBytes);
    if (!takesMore(pack)) await this.#retire(pack);
  }

  async #appendOne(cell: CellToAppend): Promise<CellPosition> {
    invariant(cell.bytes.length === CELL_BYTES, 'a cell has 131072 bytes');
    if (this.#active === undefined || !takesMore(this.#active)) this.#active = await this.#startPack();
    const pack = this.#active;
    invariant(pack.writer !== undefined, 'the active pack can be written');
    const place = { packNonce: pack.writer.packNonce, slot: pack.slots };
    const { cell: cellKey, slot: slotKey } = this.#options.keys;
    const onDisk = this.#options.kind === 'own' ? cell.bytes : wrapHeldCell(cellKey, cell.leaf, place, cell.bytes);
    this.#slotBytes.set(onDisk);
    const trailer = { kind: cell.kind, address: Buffer.from(cell.address), leaf: Buffer.from(cell.leaf) };
    sealTrailer(slotKey, place, trailer).copy(this.#slotBytes, CELL_BYTES);
    await pack.writer.file.write(this.#slotBytes, slotAt(pack.slots));
    return { pack: pack.pack, slot: pack.slots++ };
  }

  async #startPack(): Promise<Pack> {
    const number = this.#nextPack++;
    const packNonce = this.#random.bytes(PACK_NONCE_BYTES);
    const file = await this.#files.open(this.#path(number), 'create');
    try {
      await file.write(encodePackHeader(this.#options.kind, packNonce), 0);
    } catch (error) {
      await file.close();
      await this.#files.unlink(this.#path(number));
      throw error;
    }
    const pack: Pack = { pack: number, slots: 0, syncedSlots: 0, writer: { file, packNonce }, isNew: true };
    this.#packs.set(number, pack);
    return pack;
  }

  /** After a failed append: cells of earlier calls stay, nothing of this call does. */
  async #cutBack(before: readonly { readonly pack: Pack; readonly slots: number }[]): Promise<void> {
    const slotsBefore = new Map(before.map(({ pack, slots }) => [pack, slots]));
    for (const pack of [...this.#packs.values()]) {
      const slots = slotsBefore.get(pack);
      if (slots === undefined) {
        await this.#retire(pack);
        this.#packs.delete(pack.pack);
        await this.#reader.drop(pack.pack);
        await this.#files.unlink(this.#path(pack.pack));
      } else if (pack.writer !== undefined) {
        pack.slots = slots;
        await pack.writer.file.truncate(slotAt(slots)).catch(() => this.#retire(pack));
      }
    }
    this.#active = [...this.#packs.values()].find(takesMore);
  }

  /** A file that was removed while it is open takes bytes and syncs, and is gone with the process. */
  async #requireNamed(pack: Pack): Promise<void> {
    const sizeBytes = await this.#files.sizeBytes(this.#path(pack.pack));
    if (sizeBytes !== undefined && sizeBytes >= slotAt(pack.slots)) return;
    throw new BbError('INTEGRITY', `pack ${pack.pack} of the ${this.#options.kind} store was removed`);
  }

  /** Stops writing to a pack; cells that are not durable yet get no mark. */
  async #retire(pack: Pack): Promise<void> {
    const { writer } = pack;
    pack.writer = undefined;
    pack.slots = pack.syncedSlots;
    if (this.#active === pack) this.#active = undefined;
    await writer?.file.close();
  }

  #marks(): readonly PackMark[] {
    return [...this.#packs.values()]
      .filter((pack) => pack.syncedSlots > 0)
      .map(({ pack, syncedSlots }) => ({ pack, slots: syncedSlots }));
  }

  #path(pack: number): string {
    return `${this.#options.dir}/${packName(pack)}`;
  }
}

function takesMore(pack: Pack): boolean {
  return pack.writer !== undefined && pack.slots < PACK_SLOTS;
}

/** A store for reading only, beside a writer in another thread: cuts nothing and sees new packs as they appear. */
export function openPackReader(options: PackStoreOptions, files: Files = diskFiles): PackCellReader {
  return new PackCellReader(options, files);
}
