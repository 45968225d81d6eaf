// When a recovering node may publish again (docs/protocol.md, "Lineage guard"): everything is back, and no
// listed contract peer can surprise it with a newer revision, or waiting longer would serve nobody.

import type { Periods } from '../policy/periods.ts';

export type CompletionFacts = {
  /** The revision being restored is committed here. */
  readonly isRestored: boolean;
  readonly missingFiles: number;
  /** Peers with an ACTIVE contract in the newest head, and those that have answered since the recovery began. */
  readonly listedPeers: number;
  readonly answeredPeers: number;
  /** Since the first holder answered. */
  readonly sinceFirstAnswerMs: number;
  /** `--accept-seq N` named the sequence that is being restored. */
  readonly isSequenceAccepted: boolean;
  /** `init complete` by the user, and with `--accept-loss`. */
  readonly isAsked: boolean;
  readonly isLossAccepted: boolean;
};

export type Completion =
  | { readonly kind: 'complete' }
  | { readonly kind: 'wait'; readonly forWhat: 'RESTORE' | 'MISSING_FILES' | 'PEERS' };

export function judgeCompletion(facts: CompletionFacts, periods: Periods): Completion {
  if (!facts.isRestored && !facts.isLossAccepted) return { kind: 'wait', forWhat: 'RESTORE' };
  const peersAnswered = facts.answeredPeers >= facts.listedPeers;
  const hasWaited = facts.sinceFirstAnswerMs >= periods.publishBlockWait;
  if (!peersAnswered && !hasWaited && !facts.isSequenceAccepted) return { kind: 'wait', forWhat: 'PEERS' };
  // By itself only when nothing is missing; a person may go on without what nobody has.
  if (facts.missingFiles > 0 && !facts.isAsked && !facts.isLossAccepted) {
    return { kind: 'wait', forWhat: 'MISSING_FILES' };
  }
  return { kind: 'complete' };
}
