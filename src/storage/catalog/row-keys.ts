// What an unlocked catalog can do that a locked one cannot: open and seal rows, and find rows by keyed tags.
// Both keys are expansions of the random row key of the directory (docs/storage-format.md, "Catalog").

import { BbError } from '../../core/errors.ts';
import { rowAeadKey } from '../../core/crypto/dir-keys.ts';
import { hmacSha256 } from '../../core/crypto/hash.ts';
import { hkdfExpand } from '../../core/crypto/hkdf.ts';
import { openRow, ROW_NONCE_BYTES, sealRow } from '../../core/crypto/row-seal.ts';
import type { RowLabel } from '../../core/crypto/row-seal.ts';
import type { Random } from '../../ports/random.ts';

export const TAG_BYTES = 16;

export class RowKeys {
  readonly #aead: Buffer;
  readonly #tag: Buffer;
  readonly #random: Pick<Random, 'bytes'>;

  /** `rowKey` has 32 bytes; the caller keeps and wipes it. */
  constructor(rowKey: Uint8Array, random: Pick<Random, 'bytes'>) {
    this.#aead = rowAeadKey(rowKey);
    this.#tag = hkdfExpand(rowKey, 'db/tag', 32);
    this.#random = random;
  }

  seal(label: RowLabel, plain: Uint8Array): Buffer {
    return sealRow(this.#aead, label, plain, this.#random.bytes(ROW_NONCE_BYTES));
  }

  /** INTEGRITY, naming the kind of row, when the bytes are damaged or of another row. */
  open(label: RowLabel, sealed: Uint8Array): Buffer {
    const plain = openRow(this.#aead, label, sealed);
    if (plain === undefined) throw new BbError('INTEGRITY', `a sealed row (${label.kind}) of the catalog is damaged`);
    return plain;
  }

  /** 16 bytes by which a row is found; `domain` keeps tags of different tables apart. */
  tag(domain: 'peer' | 'revision' | 'held', ...parts: readonly Uint8Array[]): Buffer {
    return hmacSha256(this.#tag, Buffer.from(`${domain}\0`), ...parts).subarray(0, TAG_BYTES);
  }

  wipe(): void {
    this.#aead.fill(0);
    this.#tag.fill(0);
  }
}

/** Label of a page that two numbers name: list or peer, and page. */
export function pageLabel(kind: string, list: number, page: number): RowLabel {
  const id = Buffer.alloc(16);
  id.writeBigUInt64BE(BigInt(list), 0);
  id.writeBigUInt64BE(BigInt(page), 8);
  return { id, kind, version: 1 };
}
