// Remaining seconds and charge for any history.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chargeBytes } from '../../src/core/contract/charge.ts';
import { remainingSeconds } from '../../src/core/contract/ledger.ts';
import { newContract, stepContract } from '../../src/core/contract/machine.ts';
import type { ContractEvent } from '../../src/core/contract/machine.ts';
import { decodeTerms, encodeTerms } from '../../src/core/contract/terms.ts';
import type { Terms } from '../../src/core/contract/terms.ts';
import { PLAIN_TERMS } from '../unit/plain-terms.ts';

const DAY = 86_400;
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
const terms: fc.Arbitrary<Terms> = fc
  .record({
    version: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    proposer: bytes32,
    acceptor: bytes32,
    bytesProposer: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    bytesAcceptor: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    durationSeconds: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    checkPeriodSeconds: fc.integer({ min: 3600, max: 30 * DAY }),
    holdSeconds: fc.integer({ min: DAY, max: 90 * DAY }),
    graceInitialSeconds: fc.integer({ min: 0, max: 90 * DAY }),
    graceRatePermille: fc.integer({ min: 0, max: 1000 }),
    graceCapSeconds: fc.integer({ min: DAY, max: 90 * DAY }),
    noticeSeconds: fc.integer({ min: 0, max: 365 * DAY }),
    nonce: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
  })
  .filter(({ proposer, acceptor }) => !proposer.equals(acceptor));

test('terms have one byte form', () => {
  fc.assert(
    fc.property(terms, (value) => {
      const bytes = encodeTerms(value);
      const back = decodeTerms(bytes);
      assert.deepEqual(back, { ...value });
      assert.ok(encodeTerms(back).equals(bytes));
    }),
  );
});

test('bytes that decode encode to themselves', () => {
  const mutation = fc.record({ at: fc.nat(132), value: fc.nat(255) });
  fc.assert(
    fc.property(terms, mutation, (value, { at, value: byte }) => {
      const bytes = encodeTerms(value);
      bytes[at] = byte;
      let decoded: Terms;
      try {
        decoded = decodeTerms(bytes);
      } catch {
        return;
      }
      assert.ok(encodeTerms(decoded).equals(bytes));
    }),
  );
});

const tick = fc.record({
  kind: fc.constant('tick' as const),
  reasons: fc.constantFrom([], ['UNREACHABLE' as const], ['WRONG_PROOF' as const]),
  durationOver: fc.boolean(),
  ownerRecovering: fc.boolean(),
  undiallable: fc.boolean(),
});
const event: fc.Arbitrary<ContractEvent> = fc.oneof(
  { weight: 6, arbitrary: tick.map((value) => ({ ...value, durationOver: false })) },
  { weight: 1, arbitrary: tick },
  {
    weight: 3,
    arbitrary: fc.constantFrom<ContractEvent>(
      { kind: 'proposed' },
      { kind: 'agreed' },
      { kind: 'rejected' },
      { kind: 'defaulted' },
      { kind: 'cured' },
      { kind: 'evicted' },
      { kind: 'ended', noticeSeconds: 30 * DAY },
      { kind: 'ended-by-both' },
    ),
  },
);

const CAP = 90 * DAY;
test('remaining seconds stay between 0 and the cap through any life of a contract', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: -DAY, max: 40 * DAY }), event), { maxLength: 60 });
  fc.assert(
    fc.property(steps, fc.boolean(), (history, added) => {
      let nowSeconds = 1000 * DAY;
      let life = newContract(nowSeconds);
      for (const [passed, happened] of history) {
        nowSeconds += passed;
        life = stepContract(life, happened, { nowSeconds, terms: PLAIN_TERMS, added }).next;
        for (const later of [nowSeconds, nowSeconds + 1000 * DAY]) {
          const left = remainingSeconds(life.ledger, later, CAP);
          assert.ok(left >= 0 && left <= CAP, `${life.state} ${left}`);
        }
        if (life.state === 'EXPIRED') assert.equal(remainingSeconds(life.ledger, nowSeconds, CAP), 0);
      }
    }),
    { numRuns: 300 },
  );
});

test('only GRACE and ENDING take remaining seconds away', () => {
  const states = fc.constantFrom<'ACTIVE' | 'DEGRADED'>('ACTIVE', 'DEGRADED');
  fc.assert(
    fc.property(states, fc.nat(CAP), fc.nat(100 * DAY), tick, (state, value, passed, happened) => {
      const slopePermille = state === 'ACTIVE' ? PLAIN_TERMS.graceRatePermille : 0;
      const before = { ...newContract(0), state, ledger: { valueSeconds: value, slopePermille, countedSeconds: 0 } };
      const { next } = stepContract(before, happened, { nowSeconds: passed, terms: PLAIN_TERMS, added: true });
      assert.ok(remainingSeconds(next.ledger, passed, CAP) >= value);
    }),
  );
});

test('the charge never falls when cells or kept entries are added', () => {
  const count = fc.nat(2 ** 20);
  fc.assert(
    fc.property(count, count, count, count, (cells, entries, moreCells, moreEntries) => {
      const before = chargeBytes({ distinctCells: cells, keptEntries: entries });
      const after = chargeBytes({ distinctCells: cells + moreCells, keptEntries: entries + moreEntries });
      assert.ok(after >= before && Number.isSafeInteger(after));
    }),
  );
});
