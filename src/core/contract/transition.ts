// The life of a contract as its record keeps it: what the state machine decided, and the last steps with their reasons,
// so that a person can be told why (docs/contracts.md).

import { CONTRACT_TRANSITIONS } from '../limits.ts';
import type { ContractRecord, TransitionRecord } from '../records.ts';
import { remainingSeconds } from './ledger.ts';
import type { ContractEventKind, ContractLife } from './machine.ts';
import type { ContractState } from './state.ts';
import type { Terms } from './terms.ts';

export const NO_OLD_HOLD: ContractRecord['oldHold'] = { holdSeconds: 0, untilSeconds: 0 };

export type StepCause = {
  readonly event: ContractEventKind;
  /** In words; empty when the event says it all. */
  readonly reason: string;
  readonly atMs: number;
  readonly nowSeconds: number;
  readonly terms: Terms;
};

/**
 * The words for what a tick made of a contract. `holding`: the reasons that hold, in words. While a state lasts it keeps
 * the words that it was entered with, but a DEGRADED contract tells what holds now.
 */
export function tickReason(before: ContractRecord, to: ContractState, holding: string): string {
  if (to === 'DEGRADED' || (before.state === 'DEGRADED' && to === 'GRACE')) return holding;
  if (to === before.state) return before.reason;
  if (to === 'ENDING') return 'the agreed term is over';
  return TICK_WORDS[before.state] ?? '';
}

/** Why a tick ends a state. */
const TICK_WORDS: { readonly [state in ContractState]?: string } = {
  PROPOSED: 'it was not answered in time',
  DEGRADED: 'no reason holds any more',
  GRACE: 'its remaining seconds are used up',
  ENDING: 'the notice and the remaining seconds are over',
};

/** The contract after a step; a step that changes nothing gives back the same object. */
export function withStep(before: ContractRecord, next: ContractLife, cause: StepCause): ContractRecord {
  const { state, ledger, life } = next;
  const isSameLife = state === before.state && ledger === before.ledger && life === before.life;
  if (state === before.state) {
    return isSameLife && cause.reason === before.reason ? before : { ...before, ledger, life, reason: cause.reason };
  }
  const transition: TransitionRecord = {
    atMs: cause.atMs,
    from: before.state,
    to: state,
    event: cause.event,
    reason: cause.reason,
    remainingSeconds: Math.floor(remainingSeconds(ledger, cause.nowSeconds, cause.terms.graceCapSeconds)),
  };
  const transitions = [...before.transitions, transition].slice(-CONTRACT_TRANSITIONS);
  return { ...before, state, ledger, life, reason: cause.reason, sinceMs: cause.atMs, transitions };
}

/**
 * How long a revision that is superseded now must be kept: a shorter hold counts only after the old one has passed since
 * it was signed, so that nobody shortens what was promised by signing and deleting at once (docs/protocol.md, "Hold").
 */
export function holdSecondsNow(contract: ContractRecord, terms: Terms, nowSeconds: number): number {
  const { holdSeconds, untilSeconds } = contract.oldHold;
  return nowSeconds < untilSeconds ? Math.max(holdSeconds, terms.holdSeconds) : terms.holdSeconds;
}

/** What of the old hold stays when new terms are signed now. */
export function oldHoldAfter(
  contract: ContractRecord,
  old: Terms,
  now: Terms,
  nowSeconds: number,
): ContractRecord['oldHold'] {
  const holdSeconds = holdSecondsNow(contract, old, nowSeconds);
  if (now.holdSeconds >= holdSeconds) return NO_OLD_HOLD;
  return { holdSeconds, untilSeconds: nowSeconds + holdSeconds };
}
