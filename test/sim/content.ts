// Content of a simulated owner: a list of files, each a row of cells with a version. Data cells are stand-ins (an id, no
// bytes); the one index cell is real and holds the list, so that a node that lost its disk learns it from its peers alone.

import { createHash } from 'node:crypto';
import { cellId, CELL_KIND, openCell, sealCell } from '../../src/core/crypto/cell-seal.ts';
import { hmacSha256, sha256 } from '../../src/core/crypto/hash.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';
import type { Entry } from '../../src/core/content/entry.ts';
import type { WorkerKeys } from '../../src/ports/workers.ts';
import { keyOf } from './sim-disk.ts';
import type { Key, OwnSlot } from './sim-disk.ts';

/** Version of each cell of a file. */
export type SimFile = { readonly name: string; readonly cells: readonly number[] };

/** What one index cell can list. */
const INDEX_BYTES = CELL_BYTES - 4;

export function encodeFiles(files: readonly SimFile[]): Buffer {
  const payload = Buffer.from(JSON.stringify(files.map(({ name, cells }) => [name, cells])));
  if (payload.length > INDEX_BYTES) throw new Error('too many simulated files for one index cell');
  return payload;
}

export function decodeFiles(payload: Buffer): SimFile[] {
  const rows = JSON.parse(payload.toString()) as [string, number[]][];
  return rows.map(([name, cells]) => ({ name, cells }));
}

/** Plaintext of the index cell. */
function indexPlain(payload: Buffer): Buffer {
  const plain = Buffer.alloc(CELL_BYTES);
  plain.writeUInt32BE(payload.length, 0);
  payload.copy(plain, 4);
  return plain;
}

export function indexCellId(keys: WorkerKeys, payload: Buffer): Key {
  return keyOf(cellId(keys.cellId, CELL_KIND.INDEX, indexPlain(payload)));
}

export function sealIndex(keys: WorkerKeys, peerKey: Buffer, cell: Key, payload: Buffer): Buffer {
  return sealCell(keys.cellEnc, peerKey, Buffer.from(cell, 'latin1'), indexPlain(payload));
}

function openIndex(keys: WorkerKeys, peerKey: Buffer, cell: Key, sealed: Buffer): Buffer | undefined {
  const id = Buffer.from(cell, 'latin1');
  const plain = openCell({ id: keys.cellId, enc: keys.cellEnc }, peerKey, CELL_KIND.INDEX, id, sealed);
  return plain?.subarray(4, 4 + plain.readUInt32BE(0));
}

/** Ids of the data cells of a file; equal cells of different files are different cells. */
export function dataCellIds(keys: WorkerKeys, { name, cells }: SimFile): Key[] {
  return cells.map((version, ordinal) =>
    keyOf(hmacSha256(keys.chunkId, Buffer.from(`${name}\0${ordinal}\0${version}`))),
  );
}

const DATA_ID_BYTES = 64;
/** Where the id of a data cell begins, after nothing but zeros. */
export const DATA_ID_AT = CELL_BYTES - DATA_ID_BYTES;
/** The hash of a leaf up to where data cells begin to differ. */
const leafOfZeros = createHash('sha256').update(Buffer.alloc(1 + DATA_ID_AT));

/** A data cell as sealed for a peer: nothing, and at its end its id bound to the peer. */
export function sealData(peerKey: Buffer, cell: Key): Buffer {
  const sealed = Buffer.alloc(CELL_BYTES);
  dataId(peerKey, cell).copy(sealed, DATA_ID_AT);
  return sealed;
}

/** leafHash(sealData(peerKey, cell)), for a hundredth of its price. */
export function dataLeaf(peerKey: Buffer, cell: Key): Buffer {
  return leafOfZeros.copy().update(dataId(peerKey, cell)).digest();
}

function dataId(peerKey: Buffer, cell: Key): Buffer {
  const id = Buffer.from(cell, 'latin1');
  return Buffer.concat([sha256(id, peerKey), id], DATA_ID_BYTES);
}

/** What a cell that a peer gives back is worth in the own store; undefined when it is not the cell it should be. */
export function openOwnCell(keys: WorkerKeys, peerKey: Buffer, cell: Key, sealed: Buffer): OwnSlot | undefined {
  if (sealed.equals(sealData(peerKey, cell))) return { cell, payload: undefined, isDamaged: false };
  const payload = openIndex(keys, peerKey, cell, sealed);
  return payload === undefined ? undefined : { cell, payload: Buffer.from(payload), isDamaged: false };
}

export function entryOf({ name, cells }: SimFile): Entry {
  const none = Buffer.alloc(0);
  return {
    namespace: 0,
    kind: 1,
    path: Buffer.from(name),
    size: cells.length * CELL_BYTES,
    mtimeNs: 0n,
    mode: 0o600,
    uid: 0,
    gid: 0,
    owner: none,
    group: none,
    target: none,
    marks: 0,
    sha256: sha256(encodeFiles([{ name, cells }])),
    xattrs: [],
    holes: [],
    chunkIds: none,
    extensions: [],
  };
}
