// The tree root by which a storer without keys verifies a blob (RFC 6962, 2.1: leaf = SHA-256(0x00 || bytes),
// node = SHA-256(0x01 || left || right), the left part a power of two).

import { sha256 } from '../crypto/hash.ts';
import { invariant } from '../errors.ts';

export const HASH_BYTES = 32;
const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

/** Leaf of a sealed cell, or of any other bytes. */
export function leafHash(bytes: Uint8Array): Buffer {
  return sha256(LEAF, bytes);
}

/** Feeds leaves one by one in logarithmic memory. */
export class MerkleRoot {
  /** Roots of complete subtrees, with how many leaves each has: falling powers of two. */
  readonly #subtrees: { readonly leaves: number; readonly hash: Uint8Array }[] = [];

  push(leaf: Uint8Array): void {
    invariant(leaf.length === HASH_BYTES, 'a leaf has 32 bytes');
    let tree = { leaves: 1, hash: leaf };
    for (let left = this.#subtrees.at(-1); left?.leaves === tree.leaves; left = this.#subtrees.at(-1)) {
      this.#subtrees.pop();
      tree = { leaves: 2 * tree.leaves, hash: nodeHash(left.hash, tree.hash) };
    }
    this.#subtrees.push(tree);
  }

  /** Root of the leaves so far, 32 bytes; SHA-256 of nothing without leaves. */
  root(): Buffer {
    const last = this.#subtrees.at(-1);
    if (last === undefined) return sha256();
    const rest = this.#subtrees.slice(0, -1);
    return Buffer.from(rest.reduceRight((right, left) => nodeHash(left.hash, right), last.hash));
  }
}

/** Root over packed leaves (32 bytes each). */
export function rootOfLeaves(packed: Uint8Array): Buffer {
  invariant(packed.length % HASH_BYTES === 0, 'packed leaves have 32 bytes each');
  const tree = new MerkleRoot();
  for (let at = 0; at < packed.length; at += HASH_BYTES) tree.push(Buffer.from(packed.subarray(at, at + HASH_BYTES)));
  return tree.root();
}

/** Metadata's content root: the tree over leafHash(cell_id) of index cells, then data cells; ids packed 32 bytes each. */
export function contentRoot(packedCellIds: Uint8Array): Buffer {
  const tree = new MerkleRoot();
  for (let at = 0; at < packedCellIds.length; at += HASH_BYTES) {
    tree.push(leafHash(packedCellIds.subarray(at, at + HASH_BYTES)));
  }
  return tree.root();
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256(NODE, left, right);
}
