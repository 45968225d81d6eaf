// Which superseded revisions of an owner stay during their hold (docs/protocol.md, "Hold"): of those superseded within one
// hour the one that was current longest, after a day the same per day, and always the one superseded last. So an owner that publishes every few minutes
// does not fill its allowance with history, and an attacker that publishes in a rush does not push out the last good one.

import type { Periods } from './periods.ts';

export type KeptList = {
  /** Counted seconds at which it became current, and at which it was superseded. */
  readonly currentSeconds: number;
  readonly keptSeconds: number;
  /** At which its hold is over. */
  readonly holdEndSeconds: number;
};

/** Those of `lists` that may be let go now, although their hold runs. `nominal`: the undivided periods. */
export function thinnedLists<T extends KeptList>(all: readonly T[], nowSeconds: number, nominal: Periods): T[] {
  // One whose hold is over goes now: it must not take the place of one that has to stay.
  const lists = all.filter(({ holdEndSeconds }) => holdEndSeconds > nowSeconds);
  if (lists.length < 2) return [];
  const longest = new Map<number, T>();
  for (const list of lists) {
    const group = groupOf(list, nowSeconds, nominal);
    const best = longest.get(group);
    if (best === undefined || isLonger(list, best)) longest.set(group, list);
  }
  const [last] = lists.toSorted((a, b) => b.keptSeconds - a.keptSeconds || b.currentSeconds - a.currentSeconds);
  const stays = new Set([...longest.values(), last]);
  return lists.filter((list) => !stays.has(list));
}

/** Hours count up from 0, days down from -1. */
function groupOf({ keptSeconds }: KeptList, nowSeconds: number, nominal: Periods): number {
  const isFresh = nowSeconds - keptSeconds < nominal.thinCoarse / 1000;
  const spanSeconds = (isFresh ? nominal.thinFine : nominal.thinCoarse) / 1000;
  const span = Math.floor(keptSeconds / spanSeconds);
  return isFresh ? span : -1 - span;
}

/** Of two that were current equally long the later one, which is nearer to what the owner has. */
function isLonger(a: KeptList, b: KeptList): boolean {
  const [ofA, ofB] = [a, b].map((list) => list.keptSeconds - list.currentSeconds) as [number, number];
  return ofA > ofB || (ofA === ofB && a.keptSeconds > b.keptSeconds);
}
