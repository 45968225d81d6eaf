// Which question is asked, and what both sides read for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rangeCellsMax } from '../../src/core/challenge/bounds.ts';
import { newCellRanges } from '../../src/core/challenge/new-cells.ts';
import { blobCellCount, planChallenge } from '../../src/core/challenge/plan.ts';
import type { BlobShape, CheckKind } from '../../src/core/challenge/plan.ts';
import type { CellRange } from '../../src/core/challenge/question.ts';
import { blocksRead, challengeReads } from '../../src/core/challenge/reads.ts';
import { validateQuestion } from '../../src/core/challenge/validate.ts';

const ID = Buffer.alloc(64, 5);
const RANDOM = Buffer.alloc(64, 6);
const START = { indexCell: 0, dataCell: 0 };
const DAILY: CheckKind = { kind: 'daily' };

function plan(shape: BlobShape, check: CheckKind = DAILY, sweep = START) {
  const planned = planChallenge(ID, shape, check, sweep, RANDOM);
  validateQuestion(planned.question, blobCellCount(shape));
  return planned;
}

function cellsOf(ranges: readonly CellRange[]): number[] {
  return ranges.flatMap(({ startCell, cells }) => Array.from({ length: cells }, (_, i) => startCell + i));
}

test('a blob of up to 1,024 blocks is read whole, a larger one by sample', () => {
  const whole = plan({ headCells: 1, indexCells: 1, dataCells: 29 });
  assert.deepEqual([whole.question.count, whole.question.ranges], [0, [{ startCell: 0, cells: 32 }]]);
  assert.deepEqual(whole.sweep, START);
  assert.equal(blocksRead(whole.question), 1024);
  const sampled = plan({ headCells: 1, indexCells: 1, dataCells: 30 });
  assert.equal(sampled.question.count, 512);
});

test('the smallest blob is read whole', () => {
  assert.deepEqual(plan({ headCells: 1, indexCells: 1, dataCells: 0 }).question.ranges, [{ startCell: 0, cells: 3 }]);
});

test('nonce and seed are the random bytes', () => {
  const random = Buffer.concat([Buffer.alloc(32, 1), Buffer.alloc(32, 2)]);
  const { question } = planChallenge(ID, { headCells: 1, indexCells: 1, dataCells: 1 }, DAILY, START, random);
  assert.deepEqual([question.nonce, question.seed], [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]);
});

test('both heads are in every check', () => {
  const shape = { headCells: 2, indexCells: 10, dataCells: 1000 };
  for (const check of [DAILY, { kind: 'cure' }, { kind: 'first', newCells: [] }] as const) {
    const cells = new Set(cellsOf(plan(shape, check, { indexCell: 3, dataCell: 77 }).question.ranges));
    for (const head of [0, 1, 1012, 1013]) assert.ok(cells.has(head), `${check.kind} ${head}`);
  }
});

test('daily checks read every data cell in 90 days and every index cell in 7', () => {
  for (const shape of [
    { headCells: 1, indexCells: 1, dataCells: 40 },
    { headCells: 1, indexCells: 144, dataCells: 82_000 },
    { headCells: 9, indexCells: 900, dataCells: 523_370 },
  ]) {
    const seen = new Set<number>();
    let sweep = { indexCell: 5, dataCell: 999 };
    for (let day = 0; day < 90; day += 1) {
      const planned = plan(shape, DAILY, sweep);
      for (const cell of cellsOf(planned.question.ranges)) seen.add(cell);
      sweep = planned.sweep;
      if (day === 6) {
        const index = Array.from({ length: shape.indexCells }, (_, i) => shape.headCells + i);
        assert.ok(
          index.every((cell) => seen.has(cell)),
          'index within 7 days',
        );
      }
    }
    assert.equal(seen.size, blobCellCount(shape));
  }
});

