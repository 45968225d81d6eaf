// A pack file: a header of 4 096 bytes, then slots of one cell and one sealed trailer each
// (docs/storage-format.md, "Packs"). Header: "BBPK" | format u8 | kind u8 | 10 zero | pack_nonce 16 | zeros.

import { PACK_HEADER_BYTES, PACK_SLOT_BYTES, PACK_SLOTS } from '../../core/limits.ts';

export type PackKind = 'own' | 'peers';

export const PACK_NONCE_BYTES = 16;
const MAGIC = Buffer.from('BBPK');
const FORMAT = 1;
const KIND: Readonly<Record<PackKind, number>> = { own: 1, peers: 2 };
const NONCE_AT = 16;

export function encodePackHeader(kind: PackKind, packNonce: Buffer): Buffer {
  const header = Buffer.alloc(PACK_HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt8(FORMAT, MAGIC.length);
  header.writeUInt8(KIND[kind], MAGIC.length + 1);
  packNonce.copy(header, NONCE_AT);
  return header;
}

/** The pack nonce, or undefined when this is not the header of a pack of this kind and format. */
export function decodePackHeader(kind: PackKind, header: Buffer): Buffer | undefined {
  const packNonce = header.subarray(NONCE_AT, NONCE_AT + PACK_NONCE_BYTES);
  return encodePackHeader(kind, packNonce).equals(header) ? Buffer.from(packNonce) : undefined;
}

/** Where a slot starts; for the slot after the last one: how long the file is. */
export function slotAt(slot: number): number {
  return PACK_HEADER_BYTES + slot * PACK_SLOT_BYTES;
}

export function isPosition(position: { readonly pack: number; readonly slot: number }): boolean {
  const { pack, slot } = position;
  return Number.isSafeInteger(pack) && pack >= 0 && Number.isInteger(slot) && slot >= 0 && slot < PACK_SLOTS;
}

export function packName(pack: number): string {
  return `pack-${pack}`;
}

/** The number of a pack file, or undefined for any other name. */
export function packNumber(name: string): number | undefined {
  const digits = /^pack-(0|[1-9][0-9]{0,14})$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
