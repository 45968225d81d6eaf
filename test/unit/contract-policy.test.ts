// Default policy, charge and the table of effects.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chargeBytes } from '../../src/core/contract/charge.ts';
import { acceptableBytes, decideProposal } from '../../src/core/contract/default-policy.ts';
import type { ProposalFacts } from '../../src/core/contract/default-policy.ts';
import { hasFailedBefore } from '../../src/core/contract/failed-before.ts';
import type { ContractEventKind } from '../../src/core/contract/machine.ts';
import type { ContractState } from '../../src/core/contract/state.ts';
import type { TransitionRecord } from '../../src/core/records.ts';
import { DEFAULT_TERMS } from '../../src/core/contract/default-terms.ts';
import type { Terms } from '../../src/core/contract/terms.ts';
import { TERMS_MIN_BYTES } from '../../src/core/limits.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const CALLER = Buffer.alloc(32, 1);
const SELF = Buffer.alloc(32, 2);
const FACTS: ProposalFacts = {
  caller: CALLER,
  self: SELF,
  lastVersion: 0,
  added: true,
  approval: 'added',
  hasFailed: false,
  standing: undefined,
  limitBytes: 20 * GIB,
  peerLimitBytes: 0,
  promisedBytes: 0,
  promisedToStrangersBytes: 0,
};

function terms(give: number, get: number, change: Partial<Terms> = {}): Terms {
  const base = { proposer: CALLER, acceptor: SELF, nonce: Buffer.alloc(16) };
  return { ...DEFAULT_TERMS, ...base, version: 1, bytesProposer: give, bytesAcceptor: get, ...change };
}

function decide(offered: Terms, facts: Partial<ProposalFacts> = {}): string {
  const { answer, word } = decideProposal(offered, { ...FACTS, ...facts });
  return `${answer} ${word}`;
}

test('a peer the user added gets what the budget has left, to the byte', () => {
  const usable = acceptableBytes(FACTS.limitBytes, 0);
  assert.equal(usable, Math.floor((20 * GIB * 95) / 100));
  assert.equal(decide(terms(usable, usable)), 'ACCEPTED ACCEPTED');
  assert.equal(decide(terms(usable + 1, usable)), 'REJECTED OVER_BUDGET');
  assert.equal(decide(terms(GIB, GIB), { promisedBytes: usable - GIB }), 'ACCEPTED ACCEPTED');
  assert.equal(decide(terms(GIB, GIB), { promisedBytes: usable - GIB + 1 }), 'REJECTED OVER_BUDGET');
  assert.equal(acceptableBytes(GIB, 2 * GIB), 0);
});

test('whoever had to be given up gets a new contract from a person only', () => {
  assert.equal(decide(terms(MIB, MIB), { hasFailed: true }), 'PENDING FAILED_BEFORE');
  assert.equal(
    decide(terms(MIB, MIB, { graceInitialSeconds: 0 }), { hasFailed: true, added: false, approval: 'everyone' }),
    'PENDING FAILED_BEFORE',
  );
});

test('a peer was given up when its bytes went after its time, until a person began anew with it', () => {
  const step = (from: ContractState, to: ContractState, event: ContractEventKind): TransitionRecord => {
    return { atMs: 0, from, to, event, reason: '', remainingSeconds: 0 };
  };
  const begin = step('PROPOSED', 'ACTIVE', 'agreed');
  const evicted = [begin, step('GRACE', 'EXPIRED', 'tick'), step('EXPIRED', 'RELEASED', 'evicted')];
  const rejected = step('PROPOSED', 'RELEASED', 'rejected');
  const lives: [string, ContractState, TransitionRecord[], boolean][] = [
    ['new', 'PROPOSED', [], false],
    ['given up', 'RELEASED', evicted, true],
    ['proposes again', 'PROPOSED', evicted, true],
    ['was rejected meanwhile', 'RELEASED', [...evicted, rejected], true],
    ['a person said yes', 'ACTIVE', [...evicted, begin], false],
    ['and it ended well', 'RELEASED', [...evicted, begin, step('ACTIVE', 'RELEASED', 'ended-by-both')], false],
    ['EXPIRED, and still kept', 'EXPIRED', evicted.slice(0, 2), false],
  ];
  for (const [name, state, transitions, failed] of lives) {
    assert.equal(hasFailedBefore({ state, transitions }), failed, name);
  }
});

test('beyond 2:1 either way a person decides', () => {
  assert.equal(decide(terms(2 * MIB, MIB)), 'ACCEPTED ACCEPTED');
  assert.equal(decide(terms(2 * MIB + 1, MIB)), 'PENDING UNEQUAL');
  assert.equal(decide(terms(MIB, 2 * MIB)), 'ACCEPTED ACCEPTED');
  assert.equal(decide(terms(MIB, 2 * MIB + 1)), 'PENDING UNEQUAL');
  assert.equal(decide(terms(MIB, 0)), 'PENDING UNEQUAL');
});

