// What a pack on disk holds: a storer's own cover over a peer's cell, and the sealed trailer of each slot
// (docs/storage-format.md, "Packs"). Nothing on disk is recognisable as somebody's bytes.

import { invariant } from '../errors.ts';
import { CELL_BYTES, PACK_TRAILER_BYTES } from '../limits.ts';
import { aesCtr } from './aes-ctr.ts';
import { SIV_BYTES, sivOpen, sivSeal } from './aes-siv.ts';
import { hmacSha512 } from './hash.ts';

/** Where a cell lies: `packNonce` 16 random bytes of the pack's header. */
export type SlotPlace = { readonly packNonce: Uint8Array; readonly slot: number };

/** `kind` is a CELL_KIND; `address` is the owner's onion key, in own packs the cell_id (HEAD: content_id[0..32]). */
export type SlotTrailer = { readonly kind: number; readonly address: Buffer; readonly leaf: Buffer };

const SLOT = Buffer.from('bb1/slot');
const FORMAT = 1;
const PLAIN_BYTES = PACK_TRAILER_BYTES - SIV_BYTES;

/**
 * Wraps or unwraps (the same operation) the part of a held cell that starts at `offsetBytes`, a multiple of 16.
 * `wrapCellKey` is the expansion `wrap/cell`; integrity is the caller's, by the leaf.
 */
export function wrapHeldCell(
  wrapCellKey: Uint8Array,
  leaf: Uint8Array,
  place: SlotPlace,
  bytes: Uint8Array,
  offsetBytes = 0,
): Buffer {
  invariant(leaf.length === 32 && place.packNonce.length === 16, 'a wrap needs a leaf and a pack nonce');
  invariant(offsetBytes + bytes.length <= CELL_BYTES, 'a part lies inside its cell');
  const keyAndIv = hmacSha512(wrapCellKey, leaf, u32(place.slot), place.packNonce);
  const out = aesCtr(keyAndIv.subarray(0, 32), keyAndIv.subarray(32, 48), bytes, offsetBytes);
  keyAndIv.fill(0);
  return out;
}

/** 96 bytes that bind kind, address and leaf to this slot of this pack; key `wrap/slot`. */
export function sealTrailer(wrapSlotKey: Uint8Array, place: SlotPlace, trailer: SlotTrailer): Buffer {
  invariant(trailer.address.length === 32 && trailer.leaf.length === 32, 'a trailer names 32-byte address and leaf');
  const plain = Buffer.alloc(PLAIN_BYTES);
  plain.writeUInt8(FORMAT, 0);
  plain.writeUInt8(trailer.kind, 1);
  trailer.address.copy(plain, 16);
  trailer.leaf.copy(plain, 48);
  return sivSeal(wrapSlotKey, trailerAad(place), plain);
}

/** Undefined when the trailer is damaged, or belongs to another slot, pack or data directory. */
export function openTrailer(wrapSlotKey: Uint8Array, place: SlotPlace, sealed: Uint8Array): SlotTrailer | undefined {
  if (sealed.length !== PACK_TRAILER_BYTES) return undefined;
  const plain = sivOpen(wrapSlotKey, trailerAad(place), sealed);
  if (plain === undefined || plain[0] !== FORMAT) return undefined;
  return { kind: plain.readUInt8(1), address: plain.subarray(16, 48), leaf: plain.subarray(48, 80) };
}

function trailerAad(place: SlotPlace): Buffer {
  return Buffer.concat([SLOT, place.packNonce, u32(place.slot)]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