test('30 checks of a cure read every cell', () => {
  const shape = { headCells: 9, indexCells: 900, dataCells: 523_370 };
  const seen = new Set<number>();
  let sweep = { indexCell: 0, dataCell: 1234 };
  for (let check = 0; check < 30; check += 1) {
    const planned = plan(shape, { kind: 'cure' }, sweep);
    for (const cell of cellsOf(planned.question.ranges)) seen.add(cell);
    sweep = planned.sweep;
  }
  assert.equal(seen.size, blobCellCount(shape));
});

test('a first check asks for 64 blocks and up to 256 new cells, the largest runs first', () => {
  const shape = { headCells: 1, indexCells: 10, dataCells: 5000 };
  const few = plan(shape, {
    kind: 'first',
    newCells: [
      { startCell: 0, cells: 1 },
      { startCell: 100, cells: 3 },
      { startCell: 5011, cells: 1 },
    ],
  });
  assert.equal(few.question.count, 64);
  assert.deepEqual(few.question.ranges, [
    { startCell: 0, cells: 1 },
    { startCell: 100, cells: 3 },
    { startCell: 5011, cells: 1 },
  ]);
  const all = plan(shape, { kind: 'first', newCells: [{ startCell: 0, cells: 5012 }] });
  assert.equal(cellsOf(all.question.ranges).length, 2 + 256);
  const many = Array.from({ length: 50 }, (_, i) => ({ startCell: 100 + 20 * i, cells: 1 + (i % 10) }));
  const scattered = plan(shape, { kind: 'first', newCells: many });
  assert.equal(scattered.question.ranges.length, 8);
  assert.ok(scattered.question.ranges.slice(1, -1).every(({ cells }) => cells >= 9));
});

test('a sweep cursor from a larger revision still plans', () => {
  plan({ headCells: 1, indexCells: 2, dataCells: 100 }, DAILY, { indexCell: 1000, dataCell: 100_000 });
  plan({ headCells: 1, indexCells: 2, dataCells: 100 }, { kind: 'cure' }, { indexCell: 1000, dataCell: 100_000 });
  plan({ headCells: 1, indexCells: 0, dataCells: 100 }, DAILY, { indexCell: 7, dataCell: 0 });
});

test('new cells are what no common run covers', () => {
  assert.deepEqual(newCellRanges(10, []), [{ startCell: 0, cells: 10 }]);
  assert.deepEqual(newCellRanges(10, [{ cell: 0, cells: 10 }]), []);
  assert.deepEqual(
    newCellRanges(10, [
      { cell: 1, cells: 2 },
      { cell: 3, cells: 1 },
      { cell: 8, cells: 1 },
    ]),
    [
      { startCell: 0, cells: 1 },
      { startCell: 4, cells: 4 },
      { startCell: 9, cells: 1 },
    ],
  );
  assert.throws(() =>
    newCellRanges(10, [
      { cell: 5, cells: 1 },
      { cell: 5, cells: 1 },
    ]),
  );
  assert.throws(() => newCellRanges(10, [{ cell: 9, cells: 2 }]));
});

test('reads go block by block, then cell by cell, inside the blob', () => {
  const { question } = plan({ headCells: 1, indexCells: 1, dataCells: 60 });
  const reads = [...challengeReads(question, 63)];
  assert.equal(reads.length, 512 + cellsOf(question.ranges).length);
  for (const read of reads.slice(0, 512)) {
    assert.ok(read.cell >= 0 && read.cell < 63 && read.offsetBytes % 4096 === 0 && read.offsetBytes < 131_072);
    assert.equal(read.lengthBytes, 4096);
  }
  assert.deepEqual(reads[512], { cell: 0, offsetBytes: 0, lengthBytes: 131_072 });
  assert.equal(blocksRead(question), 512 + 32 * cellsOf(question.ranges).length);
});

test('the bound on ranges grows with the blob', () => {
  assert.equal(rangeCellsMax(3), 256 + 18);
  assert.equal(rangeCellsMax(7680), 256 + 18);
  assert.equal(rangeCellsMax(7681), 257 + 18);
});
