// The responder's side: what it refuses, how often it answers; and what an answer means.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampledBlock } from '../../src/core/challenge/blocks.ts';
import { creditChallenge, fullBucket, takeChallenge } from '../../src/core/challenge/bucket.ts';
import { judgeAnswer, shouldAskCurrent } from '../../src/core/challenge/judge.ts';
import type { ChallengeQuestion } from '../../src/core/challenge/question.ts';
import { validateQuestion } from '../../src/core/challenge/validate.ts';
import { startChallengeMac } from '../../src/core/crypto/challenge-mac.ts';
import { PeerRefusal } from '../../src/core/refusal.ts';

const QUESTION: ChallengeQuestion = {
  contentId: Buffer.alloc(64, 1),
  nonce: Buffer.alloc(32, 2),
  seed: Buffer.alloc(32, 3),
  count: 512,
  blockBytes: 4096,
  ranges: [
    { startCell: 0, cells: 1 },
    { startCell: 99, cells: 1 },
  ],
};

function isAccepted(change: Partial<ChallengeQuestion>, blobCells = 100): boolean {
  try {
    validateQuestion({ ...QUESTION, ...change }, blobCells);
    return true;
  } catch (error) {
    assert.ok(error instanceof PeerRefusal && error.refusal === 'BAD_RANGE');
    return false;
  }
}

test('a question inside its bounds is accepted', () => {
  assert.ok(isAccepted({}));
  assert.ok(isAccepted({ count: 0 }));
  assert.ok(isAccepted({ count: 1024 }));
  assert.ok(isAccepted({ ranges: [] }));
  assert.ok(isAccepted({ ranges: [{ startCell: 0, cells: 100 }] }));
  assert.ok(
    isAccepted({
      ranges: [
        { startCell: 3, cells: 2 },
        { startCell: 5, cells: 1 },
      ],
    }),
  );
  assert.ok(isAccepted({ ranges: Array.from({ length: 8 }, (_, i) => ({ startCell: i * 2, cells: 1 })) }));
  assert.ok(isAccepted({ ranges: [{ startCell: 0, cells: 274 }] }, 1000));
});

const REFUSED: Record<string, Partial<ChallengeQuestion>> = {
  'a short content id': { contentId: Buffer.alloc(63) },
  'a long nonce': { nonce: Buffer.alloc(33) },
  'an empty seed': { seed: Buffer.alloc(0) },
  'a count below 0': { count: -1 },
  'a count above 1,024': { count: 1025 },
  'a count that is no integer': { count: 1.5 },
  'another block size': { blockBytes: 4095 },
  'block size 0': { blockBytes: 0 },
  nothing: { count: 0, ranges: [] },
  'nine ranges': { ranges: Array.from({ length: 9 }, (_, i) => ({ startCell: i * 2, cells: 1 })) },
  'an empty range': { ranges: [{ startCell: 0, cells: 0 }] },
  'a range over the end': { ranges: [{ startCell: 99, cells: 2 }] },
  'a range behind the end': { ranges: [{ startCell: 100, cells: 1 }] },
  'a negative start': { ranges: [{ startCell: -1, cells: 2 }] },
  'a sum that overflows': { ranges: [{ startCell: Number.MAX_SAFE_INTEGER, cells: 2 }] },
  'ranges that overlap': {
    ranges: [
      { startCell: 0, cells: 2 },
      { startCell: 1, cells: 1 },
    ],
  },
  'ranges that fall': {
    ranges: [
      { startCell: 5, cells: 1 },
      { startCell: 0, cells: 1 },
    ],
  },
  'a start that is not a number': { ranges: [{ startCell: Number.NaN, cells: 1 }] },
};
for (const [name, change] of Object.entries(REFUSED)) {
  test(`refused: ${name}`, () => assert.equal(isAccepted(change), false));
}

test('refused: more cells than one challenge may ask, and any question about no blob', () => {
  assert.equal(isAccepted({ ranges: [{ startCell: 0, cells: 275 }] }, 1000), false);
  assert.equal(isAccepted({ ranges: [] }, 0), false);
});

