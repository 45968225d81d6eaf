// Sealed catalog rows: XChaCha20-Poly1305 bound to the row's id, kind and version, so that rows cannot be swapped
// (docs/storage-format.md, "Catalog"). Value = 24-byte nonce || ciphertext || 16-byte tag.

import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { invariant } from '../errors.ts';

export const ROW_NONCE_BYTES = 24;
const TAG_BYTES = 16;

/** What a sealed value is bound to: `id` 16 bytes, `kind` ASCII of at most 255 characters, `version` u32. */
export type RowLabel = { readonly id: Uint8Array; readonly kind: string; readonly version: number };

/** `aeadKey` as of rowAeadKey (32 bytes), `random` 24 fresh random bytes. */
export function sealRow(aeadKey: Uint8Array, label: RowLabel, plain: Uint8Array, random: Uint8Array): Buffer {
  invariant(random.length === ROW_NONCE_BYTES, 'a sealed row needs 24 random bytes');
  return Buffer.concat([random, xchacha20poly1305(aeadKey, random, rowAad(label)).encrypt(plain)]);
}

/** Undefined when the bytes are damaged or belong to another row. */
export function openRow(aeadKey: Uint8Array, label: RowLabel, sealed: Uint8Array): Buffer | undefined {
  if (sealed.length < ROW_NONCE_BYTES + TAG_BYTES) return undefined;
  const random = sealed.subarray(0, ROW_NONCE_BYTES);
  try {
    const plain = xchacha20poly1305(aeadKey, random, rowAad(label)).decrypt(sealed.subarray(ROW_NONCE_BYTES));
    return Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength);
  } catch {
    return undefined;
  }
}

/** id 16 | length of kind u8 | kind | version u32: no two labels give the same bytes. */
function rowAad(label: RowLabel): Buffer {
  invariant(label.id.length === 16 && label.kind.length <= 255, 'a row label has a 16-byte id and a short kind');
  const kind = Buffer.from(label.kind, 'ascii');
  const version = Buffer.alloc(4);
  version.writeUInt32BE(label.version);
  return Buffer.concat([label.id, Buffer.of(kind.length), kind, version]);
}
