// What becomes of a contract that is not as it should be, in one sentence for its user: since when and why, what happens to
// the bytes of both sides, and the way to cure it (docs/contracts.md).
// Invariant: no state that takes something from anybody is shown without its cause and its cure.

import type { DegradedReason } from './reasons.ts';
import type { ContractState } from './state.ts';

export type StoryFacts = {
  readonly state: ContractState;
  /** Name of the peer, for people. */
  readonly peer: string;
  /** Why it came into its state, in words; may be empty. */
  readonly cause: string;
  /** What holds against the peer now. */
  readonly reasons: readonly DegradedReason[];
  /** How long each of these has held, in nominal seconds of this node. */
  readonly unreachableSeconds: number;
  readonly unprovedSeconds: number;
  readonly offerOpenSeconds: number;
  /** Until the patience with a DEGRADED contract ends. */
  readonly patienceSeconds: number;
  /** The peer promised to store something for us. */
  readonly owesCopy: boolean;
  /** The peer holds a revision of ours. */
  readonly hasCopy: boolean;
  /** Day until which the peer said that it keeps it; empty when it said nothing yet. */
  readonly oursUntil: string;
  /** What we still owe the peer: remaining seconds, and in ENDING no less than the notice. */
  readonly owedSeconds: number;
  readonly waitsForUs: boolean;
};

type Unhappy = Exclude<ContractState, 'ACTIVE'>;

/** Of a contract in any state but ACTIVE. */
export function contractStory(facts: StoryFacts & { readonly state: Unhappy }): string {
  return STORIES[facts.state](facts);
}

const STORIES: { readonly [state in Unhappy]: (facts: StoryFacts) => string } = {
  PROPOSED: ({ peer, waitsForUs }) =>
    waitsForUs
      ? `not agreed yet: ${peer} waits for your answer; bb contracts accept ${peer}, or reject`
      : `not agreed yet: ${peer} or its user has to accept; it is asked again at every contact`,
  DEGRADED: (facts) =>
    `paused: ${whys(facts)}; ${ours(facts)}, its bytes stay here; ${cureOf(facts)}; ` +
    `if nothing changes ${facts.owesCopy ? 'its copy counts no more' : 'its time here begins to run down'} in ${span(facts.patienceSeconds)}`,
  GRACE: (facts) =>
    `${facts.owesCopy ? 'its copy counts no more' : 'its time here runs down'}${because(facts)}${facts.owesCopy ? ', and another storer is looked for' : ''}; ${ours(facts)}; ` +
    `its bytes stay here for ${span(facts.owedSeconds)} and longer if the space is not needed; ${wholeAgain(facts)}`,
  EXPIRED: (facts) =>
    `its time here is used up${because(facts)}: its bytes stay only until the space is needed; ${ours(facts)}; ${wholeAgain(facts)}`,
  ENDING: (facts) =>
    `it ends${because(facts)}; ${ours(facts)}, its bytes here for ${span(facts.owedSeconds)}; ` +
    `for going on: bb contracts propose ${facts.peer}, when it is over`,
  RELEASED: (facts) => `over${because(facts)}; bb contracts propose ${facts.peer} offers a new one`,
};

function wholeAgain({ owesCopy }: StoryFacts): string {
  return `all is well again by itself when it ${owesCopy ? 'proves the whole copy' : 'is back'}`;
}

function whys(facts: StoryFacts): string {
  if (facts.reasons.length === 0) return 'nothing is wrong any more, and it goes on within minutes';
  return facts.reasons.map((reason) => WHYS[reason](facts)).join(', and ');
}

const WHYS: { readonly [reason in DegradedReason]: (facts: StoryFacts) => string } = {
  UNREACHABLE: ({ peer, unreachableSeconds }) => `${peer} has been unreachable for ${span(unreachableSeconds)}`,
  WRONG_PROOF: ({ peer }) => `the last proof of ${peer} was wrong`,
  CHECK_OVERDUE: ({ peer, unprovedSeconds }) => `${peer} has not proved its copy for ${span(unprovedSeconds)}`,
  COPY_STALE: ({ peer, offerOpenSeconds }) =>
    `${peer} has not fetched your newest revision for ${span(offerOpenSeconds)}`,
};

/** Who cannot be reached cannot be asked for anything else; otherwise the worst comes first. */
function cureOf({ reasons, peer }: StoryFacts): string {
  const [worst] = reasons.toReversed();
  if (worst === undefined) return 'nothing is to be done';
  return CURES[reasons.includes('UNREACHABLE') ? 'UNREACHABLE' : worst](peer);
}

const CURES: { readonly [reason in DegradedReason]: (peer: string) => string } = {
  UNREACHABLE: () => 'it goes on by itself when the peer is back: ask whether its machine is on',
  WRONG_PROOF: (peer) => `it goes on with a right proof: bb contracts check ${peer} asks now; its disk may be failing`,
  CHECK_OVERDUE: (peer) => `it goes on with a right proof: bb contracts check ${peer} asks now`,
  COPY_STALE: () => 'it goes on when the peer fetches again: ask whether its disk is full or its line slow',
};

function because({ cause }: StoryFacts): string {
  return cause === '' ? '' : ` (${cause})`;
}

function ours({ hasCopy, oursUntil, peer }: StoryFacts): string {
  if (!hasCopy) return 'no bytes of yours are there';
  return oursUntil === ''
    ? `${peer} has not said how long your bytes stay there`
    : `your bytes there stay until ${oursUntil}`;
}

/** Why a peer may be right to be unhappy with us, as far as we know. */
export type OwnFault = 'disk-full' | 'over-budget' | 'incomplete' | 'none';

export type WarningFacts = {
  readonly peer: string;
  /** The state that the peer said its side of the contract is in. */
  readonly stateThere: ContractState;
  readonly oursUntil: string;
  readonly fault: OwnFault;
};

/** What a peer holds against us, and how that is cured; undefined where it holds nothing, or notice was given. */
export function peerWarning({ peer, stateThere, oursUntil, fault }: WarningFacts): string | undefined {
  const until = oursUntil === '' ? '' : ` until ${oursUntil}`;
  switch (stateThere) {
    case 'DEGRADED':
      return `for ${peer} the contract is paused, because its copy here was out of reach or not proved; ${OWN_CURES[fault]}`;
    case 'GRACE':
      return `for ${peer} its copy here counts no more, and it keeps your bytes${until}; ${OWN_CURES[fault]}`;
    case 'EXPIRED':
      return `your time at ${peer} is used up: it keeps your bytes only until it needs the space; ${OWN_CURES[fault]}`;
    case 'RELEASED':
      return `for ${peer} the contract with you is over, and your bytes there may be gone; to begin anew, bb contracts end ${peer}`;
    case 'PROPOSED':
    case 'ACTIVE':
    case 'ENDING':
      return undefined;
  }
}

const OWN_CURES: { readonly [fault in OwnFault]: string } = {
  'disk-full': 'this disk is too full for its content: make room',
  'over-budget': 'its content is larger than you promised: bb contracts amend',
  incomplete: 'its content is not whole here: keep this node up, it is fetched again',
  none: 'keep this node up: it proves its copy by itself',
};

const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const;

/** Seconds -> "2 days", "1 hour"; never more than it is, and at least "1 minute". */
function span(seconds: number): string {
  const [name, size] = UNITS.find(([, unit]) => seconds >= unit) ?? UNITS[2];
  const count = Math.max(1, Math.floor(seconds / size));
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
