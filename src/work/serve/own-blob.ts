// Cells of our own blob as a peer holds them, made from our own disk (docs/protocol.md, "Per-peer encoding").
// Invariant: a cell is sealed for a peer only after it was opened and its cell_id found right; a damaged own cell gives
// undefined, never bytes.

import { leafHash } from '../../core/content/merkle.ts';
import { CELL_KIND, openCell, sealCell, sealCellPart } from '../../core/crypto/cell-seal.ts';
import type { CellKind } from '../../core/crypto/cell-seal.ts';
import { BbError } from '../../core/errors.ts';
import type { CellPosition } from '../../ports/cell-store.ts';
import type { WorkerKeys } from '../../ports/workers.ts';
import type { CatalogReader, KnownCell } from '../../storage/catalog/catalog-reader.ts';
import type { CellReader } from '../../storage/packs/pack-cell-reader.ts';

/** An opened cell of the blob. A head is equal at all peers and stays sealed. */
export type OwnCell =
  | { readonly kind: 'head'; readonly bytes: Buffer }
  | { readonly kind: 'cell'; readonly cellId: Buffer; readonly plain: Buffer };

export class OwnBlob {
  readonly #keys: WorkerKeys;
  readonly #catalog: CatalogReader;
  readonly #store: CellReader;
  readonly #contentId: Buffer;

  constructor(keys: WorkerKeys, catalog: CatalogReader, store: CellReader, contentId: Buffer) {
    this.#keys = keys;
    this.#catalog = catalog;
    this.#store = store;
    this.#contentId = contentId;
  }

  /** Undefined when our own cell is damaged. NOT_FOUND when the revision is not kept. */
  async open(cell: number): Promise<OwnCell | undefined> {
    const [position] = this.#catalog.cellPositions(this.#contentId, cell, 1);
    if (position === undefined) throw new BbError('NOT_FOUND', 'the content has no such cell');
    try {
      const cellId = this.#catalog.cellIds(this.#contentId, cell, 1);
      const known = isHeadName(cellId) ? undefined : this.#catalog.cell(cellId);
      return known === undefined ? await this.#openHead(position) : await this.#openCell(cellId, known.kind, position);
    } catch (error) {
      if (error instanceof BbError && error.code === 'INTEGRITY') return undefined;
      throw error;
    }
  }

  /** CELL_BYTES as sealed for the peer with this key. */
  sealed(cell: OwnCell, peerKey: Buffer): Buffer {
    return cell.kind === 'head' ? cell.bytes : sealCell(this.#keys.cellEnc, peerKey, cell.cellId, cell.plain);
  }

  /** A part of the sealed cell; the offset is a multiple of 16. */
  sealedPart(cell: OwnCell, peerKey: Buffer, offsetBytes: number, lengthBytes: number): Buffer {
    if (cell.kind === 'head') return cell.bytes.subarray(offsetBytes, offsetBytes + lengthBytes);
    const part = cell.plain.subarray(offsetBytes, offsetBytes + lengthBytes);
    return sealCellPart(this.#keys.cellEnc, peerKey, cell.cellId, part, offsetBytes);
  }

  async #openCell(cellId: Buffer, kind: number, position: CellPosition): Promise<OwnCell | undefined> {
    const plain = await openOwnCell(this.#keys, this.#store, { cellId, kind, position });
    return plain === undefined ? undefined : { kind: 'cell', cellId, plain };
  }

  /** Heads have no cell_id; the trailer of their slot says what they are. */
  async #openHead(position: CellPosition): Promise<OwnCell | undefined> {
    const trailer = await this.#store.readTrailer(position);
    const bytes = await this.#store.read(position);
    const isRight =
      trailer?.kind === CELL_KIND.HEAD &&
      trailer.address.equals(this.#contentId.subarray(0, 32)) &&
      trailer.leaf.equals(leafHash(bytes));
    return isRight ? { kind: 'head', bytes } : undefined;
  }
}

/** Plaintext of an own cell; undefined when what lies there is not this cell. INTEGRITY when the slot cannot be read. */
export async function openOwnCell(
  { pubkey, cellId: id, cellEnc: enc }: WorkerKeys,
  store: CellReader,
  cell: KnownCell & { readonly cellId: Buffer },
): Promise<Buffer | undefined> {
  return openCell({ id, enc }, pubkey, cell.kind as CellKind, cell.cellId, await store.read(cell.position));
}

/** Catalog.cellIds names a head by its copy and number, with zeros between. */
function isHeadName(cellId: Buffer): boolean {
  return cellId.subarray(1, 31).every((byte) => byte === 0);
}
