// Whether a proposal is accepted without a person: from whom the user's policy says, at most 2:1, no amount that holds
// nothing, nothing that gives us less than before, and only what the budget can keep (docs/protocol.md, "Terms" and
// "Allocation"). The answer carries a stable word for the peer and a sentence for our own user.

import {
  STORAGE_RESERVE_PERMILLE,
  STRANGERS_PERMILLE,
  STRANGER_BYTES,
  TERMS_MIN_BYTES,
  TERMS_RATIO,
} from '../limits.ts';
import type { Approval } from '../records.ts';
import { STRANGER_GRACE_SECONDS } from './default-terms.ts';
import { ownSide } from './sides.ts';
import type { Terms } from './terms.ts';

export type ProposalWord =
  | 'ACCEPTED'
  | 'NOT_FOR_US'
  | 'OLD_VERSION'
  | 'TOO_SMALL'
  | 'OVER_BUDGET'
  | 'STRANGER_LIMIT'
  | 'NOT_ADDED'
  | 'BY_HAND'
  | 'LESS_FOR_YOU'
  | 'LONG_GRACE'
  | 'FAILED_BEFORE'
  | 'UNEQUAL';

export type ProposalDecision = {
  readonly answer: 'ACCEPTED' | 'PENDING' | 'REJECTED';
  readonly word: ProposalWord;
  readonly reason: string;
};

export type ProposalFacts = {
  /** Onion keys: the caller, and ours. */
  readonly caller: Buffer;
  readonly self: Buffer;
  /** Version of the last terms signed with this peer, RELEASED ones included; 0 if none. */
  readonly lastVersion: number;
  /** The user typed, pinned or approved the peer. */
  readonly added: boolean;
  readonly approval: Approval;
  /** Its last contract with us ended because it did not keep its side. */
  readonly hasFailed: boolean;
  /** The terms that stand; undefined without any. */
  readonly standing: Terms | undefined;
  readonly limitBytes: number;
  /** What the user allows this peer; 0 = no limit of its own. */
  readonly peerLimitBytes: number;
  /** Promised to all other peers; to strangers among them. */
  readonly promisedBytes: number;
  readonly promisedToStrangersBytes: number;
};

/** Bytes that may still be promised under a storage limit: the limit less the reserve less the promises. */
export function acceptableBytes(limitBytes: number, promisedBytes: number): number {
  const usable = Math.floor((limitBytes / 1000) * (1000 - STORAGE_RESERVE_PERMILLE));
  return Math.max(0, usable - promisedBytes);
}

export function decideProposal(terms: Terms, facts: ProposalFacts): ProposalDecision {
  const side = ownSide(terms, facts.self);
  if (side === undefined || side.proposedByUs || !side.other.equals(facts.caller)) {
    return rejected('NOT_FOR_US', 'The proposal is not between this peer and us.');
  }
  if (terms.version <= facts.lastVersion) {
    return rejected('OLD_VERSION', 'Newer terms have been signed with this peer already.');
  }
  if (isTooSmall(side.giveBytes) || isTooSmall(side.getBytes)) {
    return rejected('TOO_SMALL', 'It is about too few bytes to hold anything.');
  }
  const overOwnLimit = facts.peerLimitBytes > 0 && side.giveBytes > facts.peerLimitBytes;
  if (overOwnLimit || side.giveBytes > acceptableBytes(facts.limitBytes, facts.promisedBytes)) {
    return rejected('OVER_BUDGET', 'It asks for more than the storage budget has left.');
  }
  if (!facts.added) {
    const strangers = Math.floor((facts.limitBytes / 1000) * STRANGERS_PERMILLE);
    if (side.giveBytes > STRANGER_BYTES || side.giveBytes + facts.promisedToStrangersBytes > strangers) {
      return rejected('STRANGER_LIMIT', 'It asks for more than a peer you have not added may have.');
    }
    if (facts.approval !== 'everyone') return pending('NOT_ADDED', 'You have not added this peer.');
    if (terms.graceInitialSeconds > STRANGER_GRACE_SECONDS) {
      return pending('LONG_GRACE', 'It asks for more time than a peer you have not added gets.');
    }
  }
  if (facts.hasFailed) return pending('FAILED_BEFORE', 'It did not keep its side of the last contract with you.');
  if (facts.approval === 'nobody') return pending('BY_HAND', 'You decide about every proposal yourself.');
  if (facts.standing !== undefined && isLess(terms, facts.standing, facts.self)) {
    return pending('LESS_FOR_YOU', 'It would give you less, or for a shorter time, than the terms that stand.');
  }
  if (isUnequal(side.giveBytes, side.getBytes)) {
    return pending('UNEQUAL', `One side would give more than ${TERMS_RATIO} times what it gets; that needs your word.`);
  }
  return { answer: 'ACCEPTED', word: 'ACCEPTED', reason: 'Allowed by your policy, within the storage budget.' };
}

/** Of one direction of terms: too little for any content. 0 says that nothing is stored in this direction. */
export function isTooSmall(bytes: number): boolean {
  return bytes > 0 && bytes < TERMS_MIN_BYTES;
}

/** Both sides have the same times, so what is shorter for the peer is shorter for us, too. */
function isLess(terms: Terms, standing: Terms, self: Uint8Array): boolean {
  const getBytes = ownSide(terms, self)?.getBytes ?? 0;
  return (
    getBytes < (ownSide(standing, self)?.getBytes ?? 0) ||
    terms.holdSeconds < standing.holdSeconds ||
    terms.noticeSeconds < standing.noticeSeconds ||
    terms.graceRatePermille < standing.graceRatePermille ||
    terms.graceCapSeconds < standing.graceCapSeconds ||
    terms.checkPeriodSeconds > standing.checkPeriodSeconds ||
    lastsSeconds(terms) < lastsSeconds(standing)
  );
}

function lastsSeconds({ durationSeconds }: Terms): number {
  return durationSeconds === 0 ? Number.POSITIVE_INFINITY : durationSeconds;
}

function isUnequal(giveBytes: number, getBytes: number): boolean {
  return giveBytes / TERMS_RATIO > getBytes || getBytes / TERMS_RATIO > giveBytes;
}

function rejected(word: ProposalWord, reason: string): ProposalDecision {
  return { answer: 'REJECTED', word, reason };
}

function pending(word: ProposalWord, reason: string): ProposalDecision {
  return { answer: 'PENDING', word, reason };
}
