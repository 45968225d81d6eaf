// The life of a contract a second time, as what must never be seen in a record: which state may follow which, what remaining
// seconds do in each of them, and that only time counts in which the machine was up and awake.
// Invariant: nothing here calls the state machine or the ledger of src; it only looks at what they wrote.

import type { ContractState } from '../../src/core/contract/state.ts';
import { decodeTerms } from '../../src/core/contract/terms.ts';
import type { ContractRecord } from '../../src/core/records.ts';
import type { SimNode } from './sim-node.ts';

/** Where a contract may go by itself. By the word of both sides it is over from anywhere. */
const NEXT: { readonly [state in ContractState]: readonly ContractState[] } = {
  PROPOSED: ['ACTIVE', 'RELEASED'],
  ACTIVE: ['DEGRADED', 'GRACE', 'ENDING'],
  DEGRADED: ['ACTIVE', 'GRACE', 'ENDING'],
  GRACE: ['ACTIVE', 'EXPIRED', 'ENDING'],
  EXPIRED: ['ACTIVE', 'RELEASED'],
  ENDING: ['RELEASED'],
  RELEASED: ['PROPOSED'],
};

/** Permille of a second that one counted second adds to the remaining seconds, at least and at most. */
const SLOPES: { readonly [state in ContractState]: readonly [number, number] } = {
  PROPOSED: [0, 0],
  ACTIVE: [0, 1000],
  DEGRADED: [0, 0],
  GRACE: [-1000, 0],
  EXPIRED: [0, 0],
  ENDING: [-1000, -1000],
  RELEASED: [0, 0],
};

/** What the old and the new record may differ by because seconds are broken. */
const SLACK_SECONDS = 1;

/** What is wrong with this step of a contract at `nowSeconds`, or undefined. */
export function brokenLaw(before: ContractRecord, after: ContractRecord, nowSeconds: number): string | undefined {
  const isBothWord = after.transitions.at(-1)?.event === 'ended-by-both';
  if (after.state !== before.state && !NEXT[before.state].includes(after.state)) {
    if (!(after.state === 'RELEASED' && isBothWord)) return `goes from ${before.state} to ${after.state}`;
  }
  const [low, high] = SLOPES[after.state];
  const { slopePermille } = after.ledger;
  if (slopePermille < low || slopePermille > high) {
    return `lets remaining seconds move by ${slopePermille} permille while ${after.state}`;
  }
  if (after.ledger === before.ledger && after.state === before.state) return undefined;
  const left = remaining(before, nowSeconds);
  const isOver = after.state === 'EXPIRED' || (after.state === 'RELEASED' && before.state === 'ENDING');
  if (isOver && !isBothWord && left > SLACK_SECONDS) return `is ${after.state} with ${Math.floor(left)} s remaining`;
  if (after.state !== 'RELEASED' && remaining(after, nowSeconds) < left - SLACK_SECONDS) {
    return `loses ${Math.floor(left - remaining(after, nowSeconds))} remaining seconds by becoming ${after.state}`;
  }
  return undefined;
}

function remaining({ ledger, terms }: ContractRecord, nowSeconds: number): number {
  const { valueSeconds, slopePermille, countedSeconds } = ledger;
  const moved = valueSeconds + ((nowSeconds - countedSeconds) * slopePermille) / 1000;
  const cap = slopePermille > 0 ? Math.max(valueSeconds, decodeTerms(terms).graceCapSeconds) : Number.MAX_VALUE;
  return Math.max(0, Math.min(cap, moved));
}

/** Counted seconds of each node against the time in which its machine was up and awake. */
export class CountedTime {
  readonly #since = new Map<SimNode, { readonly upMs: number; readonly countedSeconds: number }>();

  started(node: SimNode): void {
    this.#since.set(node, { upMs: node.machine.monotonicMs, countedSeconds: countedOf(node) });
  }

  /** What is wrong with these counted seconds of a node, or undefined. */
  broken(node: SimNode, countedSeconds: number): string | undefined {
    const since = this.#since.get(node);
    if (since === undefined) return undefined;
    const upSeconds = (node.machine.monotonicMs - since.upMs) / 1000;
    const counted = countedSeconds - since.countedSeconds;
    if (counted <= upSeconds + SLACK_SECONDS) return undefined;
    return `counts ${Math.floor(counted)} s in ${Math.floor(upSeconds)} s in which it was awake`;
  }
}

/** Counted seconds in the record of a node, 0 before there is one. */
export function countedOf({ disk }: SimNode): number {
  for (const { record } of disk.catalog.records.values()) {
    if (record.kind === 'node') return record.value.countedSeconds;
  }
  return 0;
}
