// The one question, and the conduct of peers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { degradedReasons } from '../../src/core/contract/reasons.ts';
import type { PeerFacts } from '../../src/core/contract/reasons.ts';
import {
  NEW_CONDUCT,
  conductAfter,
  conductAfterTimeout,
  conductAfterWrong,
  score,
} from '../../src/core/contract/score.ts';
import { copyOf } from '../../src/core/contract/copy.ts';
import { CONTRACT_STATES } from '../../src/core/contract/state.ts';
import { judgeProtection } from '../../src/core/contract/verdict.ts';
import type { ReplicaFacts, VerdictFacts } from '../../src/core/contract/verdict.ts';
import { PERIODS_MS } from '../../src/core/policy/periods.ts';
import { countCopies } from '../../src/core/policy/replicas.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NEW = Buffer.alloc(64, 2);
const OLD = Buffer.alloc(64, 1);
const NONE = Buffer.alloc(0);
const GOOD: ReplicaFacts = {
  peer: 'ben-nas',
  state: 'ACTIVE',
  waitsForUs: false,
  stateReason: '',
  proved: NEW,
  sinceStart: true,
  acknowledged: NEW,
  lastOutcomeWrong: false,
  refusal: undefined,
  isConnected: true,
};
const FACTS: VerdictFacts = {
  mode: 'normal',
  newest: NEW,
  dirty: false,
  minReplicas: 2,
  replicas: [GOOD, { ...GOOD, peer: 'cleo' }],
  isTorReady: true,
  knowsPeers: true,
};

function judge(change: Partial<VerdictFacts>): string {
  const { verdict, reasons } = judgeProtection({ ...FACTS, ...change });
  for (const reason of reasons) assert.ok(reason.message.endsWith('.') && reason.next.startsWith('bb '), reason.code);
  return [verdict, ...reasons.map(({ code }) => code)].join(' ');
}

test('PROTECTED needs minReplicas proofs of the newest revision, and has no reasons', () => {
  assert.equal(judge({}), 'PROTECTED');
  assert.equal(judge({ minReplicas: 3 }), 'AT_RISK TOO_FEW_CONTRACTS');
  assert.equal(judge({ replicas: [GOOD, { ...GOOD, proved: NONE }] }), 'AT_RISK NOT_PROVED TOO_FEW_PROVED');
});

test('a proof that an earlier run was given is AT RISK: the disk that says so may be an older image', () => {
  const carried = { ...GOOD, sinceStart: false };
  assert.equal(judge({ replicas: [GOOD, carried] }), 'AT_RISK NOT_PROVED TOO_FEW_PROVED');
  assert.equal(judge({ replicas: [carried, { ...carried, isConnected: false }] }), 'AT_RISK NOT_PROVED PEER_OFFLINE');
  const [{ message } = assert.fail()] = judgeProtection({ ...FACTS, replicas: [carried] }).reasons.slice(1);
  assert.equal(message, 'ben-nas holds the newest revision but has not proved it since this start.');
  assert.equal(judge({ replicas: [GOOD, GOOD, carried] }), 'PROTECTED', 'what is not needed is not missed');
});

test('a proof of an older revision is AT RISK, none is NOT PROTECTED', () => {
  const older = { ...GOOD, proved: OLD, acknowledged: OLD };
  assert.equal(judge({ replicas: [older, older] }), 'AT_RISK NOT_HELD NOT_HELD');
  const nothing = { ...older, proved: NONE };
  assert.equal(judge({ replicas: [nothing, nothing] }), 'NOT_PROTECTED NOT_HELD NOT_HELD');
  assert.equal(judge({ replicas: [] }), 'NOT_PROTECTED TOO_FEW_CONTRACTS');
});

test('a change that is in no revision yet makes every copy an older one', () => {
  assert.equal(judge({ dirty: true }), 'AT_RISK CHANGE_PENDING');
  assert.deepEqual(judgeProtection({ ...FACTS, dirty: true }).verifiedOlder, 2);
});

