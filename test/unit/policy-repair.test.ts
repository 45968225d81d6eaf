// What a storer may fetch again of what it lost, and how its copy is proved again after a default.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cureAfter, isCured, NOT_CURED } from '../../src/core/challenge/cure.ts';
import { planChallenge } from '../../src/core/challenge/plan.ts';
import { dividedPeriods } from '../../src/core/policy/periods.ts';
import {
  mayRepull,
  NO_LOSS,
  repairAllowanceCells,
  repairLeftCells,
  withProof,
  withRepaired,
} from '../../src/core/policy/repair.ts';
import { scrubStepCells } from '../../src/core/policy/scrub.ts';

const DAY = 86_400;
const HOUR = 3600;

test('repair is 1 % of a replica, at least 8 cells', () => {
  assert.deepEqual([3, 899, 900, 1000, 82_000].map(repairAllowanceCells), [8, 8, 9, 10, 820]);
});

test('repaired cells count until 30 days have passed without another', () => {
  const five = withRepaired(NO_LOSS, 5, 0);
  assert.equal(repairLeftCells(five, 100, 30 * DAY - 1), 3);
  assert.equal(repairLeftCells(five, 100, 30 * DAY), 8);
  const eight = withRepaired(five, 3, 29 * DAY);
  assert.equal(repairLeftCells(eight, 100, 58 * DAY), 0);
  assert.equal(repairLeftCells(eight, 100, 59 * DAY), 8);
  assert.equal(repairLeftCells(withRepaired(eight, -2, 30 * DAY), 100, 30 * DAY), 2);
});

test('everything is given again once in 30 days', () => {
  assert(mayRepull(NO_LOSS, 0));
  assert(!mayRepull({ ...NO_LOSS, repullSeconds: 5 }, 5 + 30 * DAY - 1));
  assert(mayRepull({ ...NO_LOSS, repullSeconds: 5 }, 5 + 30 * DAY));
});

test('two wrong proofs are a default when they are 6 hours apart and none right is between them', () => {
  const first = withProof(NO_LOSS, false, 100);
  assert.equal(first.isDefault, false);
  const soon = withProof(first.loss, false, 100 + 6 * HOUR - 1);
  assert.equal(soon.isDefault, false);
  assert.equal(withProof(soon.loss, false, 100 + 6 * HOUR).isDefault, true);
  const right = withProof(soon.loss, true, 200);
  assert.equal(withProof(right.loss, false, 100 + 9 * HOUR).isDefault, false);
});

test('a copy is cured when every cell was swept held, within 30 challenges, whatever its size', () => {
  for (const dataCells of [5, 40, 255, 256, 300, 9000]) {
    const shape = { headCells: 1, indexCells: 1 + Math.floor(dataCells / 500), dataCells };
    const contentId = Buffer.alloc(64, 1);
    const seen = new Set<number>();
    let cure = NOT_CURED;
    let sweep = { indexCell: 0, dataCell: dataCells - 1 };
    let asked = 0;
    for (; !isCured(cure, shape); asked += 1) {
      assert(asked < 30, `${dataCells} cells are not cured after 30 challenges`);
      const planned = planChallenge(contentId, shape, { kind: 'cure' }, sweep, Buffer.alloc(64));
      for (const { startCell, cells } of planned.question.ranges) {
        for (let cell = startCell; cell < startCell + cells; cell += 1) seen.add(cell);
      }
      cure = cureAfter(cure, planned.question, 'held', shape);
      sweep = planned.sweep;
    }
    assert.equal(seen.size, 2 + shape.indexCells + dataCells, `${dataCells} cells after ${asked} challenges`);
  }
});

test('a wrong proof and another revision begin the cure anew, silence does not', () => {
  const shape = { headCells: 1, indexCells: 1, dataCells: 600 };
  const ask = (id: number) =>
    planChallenge(Buffer.alloc(64, id), shape, { kind: 'cure' }, { indexCell: 0, dataCell: 0 }, Buffer.alloc(64))
      .question;
  const half = cureAfter(NOT_CURED, ask(1), 'held', shape);
  assert.equal(half.cells, 256);
  assert.equal(cureAfter(half, ask(1), 'late', shape), half);
  assert.equal(cureAfter(half, ask(1), 'unreachable', shape), half);
  assert.equal(cureAfter(half, ask(1), 'wrong', shape).cells, 0);
  assert.equal(cureAfter(half, ask(2), 'held', shape).cells, 256);
  assert.equal(cureAfter(half, ask(1), 'held', shape).cells, 512);
});

test('every cell is read once in a pass, and small stores in a few steps', () => {
  const periods = dividedPeriods(1);
  const steps = periods.scrubPass / periods.scrubStep;
  for (const cells of [0, 16, 100_000, 1_000_000]) {
    assert(scrubStepCells(cells, periods) * steps >= cells);
    assert(scrubStepCells(cells, periods) >= 16);
  }
});
