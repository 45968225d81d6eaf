// When a restore may start: a few stale storers must not pass an old revision off as the newest
// (docs/protocol.md, "Freshness"). One honest fresh holder defeats any number of stale ones.

import { FRESH_HOLDERS, FRESH_PERCENT } from '../limits.ts';
import type { Periods } from '../policy/periods.ts';

export type FreshnessFacts = {
  /** Holders that count: listed in the newest head, and proved by one random INDEX cell under their own key. */
  readonly holders: number;
  /** Peers with a contract in the newest head opened so far. */
  readonly listedContractPeers: number;
  /** Since the first holder answered; undefined before. */
  readonly sinceFirstAnswerMs: number | undefined;
  readonly hasUsersWord: boolean;
};

export type Freshness =
  | { readonly isFresh: true; readonly why: 'HOLDERS' | 'LISTED' | 'WAITED' | 'USER' }
  /** `missing` more holders start it at once, `waitMs` at the latest (undefined before a first answer). */
  | { readonly isFresh: false; readonly missing: number; readonly waitMs: number | undefined };

export function judgeFreshness(facts: FreshnessFacts, periods: Periods): Freshness {
  const { holders, listedContractPeers, sinceFirstAnswerMs } = facts;
  const listed = Math.ceil((listedContractPeers * FRESH_PERCENT) / 100);
  if (holders >= FRESH_HOLDERS) return { isFresh: true, why: 'HOLDERS' };
  if (holders > 0 && listed > 0 && holders >= listed) return { isFresh: true, why: 'LISTED' };
  if (sinceFirstAnswerMs === undefined) {
    return { isFresh: false, missing: Math.max(1, Math.min(FRESH_HOLDERS, listed)), waitMs: undefined };
  }
  if (facts.hasUsersWord) return { isFresh: true, why: 'USER' };
  if (sinceFirstAnswerMs >= periods.freshnessWait) return { isFresh: true, why: 'WAITED' };
  const wanted = listed > 0 ? Math.min(FRESH_HOLDERS, listed) : FRESH_HOLDERS;
  return { isFresh: false, missing: wanted - holders, waitMs: periods.freshnessWait - sinceFirstAnswerMs };
}