test('only a wrong mac is wrong', () => {
  const mac = Buffer.alloc(32, 1);
  assert.equal(judgeAnswer(mac, { kind: 'mac', mac: Buffer.alloc(32, 1) }), 'held');
  assert.equal(judgeAnswer(mac, { kind: 'mac', mac: Buffer.alloc(32, 2) }), 'wrong');
  assert.equal(judgeAnswer(mac, { kind: 'mac', mac: mac.subarray(1) }), 'wrong');
  assert.equal(judgeAnswer(mac, { kind: 'mac', mac: Buffer.alloc(0) }), 'wrong');
  assert.equal(judgeAnswer(mac, { kind: 'refused', refusal: 'REPLICA_LOST' }), 'late');
  assert.equal(judgeAnswer(mac, { kind: 'silent', reachable: true }), 'late');
  assert.equal(judgeAnswer(mac, { kind: 'silent', reachable: false }), 'unreachable');
});

test('only UNKNOWN_CONTENT about a superseded id is asked again', () => {
  const old = Buffer.alloc(64, 1);
  const current = Buffer.alloc(64, 2);
  const unknown = { kind: 'refused', refusal: 'UNKNOWN_CONTENT' } as const;
  assert.equal(shouldAskCurrent(unknown, old, current), true);
  assert.equal(shouldAskCurrent(unknown, current, current), false);
  assert.equal(shouldAskCurrent({ kind: 'refused', refusal: 'CHALLENGE_BUSY' }, old, current), false);
});

test('a bucket gives four, then one per refill, and one per new revision', () => {
  let bucket = fullBucket(0);
  const take = (nowMs: number) => {
    const taken = takeChallenge(bucket, nowMs, 1000);
    bucket = taken.bucket;
    return taken.granted ? 'yes' : taken.retryMs;
  };
  assert.deepEqual([take(10), take(10), take(10), take(10), take(10)], ['yes', 'yes', 'yes', 'yes', 1000]);
  assert.deepEqual([take(1009), take(1010), take(1010)], [1, 'yes', 1000]);
  bucket = creditChallenge(bucket);
  assert.deepEqual([take(1010), take(1010)], ['yes', 1000]);
  assert.deepEqual(
    [take(99_000), take(99_000), take(99_000), take(99_000), take(99_000)],
    ['yes', 'yes', 'yes', 'yes', 1000],
  );
  for (let i = 0; i < 20; i += 1) bucket = creditChallenge(bucket);
  assert.equal(bucket.tokens, 8);
});

test('a bucket does not earn while its clock stands', () => {
  let bucket = { tokens: 0, sinceMs: 5000 };
  assert.equal(takeChallenge(bucket, 4000, 1000).granted, false);
  bucket = takeChallenge(bucket, 5999, 1000).bucket;
  assert.deepEqual(bucket, { tokens: 0, sinceMs: 5000 });
});

test('a mac is bound to both sides, the question and every byte', () => {
  const a = Buffer.alloc(32, 10);
  const b = Buffer.alloc(32, 11);
  const digest = (question: ChallengeQuestion, from: Buffer, to: Buffer, cells: number, bytes: string) => {
    const mac = startChallengeMac(question, from, to, cells);
    mac.update(Buffer.from(bytes));
    return mac.digest().toString('hex');
  };
  const all = [
    digest(QUESTION, a, b, 100, 'x'),
    digest(QUESTION, b, a, 100, 'x'),
    digest(QUESTION, a, b, 101, 'x'),
    digest(QUESTION, a, b, 100, 'y'),
    digest({ ...QUESTION, count: 511 }, a, b, 100, 'x'),
    digest({ ...QUESTION, nonce: Buffer.alloc(32, 9) }, a, b, 100, 'x'),
    digest({ ...QUESTION, seed: Buffer.alloc(32, 9) }, a, b, 100, 'x'),
    digest({ ...QUESTION, contentId: Buffer.alloc(64, 9) }, a, b, 100, 'x'),
    digest({ ...QUESTION, ranges: [] }, a, b, 100, 'x'),
  ];
  assert.equal(new Set(all).size, all.length);
});

test('a sampled block is the big-endian number mod the count', () => {
  const seed = Buffer.alloc(32, 3);
  assert.equal(sampledBlock(seed, 0, 1), 0);
  assert.throws(() => sampledBlock(seed, 0, 0));
  assert.notEqual(sampledBlock(seed, 0, 2 ** 40), sampledBlock(seed, 1, 2 ** 40));
});
