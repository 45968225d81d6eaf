// A contract in one sentence for its user.

import { patienceLeftSeconds } from '../core/contract/machine.ts';
import { contractStory, peerWarning } from '../core/contract/story.ts';
import type { OwnFault, StoryFacts } from '../core/contract/story.ts';
import { REFUSALS } from '../core/contract/verdict.ts';
import type { OnionId } from '../core/ids.ts';
import type { ContractRecord } from '../core/records.ts';
import { pendingOf } from './answer-proposal.ts';
import { getBytes } from './agreed-bytes.ts';
import { isStanding } from './contracts.ts';
import { currentHeld } from './held.ts';
import { remainingOf } from './remaining.ts';
import type { Session } from './session.ts';
import { reasonsNow } from './tick-contracts.ts';

/** "12 March", in UTC as all times that people are shown. */
const DAY = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'long' });

const THEIR_PULLS: { readonly [pull in ContractRecord['theirPull']]: string } = {
  NONE: '',
  PULLING: ', a newer revision is on its way',
  QUOTA: ', its newest revision was refused: more than we promised',
  NO_SPACE: ', its newest revision was refused: our disk is full',
};

/** `name`: of the peer, for people. */
export function explainContract(session: Session, contract: ContractRecord, name: string): string {
  const { state } = contract;
  const story =
    state === 'ACTIVE'
      ? goodStory(session, contract, name)
      : contractStory({ ...storyFacts(session, contract, name), state });
  const warning = warningOf(session, contract, name);
  return warning === undefined ? story : `${story}; ${warning}`;
}

/** What the peer holds against us, as it said at the last contact; undefined if nothing. */
export function warningOf(session: Session, contract: ContractRecord, name: string): string | undefined {
  const stateThere = session.peerStates.get(contract.peer);
  if (stateThere === undefined || !isStanding(contract.state)) return undefined;
  return peerWarning({
    peer: name,
    stateThere,
    oursUntil: oursUntil(session, contract),
    fault: ownFault(session, contract),
  });
}

function ownFault(session: Session, { peer, theirPull, theirLatestKnown }: ContractRecord): OwnFault {
  if (theirPull === 'NO_SPACE') return 'disk-full';
  if (theirPull === 'QUOTA') return 'over-budget';
  const isWhole = currentHeld(session, peer)?.value.contentId.equals(theirLatestKnown) ?? theirLatestKnown.length === 0;
  return isWhole ? 'none' : 'incomplete';
}

function goodStory(session: Session, { peer, replica, theirPull }: ContractRecord, name: string): string {
  const online = session.reach.isReachable(peer) ? 'online' : 'offline now';
  const held = currentHeld(session, peer) === undefined ? 'we hold nothing for it yet' : 'we hold its content';
  const theirs = `${held}${THEIR_PULLS[theirPull]}`;
  const newestId = session.newest?.row.contentId;
  const ours =
    newestId === undefined
      ? 'there is nothing of ours to hold'
      : replica.proved.equals(newestId)
        ? `it proved our newest revision${session.judged.has(peer) ? '' : ', but not since this start'}`
        : replica.acknowledged.equals(newestId)
          ? 'it holds our newest revision, not proved yet'
          : notThere(session, peer, name);
  return `both sides keep their promises; the peer is ${online}; ${ours}; ${theirs}`;
}

function notThere(session: Session, peer: OnionId, name: string): string {
  const refusal = session.newest && session.uploads.refusal(peer, session.newest.row.contentId);
  if (refusal === undefined) return 'it does not hold our newest revision yet';
  const cure = refusal === 'QUOTA' ? `: bb contracts amend ${name} --get asks for more` : '';
  return `it does not take our newest revision, because ${REFUSALS[refusal]}${cure}`;
}

function storyFacts(session: Session, contract: ContractRecord, name: string): StoryFacts {
  const { peer, life, replica, state } = contract;
  const nowSeconds = session.node.countedSeconds;
  const added = session.registry.peer(peer)?.added === true;
  return {
    state,
    peer: name,
    cause: contract.reason,
    reasons: reasonsNow(session, contract),
    unreachableSeconds: nowSeconds - contract.reachedSeconds,
    unprovedSeconds: nowSeconds - contract.provedSeconds,
    offerOpenSeconds: nowSeconds - replica.offerSeconds,
    patienceSeconds: patienceLeftSeconds(contract, { nowSeconds, added }, session.reach.isIncomingOnly(peer)),
    owesCopy: getBytes(session, contract) > 0,
    hasCopy: replica.acknowledged.length > 0,
    oursUntil: oursUntil(session, contract),
    owedSeconds: Math.max(remainingOf(session, contract), state === 'ENDING' ? life.noticeEndSeconds - nowSeconds : 0),
    waitsForUs: pendingOf(session, peer) !== undefined,
  };
}

/** The day until which a storer keeps what we gave up serving now or, if it is away, when it was last in touch. */
function oursUntil(session: Session, { peer, ourRemainingSeconds }: ContractRecord): string {
  const { deps, reach, registry } = session;
  const reachedMs = Math.max(registry.peer(peer)?.lastReachedMs ?? 0, reach.lastMs(peer));
  const fromMs = reach.isReachable(peer) ? deps.clock.nowMs() : reachedMs;
  if (ourRemainingSeconds === 0 || fromMs === 0) return '';
  return DAY.format(fromMs + (ourRemainingSeconds / deps.timeDivisor) * 1000);
}
