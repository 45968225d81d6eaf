// How many copies there are, when another storer is looked for, and which peers are asked first (docs/protocol.md,
// "Replicas"). A peer that is away for a while is not dead: looking begins after a day below the target, at once only
// when a contract fell into GRACE and hardly anything is left.

import { copyOf } from '../contract/copy.ts';
import type { CopyFacts } from '../contract/copy.ts';
import type { OnionId } from '../ids.ts';
import { INTRODUCER_SHARE, SMALL_SET, URGENT_REPLICAS, YOUNG_SHARE } from '../limits.ts';
import type { Periods } from './periods.ts';

export type Copy = CopyFacts & {
  /** 0 to 1000. */
  readonly score: number;
};

/** Of whatever revision. `copies` decides; `effective` weighs each by what its holder is known to be worth, and is only shown. */
export function countCopies(all: readonly Copy[]): { readonly copies: number; readonly effective: number } {
  const good = all.filter((copy) => copyOf(copy, undefined) !== 'none');
  return { copies: good.length, effective: good.reduce((sum, { score }) => sum + score / 1000, 0) };
}

export type ReplicaFacts = {
  readonly copies: number;
  readonly wanted: number;
  /** Counted seconds since the number fell below the target; undefined when it did not. */
  readonly belowSeconds: number | undefined;
  /** A contract is in GRACE now: its copy is taken for lost. */
  readonly hasDefault: boolean;
};

/** `nominal`: the undivided periods. */
export function decideReplicas(facts: ReplicaFacts, nominal: Periods): 'enough' | 'wait' | 'look' {
  if (facts.copies >= facts.wanted) return 'enough';
  if (facts.hasDefault && facts.copies < Math.min(URGENT_REPLICAS, facts.wanted)) return 'look';
  return (facts.belowSeconds ?? 0) * 1000 >= nominal.repairAfter ? 'look' : 'wait';
}

export type Storer = {
  readonly peer: OnionId;
  readonly pinned: boolean;
  /** Known for longer than `oldPeer`. */
  readonly isOld: boolean;
  readonly introducer: OnionId | undefined;
};

export type Candidate = Storer & {
  readonly added: boolean;
  /** We keep bytes of it already: it has something to lose. */
  readonly isOwner: boolean;
  /** It stored for us before. */
  readonly isReturning: boolean;
  /** 0 to 1000. */
  readonly score: number;
};

/** At most `count` peers to ask, best first. `draw()` in [0, 1) decides between equals. */
export function chooseStorers(
  candidates: readonly Candidate[],
  present: readonly Storer[],
  count: number,
  draw: () => number,
): Candidate[] {
  const ranked = candidates
    .map((candidate) => ({ candidate, rank: rankOf(candidate), lot: draw() }))
    .toSorted((a, b) => b.rank - a.rank || a.lot - b.lot);
  const chosen: Candidate[] = [];
  for (const { candidate } of ranked) {
    if (chosen.length >= count) break;
    const others = [...present, ...chosen];
    if (isMixed([...others, candidate], others.length + count - chosen.length)) chosen.push(candidate);
  }
  return chosen;
}

/** The score in steps of a tenth, so that chance has a say between peers that are about as good. */
function rankOf({ isOwner, pinned, added, isReturning, score }: Candidate): number {
  const flags = [isOwner, pinned, added, isReturning].map(Number) as [number, number, number, number];
  return flags.reduce((rank, flag) => rank * 2 + flag, 0) * 100 + Math.floor(score / 100);
}

/** Of a larger set no part that one farm could be: at least half old or pinned, at most a third through one introducer. */
function isMixed(storers: readonly Storer[], wanted: number): boolean {
  if (wanted <= SMALL_SET) return true;
  const young = storers.filter(({ isOld, pinned }) => !isOld && !pinned).length;
  const newest = storers.at(-1)?.introducer;
  const sameIntroducer = newest === undefined ? 0 : storers.filter(({ introducer }) => introducer === newest).length;
  return young <= wanted * YOUNG_SHARE && sameIntroducer <= wanted * INTRODUCER_SHARE;
}
