// The life of a contract: every (state, event) pair against a table, then the times and the ledger.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ledgerAt, remainingSeconds, withSlope } from '../../src/core/contract/ledger.ts';
import { newContract, stepContract } from '../../src/core/contract/machine.ts';
import type { ContractContext, ContractEvent, ContractLife } from '../../src/core/contract/machine.ts';
import { CONTRACT_STATES } from '../../src/core/contract/state.ts';
import type { ContractState } from '../../src/core/contract/state.ts';
import { PLAIN_TERMS } from './plain-terms.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
const NOW = 1_000 * DAY;
const CALM = {
  kind: 'tick',
  reasons: [],
  durationOver: false,
  ownerRecovering: false,
  undiallable: false,
} as const satisfies ContractEvent;

function at(nowSeconds: number, added = true): ContractContext {
  return { nowSeconds, terms: PLAIN_TERMS, added };
}

/** In `state` since NOW, with a ledger as such a contract has it. */
function lifeIn(state: ContractState, value = 10 * DAY): ContractLife {
  const slopes: Partial<Record<ContractState, number>> = { ACTIVE: 500, GRACE: -1000, ENDING: -1000 };
  const { life } = newContract(NOW);
  return {
    state,
    ledger: ledgerAt(value, slopes[state] ?? 0, NOW),
    life: { ...life, noticeEndSeconds: NOW + 30 * DAY },
  };
}

function remaining({ ledger }: ContractLife, nowSeconds: number): number {
  return remainingSeconds(ledger, nowSeconds, PLAIN_TERMS.graceCapSeconds);
}

const EVENTS: Record<string, ContractEvent> = {
  proposed: { kind: 'proposed' },
  agreed: { kind: 'agreed' },
  rejected: { kind: 'rejected' },
  calm: CALM,
  worried: { ...CALM, reasons: ['UNREACHABLE'] },
  over: { ...CALM, durationOver: true },
  defaulted: { kind: 'defaulted' },
  cured: { kind: 'cured' },
  evicted: { kind: 'evicted' },
  ended: { kind: 'ended', noticeSeconds: 30 * DAY },
  both: { kind: 'ended-by-both' },
};

/** Where each event leads a moment after the state was entered; a dot stays. */
const EXPECTED: Record<ContractState, Record<keyof typeof EVENTS, ContractState | '.'>> = {
  PROPOSED: {
    proposed: '.',
    agreed: 'ACTIVE',
    rejected: 'RELEASED',
    calm: '.',
    worried: '.',
    over: '.',
    defaulted: '.',
    cured: '.',
    evicted: '.',
    ended: '.',
    both: '.',
  },
  ACTIVE: {
    proposed: '.',
    agreed: '.',
    rejected: '.',
    calm: '.',
    worried: 'DEGRADED',
    over: 'ENDING',
    defaulted: 'GRACE',
    cured: '.',
    evicted: '.',
    ended: 'ENDING',
    both: 'RELEASED',
  },
  DEGRADED: {
    proposed: '.',
    agreed: '.',
    rejected: '.',
    calm: 'ACTIVE',
    worried: '.',
    over: 'ENDING',
    defaulted: 'GRACE',
    cured: '.',
    evicted: '.',
    ended: 'ENDING',
    both: 'RELEASED',
  },
  GRACE: {
    proposed: '.',
    agreed: '.',
    rejected: '.',
    calm: '.',
    worried: '.',
    over: 'ENDING',
    defaulted: '.',
    cured: 'ACTIVE',
    evicted: '.',
    ended: 'ENDING',
    both: 'RELEASED',
  },
  EXPIRED: {
    proposed: '.',
    agreed: '.',
    rejected: '.',
    calm: '.',
    worried: '.',
    over: '.',
    defaulted: '.',
    cured: 'ACTIVE',
    evicted: 'RELEASED',
    ended: '.',
    both: 'RELEASED',
  },
  ENDING: {
    proposed: '.',
    agreed: '.',
    rejected: '.',
    calm: '.',
    worried: '.',
    over: '.',
    defaulted: '.',
    cured: '.',
    evicted: '.',
    ended: '.',
    both: 'RELEASED',
  },
  RELEASED: {
    proposed: 'PROPOSED',
    agreed: '.',
    rejected: '.',
    calm: '.',
    worried: '.',
    over: '.',
    defaulted: '.',
    cured: '.',
    evicted: '.',
    ended: '.',
    both: '.',
  },
};

