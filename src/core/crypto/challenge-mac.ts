// The mac that proves possession: HMAC-SHA256 under the nonce over the preamble and the bytes of
// `challengeReads`, fed as they are read so that memory does not grow (docs/protocol.md, "Spot checks").

import { createHmac } from 'node:crypto';
import { challengePreamble } from '../challenge/preamble.ts';
import type { ChallengeQuestion } from '../challenge/question.ts';

export type ChallengeMac = {
  /** Sealed bytes of the next read of `challengeReads`, in order. */
  update(bytes: Uint8Array): void;
  /** 32 bytes; once. */
  digest(): Buffer;
};

/** `challenger` and `responder` are 32-byte onion keys: the owner asks, the storer answers. */
export function startChallengeMac(
  question: ChallengeQuestion,
  challenger: Uint8Array,
  responder: Uint8Array,
  blobCells: number,
): ChallengeMac {
  const mac = createHmac('sha256', question.nonce);
  mac.update(challengePreamble(question, challenger, responder, blobCells));
  return {
    update: (bytes) => void mac.update(bytes),
    digest: () => mac.digest(),
  };
}