test('copies count only in ACTIVE and DEGRADED', () => {
  const withState = (state: ReplicaFacts['state']) => judge({ minReplicas: 1, replicas: [{ ...GOOD, state }] });
  assert.equal(withState('ACTIVE'), 'PROTECTED');
  assert.equal(withState('DEGRADED'), 'PROTECTED COPY_PAUSED');
  assert.equal(withState('GRACE'), 'NOT_PROTECTED TOO_FEW_CONTRACTS NOT_COUNTED');
  assert.equal(withState('EXPIRED'), 'NOT_PROTECTED TOO_FEW_CONTRACTS NOT_COUNTED');
  assert.equal(withState('ENDING'), 'NOT_PROTECTED TOO_FEW_CONTRACTS NOT_COUNTED');
  assert.equal(withState('PROPOSED'), 'NOT_PROTECTED NOT_AGREED TOO_FEW_CONTRACTS');
  assert.equal(withState('RELEASED'), 'NOT_PROTECTED TOO_FEW_CONTRACTS');
});

test('what counts for the verdict counts for repair, state by state', () => {
  for (const state of CONTRACT_STATES) {
    for (const proved of [NEW, OLD, NONE]) {
      const { verifiedNewest, verifiedOlder } = judgeProtection({ ...FACTS, replicas: [{ ...GOOD, state, proved }] });
      const { copies } = countCopies([{ state, proved, sinceStart: true, score: 1000 }]);
      assert.equal(verifiedNewest + verifiedOlder, copies, `${state} ${proved.length}`);
      assert.equal(verifiedNewest === 1, copyOf({ state, proved, sinceStart: true }, NEW) === 'newest');
    }
  }
});

