// When a restore may start: a few stale storers must not pass an old revision off as the newest
// (docs/protocol.md, "Freshness"). One honest fresh holder defeats any number of stale ones. Whoever counted as no copy
// when the head was sealed is not waited for: it was gone or had failed, and its silence says nothing. The four fifths
// are of the others alone, so that peers that had failed cannot stand in for those that had not.

import { STATE_EFFECTS } from '../contract/effects.ts';
import type { ContractState } from '../contract/state.ts';
import { FRESH_HOLDERS, FRESH_PERCENT } from '../limits.ts';
import type { Periods } from '../policy/periods.ts';

/** A peer with a contract in the newest head opened so far. */
export type ListedPeer = {
  /** When that head was sealed. */
  readonly state: ContractState;
  /** It holds a revision of ours, and proved that by one random INDEX cell under its own key. */
  readonly isProved: boolean;
};

export type FreshnessFacts = {
  readonly listed: readonly ListedPeer[];
  /** Somebody has a newer revision, whose head could not be fetched so far. */
  readonly isNewerKnown: boolean;
  /** Since the first holder answered; undefined before. */
  readonly sinceFirstAnswerMs: number | undefined;
  readonly hasUsersWord: boolean;
};

export type Freshness =
  | { readonly isFresh: true; readonly why: 'HOLDERS' | 'LISTED' | 'WAITED' | 'USER' }
  /** `missing` more holders start it at once, `waitMs` at the latest (undefined before a first answer). */
  | { readonly isFresh: false; readonly missing: number; readonly waitMs: number | undefined };

export function judgeFreshness(facts: FreshnessFacts, periods: Periods): Freshness {
  const { listed, isNewerKnown, sinceFirstAnswerMs } = facts;
  const missingHolders = FRESH_HOLDERS - listed.filter(({ isProved }) => isProved).length;
  if (missingHolders <= 0 && !isNewerKnown) return { isFresh: true, why: 'HOLDERS' };
  const copies = listed.filter(({ state }) => STATE_EFFECTS[state].countsAsCopy);
  const missingCopies =
    Math.ceil((copies.length * FRESH_PERCENT) / 100) - copies.filter(({ isProved }) => isProved).length;
  if (copies.length > 0 && missingCopies <= 0 && !isNewerKnown) return { isFresh: true, why: 'LISTED' };
  const missing = Math.max(1, copies.length > 0 ? Math.min(missingHolders, missingCopies) : missingHolders);
  if (sinceFirstAnswerMs === undefined) return { isFresh: false, missing, waitMs: undefined };
  if (facts.hasUsersWord) return { isFresh: true, why: 'USER' };
  if (sinceFirstAnswerMs >= periods.freshnessWait) return { isFresh: true, why: 'WAITED' };
  return { isFresh: false, missing, waitMs: periods.freshnessWait - sinceFirstAnswerMs };
}
