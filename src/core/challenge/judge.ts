// What an answer to a challenge means (docs/protocol.md, "Spot checks"). Invariant: only a mac that is
// wrong fails a check; silence and refusals cost reachability, never integrity.

import { equalBytes } from '../crypto/compare.ts';
import type { RefusalName } from '../refusal.ts';
import type { ChallengeOutcome } from './question.ts';

export type ChallengeAnswer =
  | { readonly kind: 'mac'; readonly mac: Buffer }
  | { readonly kind: 'refused'; readonly refusal: RefusalName }
  /** Deadline, cut or transport error; `reachable` = an authenticated session was up meanwhile. */
  | { readonly kind: 'silent'; readonly reachable: boolean };

/** The outcome of a challenge whose right answer is `expectedMac` (32 bytes). */
export function judgeAnswer(expectedMac: Buffer, answer: ChallengeAnswer): ChallengeOutcome {
  switch (answer.kind) {
    case 'mac':
      return equalBytes(answer.mac, expectedMac) ? 'held' : 'wrong';
    case 'refused':
      return 'late';
    case 'silent':
      return answer.reachable ? 'late' : 'unreachable';
  }
}

/** True if a refusal only says that the asked revision has been superseded: the check is repeated on the current one. */
export function shouldAskCurrent(answer: ChallengeAnswer, askedId: Buffer, currentId: Buffer): boolean {
  return answer.kind === 'refused' && answer.refusal === 'UNKNOWN_CONTENT' && !askedId.equals(currentId);
}
