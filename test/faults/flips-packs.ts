// Flips in packs, from memory: a pack is large and one flip concerns one slot, so the disk is left out. Good is: the cell as it
// was, or none. Cells are judged as the program judges them, by cell_id in own packs and by leaf in those of peers.

import { packKeys } from '../../src/core/crypto/dir-keys.ts';
import { openCell } from '../../src/core/crypto/cell-seal.ts';
import type { CellKind } from '../../src/core/crypto/cell-seal.ts';
import type { SlotTrailer } from '../../src/core/crypto/peer-wrap.ts';
import { leafHash } from '../../src/core/content/merkle.ts';
import { isBbError } from '../../src/core/errors.ts';
import { CELL_BYTES, PACK_HEADER_BYTES, PACK_SLOT_BYTES } from '../../src/core/limits.ts';
import type { Files, OpenFile } from '../../src/storage/files.ts';
import { openPackReader } from '../../src/storage/packs/pack-cell-store.ts';
import { WRAP_KEY } from '../contract/workers-world.ts';
import type { Verdict } from './flips-judge.ts';
import type { Specimen } from './flips-world.ts';

export type PackKind = 'own' | 'peers';

const SLOT = 1;
const SLOT_AT = PACK_HEADER_BYTES + SLOT * PACK_SLOT_BYTES;

/** The bytes that are flipped: the header, and one slot with its trailer; all slots are alike. */
export const PACK_RANGES: readonly { readonly from: number; readonly to: number }[] = [
  { from: 0, to: PACK_HEADER_BYTES },
  { from: SLOT_AT, to: SLOT_AT + PACK_SLOT_BYTES },
];

export class PackBench {
  readonly #kind: PackKind;
  readonly #bytes: Buffer;
  readonly #keys: Specimen['keys'];
  readonly #good: Buffer;
  readonly #trailer: SlotTrailer;

  private constructor(specimen: Specimen, kind: PackKind, good: Buffer, trailer: SlotTrailer) {
    this.#kind = kind;
    this.#bytes = packOf(specimen, kind);
    this.#keys = specimen.keys;
    this.#good = good;
    this.#trailer = trailer;
  }

  static async open(specimen: Specimen, kind: PackKind): Promise<PackBench> {
    const reader = readerOf(packOf(specimen, kind), kind);
    const trailer = await reader.readTrailer({ pack: 0, slot: SLOT });
    if (trailer === undefined) throw new Error('the specimen has a good slot');
    const bench = new PackBench(specimen, kind, Buffer.alloc(0), trailer);
    const good = await bench.#read(packOf(specimen, kind));
    if (good === undefined) throw new Error('the specimen has a good cell');
    return new PackBench(specimen, kind, good, trailer);
  }

  async flip(at: number): Promise<Verdict> {
    const bytes = this.#bytes;
    const before = bytes[at] ?? 0;
    bytes[at] = before ^ (1 << (at % 8));
    try {
      const cell = await this.#read(bytes);
      if (cell !== undefined && !cell.equals(this.#good)) return { kind: 'wrong', what: `byte ${at}` };
      const trailer = await readerOf(bytes, this.#kind).readTrailer({ pack: 0, slot: SLOT });
      if (trailer !== undefined && !trailer.address.equals(this.#trailer.address)) {
        return { kind: 'wrong', what: `the trailer, byte ${at}` };
      }
      return { kind: cell === undefined || trailer === undefined ? 'found' : 'same', what: '' };
    } catch (error) {
      return { kind: 'crashed', what: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    } finally {
      bytes[at] = before;
    }
  }

  /** The cell, opened or uncovered; undefined when it is damaged. */
  async #read(bytes: Buffer): Promise<Buffer | undefined> {
    let cell: Buffer;
    try {
      cell = await readerOf(bytes, this.#kind).read({ pack: 0, slot: SLOT });
    } catch (error) {
      if (isBbError(error, 'INTEGRITY')) return undefined;
      throw error;
    }
    const { kind, address, leaf } = this.#trailer;
    if (this.#kind === 'peers') return leafHash(cell).equals(leaf) ? cell : undefined;
    const { pubkey, cellId: id, cellEnc: enc } = this.#keys;
    return openCell({ id, enc }, pubkey, kind as CellKind, address, cell);
  }
}

function packOf(specimen: Specimen, kind: PackKind): Buffer {
  return specimen.closed.get(`${kind}/pack-0`) ?? Buffer.alloc(0);
}

function readerOf(bytes: Buffer, kind: PackKind) {
  const file = {
    read: (into: Buffer, position: number) => Promise.resolve(bytes.copy(into, 0, position, position + into.length)),
    close: () => Promise.resolve(),
  } as Partial<OpenFile> as OpenFile;
  const files = { open: () => Promise.resolve(file) } as Partial<Files> as Files;
  if (bytes.length < SLOT_AT + CELL_BYTES) throw new Error('the specimen has two slots');
  return openPackReader({ dir: '', kind, keys: packKeys(WRAP_KEY) }, files);
}