for (const state of CONTRACT_STATES) {
  for (const [name, event] of Object.entries(EVENTS)) {
    const wanted = EXPECTED[state][name];
    test(`${state} on ${name} ${wanted === '.' ? 'stays' : `becomes ${wanted}`}`, () => {
      const { next, actions } = stepContract(lifeIn(state), event, at(NOW + 1));
      assert.equal(next.state, wanted === '.' ? state : wanted);
      const expected = next.state === state ? [] : { GRACE: ['repair'], RELEASED: ['release'] }[next.state as string];
      assert.deepEqual(actions, expected ?? []);
    });
  }
}

const worried = EVENTS['worried'] as ContractEvent;

test('a proposal lapses after 14 days', () => {
  assert.equal(stepContract(lifeIn('PROPOSED'), CALM, at(NOW + 14 * DAY - 1)).next.state, 'PROPOSED');
  assert.equal(stepContract(lifeIn('PROPOSED'), CALM, at(NOW + 14 * DAY)).next.state, 'RELEASED');
});

test('ACTIVE starts with the initial grace and earns half a second per second up to the cap', () => {
  const { next } = stepContract(lifeIn('PROPOSED'), { kind: 'agreed' }, at(NOW));
  assert.equal(remaining(next, NOW), 30 * DAY);
  assert.equal(remaining(next, NOW + 10 * DAY), 35 * DAY);
  assert.equal(remaining(next, NOW + 120 * DAY), 90 * DAY);
  assert.equal(remaining(next, NOW + 1000 * DAY), 90 * DAY);
});

test('DEGRADED freezes, and lasts 72 h for strangers, 14 d for added or undiallable peers', () => {
  const degraded = stepContract(lifeIn('ACTIVE'), worried, at(NOW + DAY)).next;
  assert.equal(remaining(degraded, NOW + DAY), 10.5 * DAY);
  assert.equal(remaining(degraded, NOW + 3 * DAY), 10.5 * DAY);
  const stateAfter = (event: ContractEvent, seconds: number, added: boolean) =>
    stepContract(degraded, event, at(NOW + DAY + seconds, added)).next.state;
  assert.equal(stateAfter(worried, 72 * HOUR - 1, false), 'DEGRADED');
  assert.equal(stateAfter(worried, 72 * HOUR, false), 'GRACE');
  assert.equal(stateAfter(worried, 14 * DAY - 1, true), 'DEGRADED');
  assert.equal(stateAfter(worried, 14 * DAY, true), 'GRACE');
  const undiallable: ContractEvent = { ...CALM, reasons: ['UNREACHABLE'], undiallable: true };
  assert.equal(stateAfter(undiallable, 72 * HOUR, false), 'DEGRADED');
  assert.equal(stateAfter(undiallable, 14 * DAY, false), 'GRACE');
  assert.equal(remaining(stepContract(degraded, CALM, at(NOW + 2 * DAY)).next, NOW + 4 * DAY), 11.5 * DAY);
});

test('entering GRACE gives an added peer the disaster floor once per 180 days', () => {
  const first = stepContract(lifeIn('ACTIVE', DAY), { kind: 'defaulted' }, at(NOW)).next;
  assert.equal(remaining(first, NOW), 30 * DAY);
  assert.equal(remaining(first, NOW + DAY), 29 * DAY);
  const cured = stepContract(first, { kind: 'cured' }, at(NOW + 29 * DAY)).next;
  const again = (seconds: number) =>
    remaining(stepContract(cured, { kind: 'defaulted' }, at(NOW + seconds)).next, NOW + seconds);
  assert.equal(again(30 * DAY), 1.5 * DAY);
  const late = stepContract(
    { ...cured, ledger: ledgerAt(DAY, 0, NOW) },
    { kind: 'defaulted' },
    at(NOW + 180 * DAY),
  ).next;
  assert.equal(remaining(late, NOW + 180 * DAY), 30 * DAY);
});

test('more than the floor is not cut down to it', () => {
  const { next } = stepContract(lifeIn('ACTIVE', 80 * DAY), { kind: 'defaulted' }, at(NOW));
  assert.equal(remaining(next, NOW), 80 * DAY);
});

