// Terms as one of the two sides sees them, and whether a signed pair is complete.

import { ed25519Verify } from '../crypto/ed25519.ts';
import { termsMessage } from './terms.ts';
import type { Terms } from './terms.ts';

export type OwnSide = {
  readonly proposedByUs: boolean;
  /** Onion key of the other side. */
  readonly other: Buffer;
  /** What we store for the other side, and what it stores for us. */
  readonly giveBytes: number;
  readonly getBytes: number;
};

/** Undefined if `self` (32-byte onion key) is neither side. */
export function ownSide(terms: Terms, self: Uint8Array): OwnSide | undefined {
  if (terms.proposer.equals(self)) {
    return {
      proposedByUs: true,
      other: terms.acceptor,
      giveBytes: terms.bytesAcceptor,
      getBytes: terms.bytesProposer,
    };
  }
  if (terms.acceptor.equals(self)) {
    return {
      proposedByUs: false,
      other: terms.proposer,
      giveBytes: terms.bytesProposer,
      getBytes: terms.bytesAcceptor,
    };
  }
  return undefined;
}

/** True if `signature` of `terms` (canonical `bytes`) is that of the proposer or of the acceptor. */
export function isTermsSignature(
  bytes: Uint8Array,
  terms: Terms,
  by: 'proposer' | 'acceptor',
  signature: Uint8Array,
): boolean {
  return ed25519Verify(terms[by], termsMessage(bytes), signature);
}

/** When proposals of the two sides cross, the one of the smaller key stands. True if it is that of `self`. */
export function doesOwnProposalStand(self: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(self, other) < 0;
}
