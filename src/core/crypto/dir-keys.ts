// The two random keys of a data directory: `wrap` covers packs, `row` covers catalog rows. They are wrapped under keys of
// the identity and lie in the header (docs/storage-format.md, "Header file"); a copied directory of another identity is
// useless.

import { invariant } from '../errors.ts';
import { sivOpen, sivSeal } from './aes-siv.ts';
import { hkdfExpand } from './hkdf.ts';

export const DIR_KEY_BYTES = 32;
export type DirKeyName = 'wrap' | 'row';

const AAD: Readonly<Record<DirKeyName, Buffer>> = { wrap: Buffer.from('bb1/wrap'), row: Buffer.from('bb1/db') };

/** 32-byte directory key under its 64-byte key-encryption key (`bb1/wrap` or `bb1/db`) -> 48 bytes. */
export function wrapDirKey(name: DirKeyName, kek: Uint8Array, key: Uint8Array): Buffer {
  invariant(key.length === DIR_KEY_BYTES, 'a directory key has 32 bytes');
  return sivSeal(kek, AAD[name], key);
}

/** Undefined when the key-encryption key is another identity's or the bytes are damaged. */
export function unwrapDirKey(name: DirKeyName, kek: Uint8Array, wrapped: Uint8Array): Buffer | undefined {
  const key = sivOpen(kek, AAD[name], wrapped);
  return key?.length === DIR_KEY_BYTES ? key : undefined;
}

/** Keys of the packs: `cell` (64 bytes, held cells) and `slot` (64 bytes, trailers). */
export function packKeys(wrapKey: Uint8Array): { readonly cell: Buffer; readonly slot: Buffer } {
  return { cell: hkdfExpand(wrapKey, 'wrap/cell', 64), slot: hkdfExpand(wrapKey, 'wrap/slot', 64) };
}

/** Key of sealed catalog rows, 32 bytes. */
export function rowAeadKey(rowKey: Uint8Array): Buffer {
  return hkdfExpand(rowKey, 'db/aead', 32);
}
