// Cells, chunks and the tree, read from docs/storage-format.md.

import { ctr } from '@noble/ciphers/aes.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { zstdDecompressSync } from 'node:zlib';
import { ascii, be, join, readBe, same } from './bytes.ts';
import type { Keys } from './keys.ts';
import { subKey } from './keys.ts';

export const CELL = 131_072;
export const DATA = 1;
export const INDEX = 2;

export function cellId(keys: Keys, kind: number, plain: Uint8Array): Uint8Array {
  return hmac(sha256, keys('bb1/cell/id'), join(be(kind, 1), plain));
}

export function cellKey(keys: Keys, peer: Uint8Array, id: Uint8Array): { key: Uint8Array; iv: Uint8Array } {
  const bytes = hmac(sha512, keys('bb1/cell/enc'), join(ascii('cell'), peer, id));
  return { key: bytes.slice(0, 32), iv: bytes.slice(32, 48) };
}

/** Seals and opens. */
export function cryptCell(keys: Keys, peer: Uint8Array, id: Uint8Array, bytes: Uint8Array): Uint8Array {
  const { key, iv } = cellKey(keys, peer, id);
  return ctr(key, iv).encrypt(bytes);
}

export function openCell(keys: Keys, peer: Uint8Array, kind: number, id: Uint8Array, sealed: Uint8Array): Uint8Array {
  const plain = cryptCell(keys, peer, id, sealed);
  if (!same(cellId(keys, kind, plain), id)) throw new Error('this is not the cell');
  return plain;
}

export type Chunk = { algorithm: number; plainBytes: number; stored: Uint8Array };

export function encodeCell(chunks: readonly Chunk[]): Uint8Array {
  const directory = chunks.map((chunk) =>
    join(be(chunk.algorithm, 1), be(chunk.stored.length, 3), be(chunk.plainBytes, 3)),
  );
  const cell = new Uint8Array(CELL);
  cell.set(join(be(chunks.length, 2), ...directory, ...chunks.map((chunk) => chunk.stored)));
  return cell;
}

/** The plaintext of each chunk of a cell. */
export function chunksOf(cell: Uint8Array): Uint8Array[] {
  const count = readBe(cell, 0, 2);
  let at = 2 + 7 * count;
  const chunks: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const algorithm = readBe(cell, 2 + 7 * i, 1);
    const storedBytes = readBe(cell, 3 + 7 * i, 3);
    const stored = cell.slice(at, at + storedBytes);
    chunks.push(algorithm === 0 ? stored : new Uint8Array(zstdDecompressSync(stored)));
    at += storedBytes;
  }
  return chunks;
}

export function chunkId(keys: Keys, kind: number, plain: Uint8Array): Uint8Array {
  return hmac(sha256, keys('bb1/chunk/id'), join(be(kind, 1), plain)).slice(0, 16);
}

export function gear(keys: Keys): number[] {
  const bytes = subKey(keys('bb1/cdc'), 'bb1/gear', 1024);
  return Array.from({ length: 256 }, (_, i) => readBe(bytes, 4 * i, 4));
}

/** Ends of the chunks of a stream. */
export function cuts(stream: Uint8Array, table: readonly number[], min: number, avg: number, max: number): number[] {
  const bits = Math.log2(avg);
  const ends: number[] = [];
  for (let start = 0; start < stream.length; start = ends.at(-1) as number) {
    const limit = Math.min(max, stream.length - start);
    let length = Math.min(min, limit);
    let hash = 0;
    while (length < limit) {
      hash = (2 * hash + (table[stream[start + length] as number] as number)) % 2 ** 32;
      length++;
      if (hash < 2 ** (32 - (length <= avg ? bits + 2 : bits - 2))) break;
    }
    ends.push(start + length);
  }
  return ends;
}

export function leaf(bytes: Uint8Array): Uint8Array {
  return sha256(join(be(0, 1), bytes));
}

/** RFC 6962 root of leaf hashes. */
export function root(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256(new Uint8Array());
  if (leaves.length === 1) return leaves[0] as Uint8Array;
  let left = 1;
  while (2 * left < leaves.length) left *= 2;
  return sha256(join(be(1, 1), root(leaves.slice(0, left)), root(leaves.slice(left))));
}