test('PROTECTED that rests on a paused contract says so, by name and reason', () => {
  const silent: ReplicaFacts = {
    ...GOOD,
    state: 'DEGRADED',
    stateReason: 'it has not proved its copy for two check periods',
  };
  const { verdict, reasons } = judgeProtection({ ...FACTS, replicas: [GOOD, silent] });
  assert.equal(verdict, 'PROTECTED');
  assert.match(reasons[0]?.message ?? '', /^ben-nas counts, but .* paused \(it has not proved its copy for two/);
});

test('PROTECTED names the contracts that it does without and that are not well, and is PROTECTED all the same', () => {
  const spare = (state: ReplicaFacts['state'], proved = NEW): ReplicaFacts => ({
    ...GOOD,
    peer: 'dora',
    state,
    proved,
    stateReason: 'no session for 24 h',
  });
  const told = (...others: ReplicaFacts[]) => judgeProtection({ ...FACTS, replicas: [GOOD, GOOD, ...others] }).reasons;
  assert.deepEqual(told(spare('DEGRADED')), [
    {
      code: 'SPARE_PAUSED',
      message: 'The contract with dora is DEGRADED (no session for 24 h); enough others proved the newest revision.',
      next: 'bb contracts show dora',
    },
  ]);
  assert.match(told(spare('GRACE', NONE))[0]?.message ?? '', /dora is GRACE/);
  assert.match(told(spare('EXPIRED', OLD))[0]?.message ?? '', /dora is EXPIRED/);
  assert.deepEqual(told(spare('ACTIVE', OLD)), []);
  const needed = { ...spare('DEGRADED'), peer: 'ben' };
  assert.equal(judge({ replicas: [GOOD, spare('GRACE'), needed] }), 'PROTECTED COPY_PAUSED SPARE_PAUSED');
});

test('a node that is not normal is never PROTECTED and says why', () => {
  assert.equal(judge({ mode: 'recovering' }), 'AT_RISK RECOVERING');
  const empty = { newest: undefined, replicas: [] };
  assert.equal(judge({ mode: 'blocked', ...empty }), 'NOT_PROTECTED BLOCKED');
  assert.equal(judge({ mode: 'recovering', ...empty, isTorReady: false }), 'NOT_PROTECTED RECOVERING TOR_NOT_READY');
});

test('while nothing is set, no contract and no copy changes that nothing is protected', () => {
  assert.equal(judge({ newest: undefined }), 'NOT_PROTECTED NO_CONTENT');
  assert.equal(judge({ newest: undefined, replicas: [], isTorReady: false }).split(' ')[1], 'NO_CONTENT');
});

test('a proposal that is not answered comes before the missing contracts, and says who has to answer', () => {
  const said = (waitsForUs: boolean) =>
    judgeProtection({ ...FACTS, replicas: [{ ...GOOD, state: 'PROPOSED', proved: NONE, waitsForUs }] }).reasons[0];
  assert.match(said(false)?.message ?? '', /not agreed yet: the peer's user has to accept/);
  assert.match(said(true)?.message ?? '', /waits for your answer/);
  assert.equal(said(false)?.next, 'bb contracts show ben-nas');
});

test('what is in the way has its reason', () => {
  const unproved = { ...GOOD, proved: NONE };
  const one = (change: Partial<ReplicaFacts>) =>
    judge({ replicas: [{ ...unproved, ...change }, unproved] }).split(' ')[1];
  assert.equal(one({ isConnected: false }), 'PEER_OFFLINE');
  assert.equal(one({ lastOutcomeWrong: true }), 'CHECK_WRONG');
  assert.equal(one({ acknowledged: OLD }), 'NOT_HELD');
  assert.equal(one({ acknowledged: OLD, refusal: 'QUOTA' }), 'PEER_QUOTA');
  assert.equal(one({ acknowledged: OLD, refusal: 'NO_SPACE', isConnected: false }), 'PEER_NO_SPACE');
  assert.equal(one({ acknowledged: OLD, refusal: 'REFUSED' }), 'PEER_REFUSED');
  assert.equal(judge({ isTorReady: false, minReplicas: 9 }).split(' ')[1], 'TOR_NOT_READY');
  const reasons = judgeProtection({ ...FACTS, replicas: [], knowsPeers: false }).reasons;
  assert.match(reasons[0]?.next ?? '', /^bb connect/);
});

const FINE: PeerFacts = {
  unreachableMs: 0,
  lastJudged: 'held',
  unprovedMs: 0,
  checkPeriodMs: DAY,
  offerOpenMs: undefined,
  hasAcknowledged: true,
  missingCells: 1000,
  fetchedCells: 0,
  excused: false,
};

function reasonsOf(change: Partial<PeerFacts>): string {
  return degradedReasons({ ...FINE, ...change }, PERIODS_MS).join(' ');
}

test('reasons for DEGRADED at their borders', () => {
  assert.equal(reasonsOf({}), '');
  assert.equal(reasonsOf({ unreachableMs: DAY }), '');
  assert.equal(reasonsOf({ unreachableMs: DAY + 1 }), 'UNREACHABLE');
  assert.equal(reasonsOf({ lastJudged: 'wrong' }), 'WRONG_PROOF');
  assert.equal(reasonsOf({ unprovedMs: 2 * DAY }), '');
  assert.equal(reasonsOf({ unprovedMs: 2 * DAY + 1 }), 'CHECK_OVERDUE');
  assert.equal(reasonsOf({ unprovedMs: undefined }), '');
  assert.equal(reasonsOf({ offerOpenMs: 7 * DAY }), '');
  assert.equal(reasonsOf({ offerOpenMs: 7 * DAY + 1 }), 'COPY_STALE');
  assert.equal(reasonsOf({ offerOpenMs: 7 * DAY + 1, excused: true }), '');
  assert.equal(reasonsOf({ offerOpenMs: 7 * DAY + 1, fetchedCells: 10 }), '');
  assert.equal(reasonsOf({ offerOpenMs: 7 * DAY + 1, fetchedCells: 9 }), 'COPY_STALE');
  assert.equal(reasonsOf({ offerOpenMs: 7 * DAY + 1, missingCells: 5, fetchedCells: 1 }), '');
  assert.equal(reasonsOf({ offerOpenMs: DAY + 1, hasAcknowledged: false }), 'COPY_STALE');
  assert.equal(reasonsOf({ offerOpenMs: DAY, hasAcknowledged: false }), '');
});

test('the score follows reachability, integrity and age', () => {
  assert.equal(score(NEW_CONDUCT, 0, PERIODS_MS), 300);
  assert.equal(score(NEW_CONDUCT, 90 * DAY, PERIODS_MS), 1000);
  assert.equal(score(NEW_CONDUCT, 900 * DAY, PERIODS_MS), 1000);
  assert.equal(conductAfter(NEW_CONDUCT, false, 14 * DAY, PERIODS_MS).reachability, 0.5);
  assert.equal(conductAfter({ ...NEW_CONDUCT, reachability: 0 }, true, 14 * DAY, PERIODS_MS).reachability, 0.5);
  const wrong = conductAfterWrong(NEW_CONDUCT);
  assert.equal(wrong.integrity, 0.5);
  assert.equal(conductAfter(wrong, true, 60 * DAY, PERIODS_MS).integrity, 0.75);
  const twice = conductAfterTimeout(conductAfterTimeout(NEW_CONDUCT));
  assert.equal(twice.integrity, 1);
  assert.deepEqual(conductAfterTimeout(twice), { ...NEW_CONDUCT, integrity: 0.5 });
});
