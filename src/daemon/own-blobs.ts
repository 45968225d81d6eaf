// How long our own blobs are and what tree root they have as sealed for each peer. A pull asks for a blob in
// hundreds of ranges, and each answer begins with both: hashing a large blob anew each time would stop everything else.
// Invariant: never more than OWN_BLOBS entries; what was known once stays true, because sealing is deterministic.

import { blobCellCount } from '../core/challenge/plan.ts';
import { HASH_BYTES, MerkleRoot } from '../core/content/merkle.ts';
import type { OnionId } from '../core/ids.ts';
import { LEAVES_PER_READ, OWN_BLOBS } from '../core/limits.ts';
import type { Session } from './session.ts';

export type OwnBlob = { readonly cells: number; readonly root: Buffer };

export class OwnBlobs {
  readonly #known = new Map<string, Promise<OwnBlob | undefined>>();

  /** Computes it unless it is known or being computed; forgets what was asked for longest ago. Undefined is not kept. */
  async get(name: string, compute: () => Promise<OwnBlob | undefined>): Promise<OwnBlob | undefined> {
    const blob = this.#known.get(name) ?? compute();
    this.#known.delete(name);
    this.#known.set(name, blob);
    const [oldest] = this.#known.keys();
    if (this.#known.size > OWN_BLOBS && oldest !== undefined) this.#known.delete(oldest);
    try {
      const found = await blob;
      if (found === undefined) this.#forget(name, blob);
      return found;
    } catch (error) {
      this.#forget(name, blob);
      throw error;
    }
  }

  #forget(name: string, blob: Promise<OwnBlob | undefined>): void {
    if (this.#known.get(name) === blob) this.#known.delete(name);
  }
}

/** A revision of ours as sealed for this peer; undefined while it is unknown here or not all of its leaves are known. */
export function ownBlob(session: Session, peer: OnionId, contentId: Buffer): Promise<OwnBlob | undefined> {
  return session.ownBlobs.get(`${peer} ${contentId.toString('base64')}`, () => computeBlob(session, peer, contentId));
}

async function computeBlob(session: Session, peer: OnionId, contentId: Buffer): Promise<OwnBlob | undefined> {
  const { catalog } = session.deps;
  const row = await catalog.revision(contentId);
  if (row === undefined) return undefined;
  const cells = blobCellCount(row);
  const tree = new MerkleRoot();
  for (let from = 0; from < cells; from += LEAVES_PER_READ) {
    const leaves = await catalog.peerLeaves(peer, contentId, from, Math.min(LEAVES_PER_READ, cells - from));
    if (leaves === undefined) return undefined;
    for (let at = 0; at < leaves.length; at += HASH_BYTES) tree.push(leaves.subarray(at, at + HASH_BYTES));
  }
  return { cells, root: tree.root() };
}
