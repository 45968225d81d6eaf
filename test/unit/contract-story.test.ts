// The sentence of a contract that is not as it should be: its cause, the bytes of both sides, and the cure.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DegradedReason } from '../../src/core/contract/reasons.ts';
import { CONTRACT_STATES } from '../../src/core/contract/state.ts';
import { contractStory, peerWarning } from '../../src/core/contract/story.ts';
import type { OwnFault, StoryFacts } from '../../src/core/contract/story.ts';

const DAY = 86_400;
const FACTS: StoryFacts = {
  state: 'DEGRADED',
  peer: 'ben-nas',
  cause: '',
  reasons: ['UNREACHABLE'],
  unreachableSeconds: 2.4 * DAY,
  unprovedSeconds: 3 * DAY,
  offerOpenSeconds: 8 * DAY,
  patienceSeconds: 12 * DAY,
  owesCopy: true,
  hasCopy: true,
  oursUntil: '12 March',
  owedSeconds: 30 * DAY,
  waitsForUs: false,
};

function tell(change: Partial<StoryFacts>): string {
  const facts = { ...FACTS, ...change };
  assert(facts.state !== 'ACTIVE');
  return contractStory({ ...facts, state: facts.state });
}

test('a peer that is away: since when, until when the bytes stay, what to do, and what comes', () => {
  assert.equal(
    tell({}),
    'paused: ben-nas has been unreachable for 2 days; your bytes there stay until 12 March, its bytes stay here; ' +
      'it goes on by itself when the peer is back: ask whether its machine is on; ' +
      'if nothing changes its copy counts no more in 12 days',
  );
});

test('each reason has its words and its cure; who is away is not asked for a proof', () => {
  const words: { readonly [reason in DegradedReason]: RegExp } = {
    UNREACHABLE: /unreachable for 2 days;.*ask whether its machine is on/,
    WRONG_PROOF: /the last proof of ben-nas was wrong;.*bb contracts check ben-nas/,
    CHECK_OVERDUE: /not proved its copy for 3 days;.*bb contracts check ben-nas/,
    COPY_STALE: /not fetched your newest revision for 8 days;.*ask whether its disk is full/,
  };
  for (const [reason, expected] of Object.entries(words)) {
    assert.match(tell({ reasons: [reason as DegradedReason] }), expected);
  }
  const both = tell({ reasons: ['UNREACHABLE', 'CHECK_OVERDUE'] });
  assert.match(both, /unreachable for 2 days, and ben-nas has not proved/);
  assert.match(both, /machine is on/);
  assert.doesNotMatch(both, /bb contracts check/);
  assert.match(tell({ reasons: ['CHECK_OVERDUE', 'WRONG_PROOF'] }), /its disk may be failing/, 'the worst counts');
  assert.match(tell({ reasons: [] }), /^paused: nothing is wrong any more, and it goes on within minutes;/);
});

test('every state but ACTIVE says what becomes of the bytes, or how to begin', () => {
  const words: Partial<Record<(typeof CONTRACT_STATES)[number], RegExp>> = {
    PROPOSED: /^not agreed yet: ben-nas or its user has to accept/,
    DEGRADED: /^paused: .*until 12 March, its bytes stay here;.*counts no more in 12 days$/,
    GRACE: /^its copy counts no more \(twice wrong\).*until 12 March;.*stay here for 30 days.*proves the whole copy$/,
    EXPIRED:
      /^its time here is used up \(twice wrong\): .*until the space is needed;.*12 March;.*proves the whole copy$/,
    ENDING:
      /^it ends \(twice wrong\); your bytes there stay until 12 March, its bytes here for 30 days;.*propose ben-nas/,
    RELEASED: /^over \(twice wrong\); bb contracts propose ben-nas/,
  };
  for (const state of CONTRACT_STATES) {
    if (state === 'ACTIVE') continue;
    assert.match(tell({ state, cause: 'twice wrong' }), words[state] ?? assert.fail(state));
  }
  assert.match(tell({ state: 'PROPOSED', waitsForUs: true }), /bb contracts accept ben-nas/);
});

test('nothing is promised that was not said: no copy, and no word of the peer', () => {
  assert.match(tell({ hasCopy: false }), /; no bytes of yours are there,/);
  assert.match(tell({ oursUntil: '' }), /; ben-nas has not said how long your bytes stay there,/);
});

test('spans are rounded down and read as words', () => {
  const spanOf = (unreachableSeconds: number) => /unreachable for ([^;]*);/.exec(tell({ unreachableSeconds }))?.[1];
  assert.deepEqual([59, 60, 3599, 3600, DAY - 1, DAY, 2 * DAY].map(spanOf), [
    '1 minute',
    '1 minute',
    '59 minutes',
    '1 hour',
    '23 hours',
    '1 day',
    '2 days',
  ]);
});

test('what a peer holds against us comes with the day and the cure, whatever we know of our fault', () => {
  const faults: { readonly [fault in OwnFault]: RegExp } = {
    'disk-full': /make room$/,
    'over-budget': /bb contracts amend$/,
    incomplete: /fetched again$/,
    none: /keep this node up: it proves its copy by itself$/,
  };
  for (const stateThere of ['DEGRADED', 'GRACE', 'EXPIRED'] as const) {
    for (const [fault, cure] of Object.entries(faults)) {
      const facts = { peer: 'ben-nas', stateThere, oursUntil: '12 March', fault: fault as OwnFault };
      assert.match(peerWarning(facts) ?? '', cure);
    }
  }
  const warn = (stateThere: StoryFacts['state']) =>
    peerWarning({ peer: 'ben-nas', stateThere, oursUntil: '12 March', fault: 'none' });
  assert.match(warn('GRACE') ?? '', /keeps your bytes until 12 March;/);
  assert.match(warn('EXPIRED') ?? '', /only until it needs the space;/);
  assert.match(warn('RELEASED') ?? '', /may be gone; .*bb contracts end ben-nas$/);
  for (const calm of ['PROPOSED', 'ACTIVE', 'ENDING'] as const) assert.equal(warn(calm), undefined);
});
