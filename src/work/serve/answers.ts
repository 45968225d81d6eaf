// What a storer and an owner compute about a challenge: the mac an owner expects, and the mac of what we hold
// (docs/protocol.md, "Spot checks"). Reads are fed to the mac one by one, so memory does not grow.

import { startChallengeMac } from '../../core/crypto/challenge-mac.ts';
import { blocksRead, challengeReads } from '../../core/challenge/reads.ts';
import type { CellRead } from '../../core/challenge/reads.ts';
import type { ChallengeQuestion } from '../../core/challenge/question.ts';
import { leafHash } from '../../core/content/merkle.ts';
import { BbError } from '../../core/errors.ts';
import { CELL_BYTES } from '../../core/limits.ts';
import { isSamePlace } from '../../core/policy/packs.ts';
import type { CellPosition } from '../../ports/cell-store.ts';
import type { CatalogReader } from '../../storage/catalog/catalog-reader.ts';
import type { CellReader } from '../../storage/packs/pack-cell-reader.ts';
import type { OwnBlob } from './own-blob.ts';

/** The two 32-byte onion keys of a challenge. */
export type ChallengeParties = { readonly challenger: Buffer; readonly responder: Buffer };

/** Every own cell is verified before its bytes count; a damaged one is named and counts as zeros. */
export async function expectedMac(
  blob: OwnBlob,
  question: ChallengeQuestion,
  { challenger, responder }: ChallengeParties,
  blobCells: number,
): Promise<{ readonly mac: Buffer; readonly damaged: readonly number[] }> {
  const mac = startChallengeMac(question, challenger, responder, blobCells);
  const damaged = new Set<number>();
  for (const { cell, offsetBytes, lengthBytes } of challengeReads(question, blobCells)) {
    const own = await blob.open(cell);
    if (own === undefined) damaged.add(cell);
    mac.update(
      own === undefined ? Buffer.alloc(lengthBytes) : blob.sealedPart(own, responder, offsetBytes, lengthBytes),
    );
  }
  return { mac: mac.digest(), damaged: [...damaged].sort((a, b) => a - b) };
}

export type HeldList = { readonly catalog: CatalogReader; readonly store: CellReader; readonly list: number };

/**
 * The answer about a list that we hold; cells that cannot be read, and whole ones that are wrong, are named and count as
 * zeros. A sampled block is not checked: that would take a read of the whole cell.
 */
export async function proveMac(
  held: HeldList,
  question: ChallengeQuestion,
  { challenger, responder }: ChallengeParties,
  blobCells: number,
): Promise<{ readonly mac: Buffer; readonly blocksRead: number; readonly damaged: readonly number[] }> {
  const mac = startChallengeMac(question, challenger, responder, blobCells);
  const damaged = new Set<number>();
  for (const read of challengeReads(question, blobCells)) {
    const bytes = await heldBytes(held, read);
    if (bytes === undefined) damaged.add(read.cell);
    mac.update(bytes ?? Buffer.alloc(read.lengthBytes));
  }
  return { mac: mac.digest(), blocksRead: blocksRead(question), damaged: [...damaged].sort((a, b) => a - b) };
}

async function heldBytes(held: HeldList, { cell, offsetBytes, lengthBytes }: CellRead): Promise<Buffer | undefined> {
  if (lengthBytes === CELL_BYTES) return heldCell(held, cell);
  return atItsPlace(held, cell, (position) => held.store.readRange(position, offsetBytes, lengthBytes));
}

/** A cell of the list as its owner sealed it; undefined when it is not here, cannot be read, or is another. */
export async function heldCell(held: HeldList, cell: number): Promise<Buffer | undefined> {
  const { catalog, store, list } = held;
  return atItsPlace(held, cell, async (position) => {
    const bytes = await store.read(position);
    return leafHash(bytes).equals(catalog.heldLeaves(list, cell, 1)) ? bytes : undefined;
  });
}

/** Looked for again when the cell moved while it was read: its old pack may be gone, and that is no damage. */
async function atItsPlace(
  { catalog, list }: HeldList,
  cell: number,
  read: (position: CellPosition) => Promise<Buffer | undefined>,
): Promise<Buffer | undefined> {
  for (let [position] = catalog.heldPositions(list, cell, 1); position !== undefined; ) {
    const from = position;
    const bytes = await unlessDamaged(() => read(from));
    [position] = catalog.heldPositions(list, cell, 1);
    if (bytes !== undefined || position === undefined || isSamePlace(position, from)) return bytes;
  }
  return undefined;
}

/** Undefined in place of INTEGRITY. */
export async function unlessDamaged(read: () => Promise<Buffer | undefined>): Promise<Buffer | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof BbError && error.code === 'INTEGRITY') return undefined;
    throw error;
  }
}
