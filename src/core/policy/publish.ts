// Whether a peer is to be told of our newest revision, and when (docs/protocol.md, "SetContentRevision").
// Invariant: an unfinished pull that progresses is not replaced by a newer offer, or a slow peer that
// meets a busy owner would never finish one. No storer is offered more than it takes in a day: what it refuses for that
// would leave it with an old revision for hours.

import { STATE_EFFECTS } from '../contract/effects.ts';
import type { ContractState } from '../contract/state.ts';
import type { NodeMode, ReplicaRecord } from '../records.ts';
import { REVISIONS_PER_DAY } from '../limits.ts';
import { backOffMs } from './back-off.ts';
import type { Periods } from './periods.ts';

export type PublishFacts = {
  readonly mode: NodeMode;
  readonly state: ContractState;
  readonly replica: Pick<ReplicaRecord, 'offered' | 'acknowledged'>;
  /** Newest revision and since when it is committed; negative after the clock was set back; undefined while there is none. */
  readonly newest: { readonly contentId: Buffer; readonly ageMs: number } | undefined;
  /** Since the last cell of the offered revision was served; undefined if none was. */
  readonly idleMs: number | undefined;
  /** Since the last offer of the newest revision, and how many were made; undefined before the first. */
  readonly lastOfferMs: number | undefined;
  readonly offers: number;
  /** Revisions that the peer was offered in the last `revisionsWindow`, and since when the last of them; undefined if none. */
  readonly recentRevisions: number;
  readonly lastRevisionMs: number | undefined;
  readonly isReachable: boolean;
  /** Open uploads to other peers. */
  readonly otherUploads: number;
  readonly maxUploads: number;
};

export type PublishDecision =
  | { readonly kind: 'offer' }
  | { readonly kind: 'wait'; readonly delayMs: number }
  /** Nothing to do before something changes: a new revision, a contact, another state. */
  | { readonly kind: 'rest' };

/** So many revisions come as they are made; more are spread over the day. Both together are what a storer takes. */
const REVISIONS_AT_ONCE = REVISIONS_PER_DAY / 2;

const REST: PublishDecision = { kind: 'rest' };

export function decidePublish(facts: PublishFacts, periods: Periods): PublishDecision {
  const { newest, replica, idleMs } = facts;
  if (facts.mode !== 'normal' || newest === undefined || !STATE_EFFECTS[facts.state].publish) return REST;
  if (replica.acknowledged.equals(newest.contentId) || !facts.isReachable) return REST;
  // What is from the future by a clock that was set back may be any age: it is not waited for until that time comes.
  if (newest.ageMs >= 0 && newest.ageMs < periods.publishDebounce) return wait(periods.publishDebounce - newest.ageMs);
  const isUnfinished = replica.offered.length > 0 && !replica.offered.equals(replica.acknowledged);
  const isNewestOffered = replica.offered.equals(newest.contentId);
  if (isUnfinished && !isNewestOffered && idleMs !== undefined && idleMs < periods.pullProgress) {
    return wait(periods.pullProgress - idleMs);
  }
  if (isNewestOffered && facts.lastOfferMs !== undefined) {
    const retryMs = backOffMs(facts.offers - 1, periods.publishRetry, periods.publishRetryMax);
    if (facts.lastOfferMs < retryMs) return wait(retryMs - facts.lastOfferMs);
  }
  const pauseMs = isNewestOffered ? 0 : pauseAfterRevision(facts, periods);
  if (pauseMs > 0) return wait(pauseMs);
  // A peer that pulls already keeps its place; only a new upload needs a free one.
  if (!isNewestOffered && facts.otherUploads >= facts.maxUploads) return wait(periods.publishRetry);
  return { kind: 'offer' };
}

/** Whatever the moment: no window of a day has more than REVISIONS_PER_DAY offers. */
function pauseAfterRevision({ recentRevisions, lastRevisionMs }: PublishFacts, { revisionsWindow }: Periods): number {
  if (recentRevisions < REVISIONS_AT_ONCE || lastRevisionMs === undefined) return 0;
  return revisionsWindow / (REVISIONS_PER_DAY - REVISIONS_AT_ONCE) - lastRevisionMs;
}

function wait(delayMs: number): PublishDecision {
  return { kind: 'wait', delayMs };
}
