// At rest: directory keys, held cells, slot trailers, catalog rows.

import { aessiv, ctr } from '@noble/ciphers/aes.js';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { ascii, be, join } from './bytes.ts';
import { subKey } from './keys.ts';

export function wrapKey(kek: Uint8Array, label: 'bb1/wrap' | 'bb1/db', key: Uint8Array): Uint8Array {
  return aessiv(kek, ascii(label)).encrypt(key);
}

export function wrapCell(
  wrapKeyBytes: Uint8Array,
  leaf: Uint8Array,
  slot: number,
  packNonce: Uint8Array,
  bytes: Uint8Array,
): Uint8Array {
  const mac = hmac(sha512, subKey(wrapKeyBytes, 'wrap/cell', 64), join(leaf, be(slot, 4), packNonce));
  return ctr(mac.slice(0, 32), mac.slice(32, 48)).encrypt(bytes);
}

export function trailer(
  wrapKeyBytes: Uint8Array,
  slot: number,
  packNonce: Uint8Array,
  kind: number,
  address: Uint8Array,
  leaf: Uint8Array,
): Uint8Array {
  const aad = join(ascii('bb1/slot'), packNonce, be(slot, 4));
  const plain = join(be(1, 1), be(kind, 1), be(0, 14), address, leaf);
  return aessiv(subKey(wrapKeyBytes, 'wrap/slot', 64), aad).encrypt(plain);
}

export function row(
  rowKey: Uint8Array,
  id: Uint8Array,
  kind: string,
  version: number,
  nonce: Uint8Array,
  plain: Uint8Array,
): Uint8Array {
  const aad = join(id, be(kind.length, 1), ascii(kind), be(version, 4));
  return join(nonce, xchacha20poly1305(subKey(rowKey, 'db/aead', 32), nonce, aad).encrypt(plain));
}