test('a side that can hold nothing useful is refused; one that promises nothing at all is not', () => {
  assert.equal(decide(terms(TERMS_MIN_BYTES, TERMS_MIN_BYTES)), 'ACCEPTED ACCEPTED');
  assert.equal(decide(terms(TERMS_MIN_BYTES - 1, TERMS_MIN_BYTES)), 'REJECTED TOO_SMALL');
  assert.equal(decide(terms(TERMS_MIN_BYTES, TERMS_MIN_BYTES - 1)), 'REJECTED TOO_SMALL');
  assert.equal(decide(terms(20, 20), { added: false, approval: 'everyone' }), 'REJECTED TOO_SMALL');
  assert.equal(decide(terms(0, TERMS_MIN_BYTES)), 'PENDING UNEQUAL');
});

test('a stranger waits for a person, and never gets more than its share', () => {
  const stranger = { added: false };
  assert.equal(decide(terms(256 * MIB, 256 * MIB), stranger), 'PENDING NOT_ADDED');
  assert.equal(decide(terms(256 * MIB + 1, 256 * MIB), stranger), 'REJECTED STRANGER_LIMIT');
  const share = 4 * GIB;
  const left = { added: false, promisedToStrangersBytes: share - MIB };
  assert.equal(decide(terms(MIB, MIB), left), 'PENDING NOT_ADDED');
  assert.equal(decide(terms(MIB + 1, MIB), left), 'REJECTED STRANGER_LIMIT');
});

test('with the policy for everyone a stranger is let in, with 7 days at first and within its share', () => {
  const stranger = { added: false, approval: 'everyone' } as const;
  const short = { graceInitialSeconds: 7 * 86_400 };
  assert.equal(decide(terms(MIB, MIB, short), stranger), 'ACCEPTED ACCEPTED');
  assert.equal(decide(terms(MIB, MIB, { graceInitialSeconds: 7 * 86_400 + 1 }), stranger), 'PENDING LONG_GRACE');
  assert.equal(decide(terms(257 * MIB, 257 * MIB, short), stranger), 'REJECTED STRANGER_LIMIT');
  assert.equal(decide(terms(MIB, MIB), { approval: 'nobody' }), 'PENDING BY_HAND');
  assert.equal(decide(terms(MIB + 1, MIB + 1), { peerLimitBytes: MIB }), 'REJECTED OVER_BUDGET');
});

test('an amendment that gives us less, or for a shorter time, needs a person; more of everything does not', () => {
  const standing = { ...terms(MIB, MIB), durationSeconds: 1e8 };
  const amend = (change: Partial<Terms>, get = MIB) =>
    decide({ ...terms(MIB, get, { durationSeconds: 1e8, version: 2, ...change }) }, { standing, lastVersion: 1 });
  const worse: Partial<Terms>[] = [
    { holdSeconds: standing.holdSeconds - 1 },
    { noticeSeconds: standing.noticeSeconds - 1 },
    { graceRatePermille: standing.graceRatePermille - 1 },
    { graceCapSeconds: standing.graceCapSeconds - 1 },
    { checkPeriodSeconds: standing.checkPeriodSeconds + 1 },
    { durationSeconds: 1e8 - 1 },
  ];
  for (const change of worse) assert.equal(amend(change), 'PENDING LESS_FOR_YOU', Object.keys(change)[0]);
  assert.equal(decide(terms(2 * MIB, 2 * MIB - 1), { standing: terms(MIB, 2 * MIB) }), 'PENDING LESS_FOR_YOU');
  assert.equal(amend({}), 'ACCEPTED ACCEPTED');
  assert.equal(amend({ durationSeconds: 0, holdSeconds: standing.holdSeconds + 1 }, 2 * MIB), 'ACCEPTED ACCEPTED');
});

test('a proposal must be between the caller and us, and newer than what is signed', () => {
  assert.equal(decide(terms(1, 1, { acceptor: Buffer.alloc(32, 3) })), 'REJECTED NOT_FOR_US');
  assert.equal(decide(terms(1, 1, { proposer: Buffer.alloc(32, 3) })), 'REJECTED NOT_FOR_US');
  assert.equal(decide(terms(1, 1, { proposer: SELF, acceptor: CALLER })), 'REJECTED NOT_FOR_US');
  assert.equal(decide(terms(1, 1), { lastVersion: 1 }), 'REJECTED OLD_VERSION');
  assert.equal(decide(terms(MIB, MIB, { version: 2 }), { lastVersion: 1 }), 'ACCEPTED ACCEPTED');
});

test('the charge counts distinct cells and entries of kept lists', () => {
  assert.equal(chargeBytes({ distinctCells: 0, keptEntries: 0 }), 0);
  assert.equal(chargeBytes({ distinctCells: 3, keptEntries: 0 }), 3 * 131_072);
  assert.equal(chargeBytes({ distinctCells: 3, keptEntries: 5 }), 3 * 131_072 + 240);
});
