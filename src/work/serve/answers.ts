// What a storer and an owner compute about a challenge: the mac an owner expects, and the mac of what we hold
// (docs/protocol.md, "Spot checks"). Reads are fed to the mac one by one, so memory does not grow.

import { startChallengeMac } from '../../core/crypto/challenge-mac.ts';
import { blocksRead, challengeReads } from '../../core/challenge/reads.ts';
import type { CellRead } from '../../core/challenge/reads.ts';
import type { ChallengeQuestion } from '../../core/challenge/question.ts';
import { BbError } from '../../core/errors.ts';
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

/** The answer about a list that we hold; cells that cannot be read count as zeros. */
export async function proveMac(
  held: { readonly catalog: CatalogReader; readonly store: CellReader; readonly list: number },
  question: ChallengeQuestion,
  { challenger, responder }: ChallengeParties,
  blobCells: number,
): Promise<{ readonly mac: Buffer; readonly blocksRead: number }> {
  const mac = startChallengeMac(question, challenger, responder, blobCells);
  for (const read of challengeReads(question, blobCells)) mac.update(await heldBytes(held, read));
  return { mac: mac.digest(), blocksRead: blocksRead(question) };
}

async function heldBytes(
  held: { readonly catalog: CatalogReader; readonly store: CellReader; readonly list: number },
  { cell, offsetBytes, lengthBytes }: CellRead,
): Promise<Buffer> {
  const [position] = held.catalog.heldPositions(held.list, cell, 1);
  if (position === undefined) return Buffer.alloc(lengthBytes);
  try {
    return await held.store.readRange(position, offsetBytes, lengthBytes);
  } catch (error) {
    if (error instanceof BbError && error.code === 'INTEGRITY') return Buffer.alloc(lengthBytes);
    throw error;
  }
}
