// When another storer is looked for, and who is asked first.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONTRACT_STATES } from '../../src/core/contract/state.ts';
import { PERIODS_MS } from '../../src/core/policy/periods.ts';
import { chooseStorers, countCopies, decideReplicas } from '../../src/core/policy/replicas.ts';
import type { Candidate, Storer } from '../../src/core/policy/replicas.ts';
import { onionIdFromPubkey } from '../../src/core/ids.ts';

const DAY = 86_400;
const idOf = (number: number) => onionIdFromPubkey(Buffer.alloc(32, number));

test('copies count in ACTIVE and DEGRADED when the last judged proof was right, weighted by the score', () => {
  const proved = Buffer.alloc(64, 1);
  const counted = CONTRACT_STATES.filter(
    (state) => countCopies([{ state, proved, sinceStart: false, score: 500 }]).copies === 1,
  );
  assert.deepEqual(counted, ['ACTIVE', 'DEGRADED']);
  const copy = { state: 'ACTIVE', proved, sinceStart: false, score: 1000 } as const;
  assert.deepEqual(countCopies([copy, { ...copy, score: 250 }, { ...copy, proved: Buffer.alloc(0) }]), {
    copies: 2,
    effective: 1.25,
  });
});

test('too few copies are waited out for a day, a default with hardly any left is not', () => {
  const decide = (copies: number, belowSeconds: number, hasDefault = false) =>
    decideReplicas({ copies, wanted: 3, belowSeconds, hasDefault }, PERIODS_MS);
  assert.equal(decide(3, 10 * DAY), 'enough');
  assert.equal(decide(2, DAY - 1), 'wait');
  assert.equal(decide(2, DAY), 'look');
  assert.equal(decide(2, 0, true), 'wait');
  assert.equal(decide(1, 0, true), 'look');
  assert.equal(decideReplicas({ copies: 1, wanted: 1, belowSeconds: 9 * DAY, hasDefault: true }, PERIODS_MS), 'enough');
  assert.equal(decideReplicas({ copies: 0, wanted: 1, belowSeconds: 0, hasDefault: true }, PERIODS_MS), 'look');
});

const plain = (number: number, change: Partial<Candidate> = {}): Candidate => ({
  peer: idOf(number),
  pinned: false,
  isOld: false,
  introducer: undefined,
  added: false,
  isOwner: false,
  isReturning: false,
  score: 500,
  ...change,
});

const names = (chosen: readonly Candidate[], all: readonly Candidate[]) => chosen.map((one) => all.indexOf(one));

test('who has bytes here is asked first, then pinned, added, returning, the better behaved; equals by lot', () => {
  const all = [
    plain(1, { score: 999 }),
    plain(2, { isReturning: true }),
    plain(3, { added: true }),
    plain(4, { pinned: true }),
    plain(5, { isOwner: true, score: 0 }),
    plain(6, { score: 510 }),
    plain(7, { score: 590 }),
  ];
  const lots = [0, 0, 0, 0, 0, 0.9, 0.1];
  const order = names(
    chooseStorers(all, [], 7, () => lots.shift() ?? 0),
    all,
  );
  assert.deepEqual(order.slice(0, 4), [4, 3, 2, 1]);
  assert.deepEqual(
    names(
      chooseStorers(all.slice(5), [], 1, () => 0.5),
      all.slice(5),
    ),
    [0],
  );
});

test('above four storers at most half are young, and at most a third come through one introducer', () => {
  const old: Storer[] = Array.from({ length: 4 }, (_, index) => ({ ...plain(100 + index), isOld: true }));
  const farm = Array.from({ length: 20 }, (_, index) => plain(1 + index));
  assert.equal(chooseStorers(farm, [], 4, () => 0).length, 4, 'a small set is taken as it comes');
  assert.equal(chooseStorers(farm, old, 4, () => 0).length, 4);
  assert.equal(chooseStorers(farm, old.slice(0, 2), 6, () => 0).length, 4, 'half of eight');
  const viaEve = Array.from({ length: 20 }, (_, index) => plain(1 + index, { isOld: true, introducer: idOf(200) }));
  assert.equal(chooseStorers(viaEve, old, 5, () => 0).length, 3, 'a third of nine');
  const mixed = [...viaEve, ...Array.from({ length: 3 }, (_, index) => plain(50 + index, { isOld: true }))];
  assert.equal(chooseStorers(mixed, old, 5, () => 0).length, 5);
  const pinned = Array.from({ length: 6 }, (_, index) => plain(60 + index, { pinned: true }));
  assert.equal(chooseStorers(pinned, [], 6, () => 0).length, 6, 'the word of the user counts as age');
});
