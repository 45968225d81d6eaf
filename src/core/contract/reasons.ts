// Why a contract is DEGRADED: what the other side does not do just now (docs/protocol.md, "Contract
// lifecycle"). All times are spans in which this node was up and connected; "never" is undefined.

import type { ChallengeOutcome } from '../challenge/question.ts';
import type { Periods } from '../policy/periods.ts';

export type DegradedReason = 'UNREACHABLE' | 'WRONG_PROOF' | 'CHECK_OVERDUE' | 'COPY_STALE';

export type PeerFacts = {
  /** Since an authenticated session was last up. */
  readonly unreachableMs: number;
  /** Outcome of the last judged check: held or wrong. */
  readonly lastJudged: ChallengeOutcome | undefined;
  /** Since the later of the last `held` and the first acknowledgement; undefined before an acknowledgement. */
  readonly unprovedMs: number | undefined;
  readonly checkPeriodMs: number;
  /** Since the offer that is not acknowledged yet; undefined if none is open. */
  readonly offerOpenMs: number | undefined;
  readonly hasAcknowledged: boolean;
  /** Cells of the open offer that were missing a day ago, and how many of them were fetched since. */
  readonly missingCells: number;
  readonly fetchedCells: number;
  /** The peer may rightly not take it: QUOTA with a full allowance by our own count, or it reports GRACE or worse. */
  readonly excused: boolean;
};

/** Reasons that hold, worst last; empty = the contract is or becomes ACTIVE. */
export function degradedReasons(facts: PeerFacts, periods: Periods): DegradedReason[] {
  const reasons: DegradedReason[] = [];
  if (facts.unreachableMs > periods.degradedAfterUnreachable) reasons.push('UNREACHABLE');
  if (isStale(facts, periods)) reasons.push('COPY_STALE');
  if (facts.unprovedMs !== undefined && facts.unprovedMs > 2 * facts.checkPeriodMs) reasons.push('CHECK_OVERDUE');
  if (facts.lastJudged === 'wrong') reasons.push('WRONG_PROOF');
  return reasons;
}

function isStale(facts: PeerFacts, periods: Periods): boolean {
  if (facts.offerOpenMs === undefined || facts.excused) return false;
  const patienceMs = facts.hasAcknowledged ? periods.uploadStall : periods.firstUploadStall;
  const progressCells = Math.max(1, facts.missingCells / 100);
  return facts.offerOpenMs > patienceMs && facts.fetchedCells < progressCells;
}

/** One sentence for status and `bb contracts show`. */
export const DEGRADED_WORDS: { readonly [reason in DegradedReason]: string } = {
  UNREACHABLE: 'the peer has not been reachable for a day',
  WRONG_PROOF: 'its last check was wrong',
  CHECK_OVERDUE: 'it has not proved its copy for two check periods',
  COPY_STALE: 'it does not fetch the newest revision',
};
