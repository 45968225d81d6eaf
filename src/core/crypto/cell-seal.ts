// A cell as a peer (or our own disk) sees it: deterministic, per peer, bound to its exact plaintext, so that no keystream
// can ever repeat with other bytes (docs/storage-format.md, "Sealing a cell").
// Invariant: the identity is computed from exactly the bytes that are XORed; bytes whose identity is wrong are never
// returned.

import { invariant } from '../errors.ts';
import { CELL_BYTES } from '../limits.ts';
import { aesCtr } from './aes-ctr.ts';
import { equalBytes } from './compare.ts';
import { hmacSha256, hmacSha512 } from './hash.ts';

/** What a cell holds. HEAD cells are sealed as a head (head.ts), never by this file. */
export const CELL_KIND = { DATA: 1, INDEX: 2, HEAD: 3 } as const;
export type CellKind = (typeof CELL_KIND)[keyof typeof CELL_KIND];

const CELL = Buffer.from('cell');

/** The owner's name of a cell: 32 bytes, a MAC of kind and all 131 072 plaintext bytes. */
export function cellId(idKey: Uint8Array, kind: CellKind, plain: Uint8Array): Buffer {
  invariant(plain.length === CELL_BYTES, 'a cell has 131072 bytes');
  return hmacSha256(idKey, Buffer.of(kind), plain);
}

/** Seals a whole cell for `peerPubkey` (our own key: for our own disk). Same size as the plaintext. */
export function sealCell(encKey: Uint8Array, peerPubkey: Uint8Array, id: Uint8Array, plain: Uint8Array): Buffer {
  invariant(plain.length === CELL_BYTES, 'a cell has 131072 bytes');
  return cross(encKey, peerPubkey, id, plain, 0);
}

/** Seals the part of a cell that starts at `offsetBytes` (a multiple of 16): equal to that slice of sealCell. */
export function sealCellPart(
  encKey: Uint8Array,
  peerPubkey: Uint8Array,
  id: Uint8Array,
  plainPart: Uint8Array,
  offsetBytes: number,
): Buffer {
  invariant(offsetBytes + plainPart.length <= CELL_BYTES, 'a part lies inside its cell');
  return cross(encKey, peerPubkey, id, plainPart, offsetBytes);
}

/** The plaintext, or undefined when the bytes are not the cell `id` of this kind as sealed for this peer. */
export function openCell(
  keys: { readonly id: Uint8Array; readonly enc: Uint8Array },
  peerPubkey: Uint8Array,
  kind: CellKind,
  id: Uint8Array,
  sealed: Uint8Array,
): Buffer | undefined {
  if (sealed.length !== CELL_BYTES) return undefined;
  const plain = cross(keys.enc, peerPubkey, id, sealed, 0);
  return equalBytes(cellId(keys.id, kind, plain), id) ? plain : undefined;
}

function cross(
  encKey: Uint8Array,
  peerPubkey: Uint8Array,
  id: Uint8Array,
  bytes: Uint8Array,
  offsetBytes: number,
): Buffer {
  invariant(peerPubkey.length === 32 && id.length === 32, 'a cell key needs a 32-byte peer key and a 32-byte cell id');
  const keyAndIv = hmacSha512(encKey, CELL, peerPubkey, id);
  const out = aesCtr(keyAndIv.subarray(0, 32), keyAndIv.subarray(32, 48), bytes, offsetBytes);
  keyAndIv.fill(0);
  return out;
}
