// When the next spot check of a replica is due (docs/protocol.md, "Spot checks"): at once when a storer
// reports a new revision and after each start, then at a moment of every window that the storer cannot foresee, and
// sooner where something is wrong.

import type { CheckKind } from '../challenge/plan.ts';
import type { ChallengeOutcome } from '../challenge/question.ts';
import type { CopyFacts } from '../contract/copy.ts';
import { STATE_EFFECTS } from '../contract/effects.ts';
import type { ContractState } from '../contract/state.ts';
import { backOffMs } from './back-off.ts';
import type { Periods } from './periods.ts';

export type CheckFacts = CopyFacts & {
  readonly acknowledged: Buffer;
  readonly lastChecked: Buffer;
  readonly lastOutcome: ChallengeOutcome | undefined;
  readonly nowMs: number;
  /** Wall clock of the last check, 0 if none. */
  readonly lastCheckMs: number;
  /** Wall clock from which the next window is counted: the last judged check that swept, 0 if none. */
  readonly lastSweepMs: number;
  /** Checks in a row that were late or unreachable. */
  readonly failures: number;
};

export type CheckDue = { readonly atMs: number; readonly kind: CheckKind['kind'] };

/**
 * Wall-clock time and kind of the next check; undefined where nothing is to be checked. `fraction` in [0, 1) is drawn
 * once per check and kept until it is done. A check of an offline peer waits for the next contact (the caller). A time in
 * the future comes from a wall clock that was wrong, and counts as never.
 */
export function nextCheck(facts: CheckFacts, periods: Periods, fraction: number): CheckDue | undefined {
  const row = STATE_EFFECTS[facts.state].checkSpacing;
  if (row === undefined || facts.acknowledged.length === 0) return undefined;
  const isFirst = !facts.lastChecked.equals(facts.acknowledged);
  const isNow = isFirst || isCarried(facts);
  const kind = kindOf(facts.state, isNow);
  if (facts.lastOutcome === 'late' || facts.lastOutcome === 'unreachable') {
    const longestMs = kind === 'cure' ? periods.checkSpacing : Math.min(periods.challengeRefill, periods[row]);
    const retryMs = backOffMs(facts.failures - 1, periods.contractRetry, longestMs);
    return { atMs: unlessFuture(facts.lastCheckMs, facts.nowMs) + retryMs, kind };
  }
  if (isNow) return { atMs: 0, kind };
  // Who wants to be cured need not wait; who has just been wrong has nothing new to say within the hour.
  const spacingMs = kind === 'cure' && facts.lastOutcome === 'wrong' ? periods.checkSpacing : periods[row];
  // Checks of new revisions do not count here: however often a content changes, it is swept.
  const sweptMs = facts.lastSweepMs === 0 ? facts.lastCheckMs : facts.lastSweepMs;
  const nextWindow = Math.floor(unlessFuture(sweptMs, facts.nowMs) / spacingMs) + 1;
  return { atMs: Math.floor((nextWindow + fraction) * spacingMs), kind };
}

/** A proof that an earlier run was given. It takes nothing from the daily check, so it is asked for as a first one is. */
function isCarried({ state, proved, sinceStart }: CheckFacts): boolean {
  return STATE_EFFECTS[state].countsAsCopy && proved.length > 0 && !sinceStart;
}

function kindOf(state: ContractState, isFirst: boolean): CheckKind['kind'] {
  if (state === 'GRACE' || state === 'EXPIRED') return 'cure';
  return isFirst ? 'first' : 'daily';
}

function unlessFuture(atMs: number, nowMs: number): number {
  return atMs > nowMs ? 0 : atMs;
}
