// Whether a peer was given up on: its bytes went because it had not kept its side until all of its remaining seconds were
// used up. Such a peer begins anew only with the word of a person: else it would get the days of patience of a new friend
// again and again, and give nothing for them.

import type { ContractRecord } from '../records.ts';

/** Of the last contract with a peer that is over; false while one stands that a person has agreed to since. */
export function hasFailedBefore({ state, transitions }: Pick<ContractRecord, 'state' | 'transitions'>): boolean {
  if (state !== 'PROPOSED' && state !== 'RELEASED') return false;
  const end = transitions.findLast(({ from, to }) => to === 'RELEASED' && from !== 'PROPOSED');
  return end?.event === 'evicted';
}