test('a stranger has the floor only after 60 days ACTIVE, also in parts', () => {
  const graceAfter = (activeSeconds: number, inState: number) => {
    const before = lifeIn('ACTIVE', DAY);
    const life = { ...before.life, activeSeconds, enteredSeconds: NOW };
    const { next } = stepContract(
      { ...before, ledger: ledgerAt(DAY, 0, NOW), life },
      { kind: 'defaulted' },
      at(NOW + inState, false),
    );
    return remaining(next, NOW + inState);
  };
  assert.equal(graceAfter(0, 60 * DAY - 1), DAY);
  assert.equal(graceAfter(0, 60 * DAY), 30 * DAY);
  assert.equal(graceAfter(50 * DAY, 10 * DAY), 30 * DAY);
  const degraded = stepContract(
    { ...lifeIn('ACTIVE'), ledger: ledgerAt(DAY, 0, NOW) },
    worried,
    at(NOW + 60 * DAY, false),
  ).next;
  assert.equal(degraded.life.activeSeconds, 60 * DAY);
  assert.equal(remaining(stepContract(degraded, worried, at(NOW + 63 * DAY, false)).next, NOW + 63 * DAY), 30 * DAY);
});

test('GRACE runs down to EXPIRED, which a cure turns back with 7 days', () => {
  const grace = lifeIn('GRACE', 10 * DAY);
  assert.equal(stepContract(grace, CALM, at(NOW + 10 * DAY - 1)).next.state, 'GRACE');
  const expired = stepContract(grace, CALM, at(NOW + 10 * DAY)).next;
  assert.equal(expired.state, 'EXPIRED');
  assert.equal(remaining(expired, NOW + 20 * DAY), 0);
  const cured = stepContract(expired, { kind: 'cured' }, at(NOW + 11 * DAY)).next;
  assert.equal(remaining(cured, NOW + 11 * DAY), 7 * DAY);
  assert.equal(cured.ledger.slopePermille, 500);
});

test('the countdown pauses for a recovering owner for 14 days, once per 180', () => {
  const recovering: ContractEvent = { ...CALM, ownerRecovering: true };
  let life = stepContract(lifeIn('GRACE', 20 * DAY), recovering, at(NOW)).next;
  life = stepContract(life, recovering, at(NOW + 13 * DAY)).next;
  assert.equal(remaining(life, NOW + 13 * DAY), 20 * DAY);
  life = stepContract(life, recovering, at(NOW + 14 * DAY)).next;
  assert.equal(remaining(life, NOW + 15 * DAY), 19 * DAY);
  life = stepContract(life, recovering, at(NOW + 15 * DAY)).next;
  assert.equal(life.ledger.slopePermille, -1000);
  const later = { ...life, ledger: ledgerAt(20 * DAY, -1000, NOW + 179 * DAY) };
  assert.equal(stepContract(later, recovering, at(NOW + 180 * DAY - 1)).next.ledger.slopePermille, -1000);
  assert.equal(stepContract(later, recovering, at(NOW + 180 * DAY)).next.ledger.slopePermille, 0);
});

test('a pause ends when the owner is back', () => {
  const paused = stepContract(lifeIn('GRACE'), { ...CALM, ownerRecovering: true }, at(NOW)).next;
  const back = stepContract(paused, CALM, at(NOW + DAY)).next;
  assert.equal(remaining(back, NOW + 2 * DAY), 9 * DAY);
});

test('ENDING is over at the later of notice and remaining seconds', () => {
  const end = (value: number, noticeSeconds: number) =>
    stepContract(lifeIn('ACTIVE', value), { kind: 'ended', noticeSeconds }, at(NOW)).next;
  const stateAt = (life: ContractLife, seconds: number) => stepContract(life, CALM, at(NOW + seconds)).next.state;
  assert.equal(stateAt(end(10 * DAY, 30 * DAY), 30 * DAY - 1), 'ENDING');
  assert.equal(stateAt(end(10 * DAY, 30 * DAY), 30 * DAY), 'RELEASED');
  assert.equal(stateAt(end(40 * DAY, 30 * DAY), 40 * DAY - 1), 'ENDING');
  assert.equal(stateAt(end(40 * DAY, 30 * DAY), 40 * DAY), 'RELEASED');
});

test('a ledger does not move backwards with its clock', () => {
  const ledger = ledgerAt(10, -1000, 100);
  assert.equal(remainingSeconds(ledger, 50, 1000), 10);
  assert.deepEqual(withSlope(ledger, 500, 104, 1000), { valueSeconds: 6, slopePermille: 500, countedSeconds: 104 });
  assert.equal(remainingSeconds(ledgerAt(2000, 500, 0), 10, 1000), 2000);
});
