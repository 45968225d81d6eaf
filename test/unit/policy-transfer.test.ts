// The plan of a pull, the cells of a range, lanes and the serving rule.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBbError } from '../../src/core/errors.ts';
import { BLOB_CELLS, CELL_BYTES } from '../../src/core/limits.ts';
import { CellAssembler } from '../../src/core/policy/cell-assembler.ts';
import { DownloadPlan } from '../../src/core/policy/download-plan.ts';
import type { PlanSection } from '../../src/core/policy/download-plan.ts';
import { LaneQueue } from '../../src/core/policy/lanes.ts';
import { UploadServing } from '../../src/core/policy/serving.ts';

const leaves = (count: number): PlanSection => ({ kind: 'leaves', leaves: Buffer.alloc(32 * count, 1) });
const reference = (cell: number, cells: number): PlanSection => ({
  kind: 'reference',
  offsetBytes: cell * CELL_BYTES,
  lengthBytes: cells * CELL_BYTES,
});

function assertBad(work: () => unknown): void {
  assert.throws(work, (error) => isBbError(error, 'BAD_PEER_DATA'));
}

test('a plan covers the blob once, in order', () => {
  const plan = new DownloadPlan(10, 20);
  assert.deepEqual(plan.add(reference(15, 5)), { kind: 'reference', cell: 0, referenceCell: 15, cells: 5 });
  const run = plan.add(leaves(2));
  assert.deepEqual([run.cell, run.cells], [5, 2]);
  assert.equal(plan.add(reference(0, 3)).cell, 7);
  plan.finish();
});

test('a plan with a gap at the end, or beyond the end, is refused', () => {
  const short = new DownloadPlan(3, 3);
  short.add(leaves(2));
  assertBad(() => short.finish());
  assertBad(() => short.add(leaves(2)));
  assertBad(() => short.add(reference(0, 2)));
  short.add(leaves(1));
  assertBad(() => short.add(leaves(1)));
  short.finish();
});

test('sections of a plan that are torn, empty or too long are refused', () => {
  const plan = () => new DownloadPlan(BLOB_CELLS, 10);
  for (const bytes of [0, 31, 33, 32 * 2049]) {
    assertBad(() => plan().add({ kind: 'leaves', leaves: Buffer.alloc(bytes) }));
  }
  assert.equal(plan().add(leaves(2048)).cells, 2048);
});

test('references outside the reference, torn, empty or used twice are refused', () => {
  const plan = () => new DownloadPlan(100, 10);
  const section = (offsetBytes: number, lengthBytes: number): PlanSection => ({
    kind: 'reference',
    offsetBytes,
    lengthBytes,
  });
  assert.equal(plan().add(reference(0, 10)).cells, 10);
  assertBad(() => plan().add(reference(0, 11)));
  assertBad(() => plan().add(reference(10, 1)));
  assertBad(() => plan().add(reference(9, 2)));
  assertBad(() => plan().add(reference(0, 0)));
  assertBad(() => plan().add(section(1, CELL_BYTES)));
  assertBad(() => plan().add(section(0, CELL_BYTES - 1)));
  assertBad(() => plan().add(section(-CELL_BYTES, CELL_BYTES)));
  assertBad(() => plan().add(section(2 ** 53, CELL_BYTES)));
  assertBad(() => plan().add(section(0, 2 ** 53)));
  assertBad(() => plan().add(section(Number.NaN, CELL_BYTES)));
  assertBad(() => new DownloadPlan(100, 0).add(reference(0, 1)));
  const twice = plan();
  twice.add(reference(3, 2));
  assertBad(() => twice.add(reference(4, 1)));
});

test('a plan has a size that was checked before', () => {
  assert.throws(() => new DownloadPlan(0, 0));
  assert.throws(() => new DownloadPlan(BLOB_CELLS + 1, 0));
});

test('sections cut anywhere become the cells of a range', () => {
  const assembler = new CellAssembler(7, 2);
  const bytes = Buffer.alloc(2 * CELL_BYTES);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = i % 251;
  const cells = [];
  for (let at = 0; at < bytes.length; ) {
    const next = Math.min(bytes.length, at + 65_536 - (at % 3));
    cells.push(...assembler.add(bytes.subarray(at, next)));
    at = next;
  }
  assert.deepEqual(
    cells.map(({ cell }) => cell),
    [7, 8],
  );
  assert.ok(Buffer.concat(cells.map((cell) => cell.bytes)).equals(bytes));
  assert.ok(assembler.isComplete);
});

test('a section that is empty, too long or beyond its range is refused', () => {
  const assembler = new CellAssembler(0, 1);
  assertBad(() => assembler.add(Buffer.alloc(0)));
  assertBad(() => assembler.add(Buffer.alloc(65_537)));
  assembler.add(Buffer.alloc(65_536));
  assert.equal(assembler.nextCell, 0);
  assembler.add(Buffer.alloc(65_535));
  assertBad(() => assembler.add(Buffer.alloc(2)));
  assert.equal(assembler.isComplete, false);
  assembler.add(Buffer.alloc(1));
  assert.ok(assembler.isComplete);
  assertBad(() => assembler.add(Buffer.alloc(1)));
});

test('lanes get runs of bounded length, and what a lane leaves comes back', () => {
  const queue = new LaneQueue(
    [
      { startCell: 0, cells: 10 },
      { startCell: 50, cells: 3 },
    ],
    8,
  );
  assert.deepEqual(queue.take(0), { startCell: 0, cells: 8 });
  assert.deepEqual(queue.take(1), { startCell: 8, cells: 2 });
  assert.equal(queue.done(0, 0), true);
  assert.equal(queue.done(0, 0), false);
  assert.equal(queue.done(0, 8), false);
  queue.release(0);
  assert.equal(queue.remainingCells, 12);
  assert.deepEqual(queue.take(0), { startCell: 1, cells: 7 });
});

test('an idle lane takes half of the slowest, whose end moves', () => {
  const queue = new LaneQueue([{ startCell: 0, cells: 16 }], 64);
  queue.take(0);
  assert.deepEqual(queue.take(1), { startCell: 8, cells: 8 });
  assert.equal(queue.done(0, 7), true);
  assert.equal(queue.hasWork(0), false);
  assert.equal(queue.done(0, 8), false);
  assert.equal(queue.take(3), undefined);
});

test('a cell is taken over at most once, and never after a cut', () => {
  const queue = new LaneQueue([{ startCell: 0, cells: 64 }], 64);
  queue.take(0);
  assert.deepEqual(queue.take(1), { startCell: 32, cells: 32 });
  assert.deepEqual(queue.take(2), { startCell: 16, cells: 16 });
  assert.deepEqual(queue.take(3), { startCell: 8, cells: 8 });
  queue.release(1);
  assert.deepEqual(queue.take(1), { startCell: 32, cells: 32 });
  queue.release(0);
  assert.deepEqual(queue.take(0), { startCell: 0, cells: 8 });
  assert.equal(queue.take(4), undefined);
});

test('an open upload serves a new cell three times, and never one that is held', () => {
  const serving = new UploadServing(Buffer.alloc(64), 10, (cell) => cell === 4, 0);
  assert.deepEqual(
    [1, 2, 3, 4].map((at) => serving.serve(0, true, at)),
    ['serve', 'serve', 'serve', 'too-often'],
  );
  assert.equal(serving.lastServedMs, 3);
  assert.equal(serving.serve(1, true, 9), 'serve');
  assert.equal(serving.serve(4, true, 9), 'held-already');
  assert.equal(serving.serve(2, false, 9), 'held-already');
  assert.equal(serving.serve(10, true, 9), 'too-often');
  serving.takeBack(0); // it was read ahead and never sent
  assert.equal(serving.serve(0, true, 9), 'serve');
  assert.equal(serving.serve(0, true, 9), 'too-often');
});

test('an upload that was cut too often goes on after a minute of rest', () => {
  const serving = new UploadServing(Buffer.alloc(64), 10, (cell) => cell === 4, 0);
  for (const at of [1, 2, 3]) serving.serve(0, true, at);
  assert.equal(serving.serve(0, true, 60_002), 'too-often');
  assert.equal(serving.serve(4, true, 60_003), 'held-already');
  assert.equal(serving.serve(0, true, 60_003), 'serve');
});

test('what is given again after a loss is counted for good', () => {
  const serving = new UploadServing(Buffer.alloc(64), 10, () => false, 0, 'repull');
  for (const at of [1, 2, 3]) assert.equal(serving.serve(0, true, at), 'serve');
  assert.equal(serving.serve(0, true, 600_000), 'too-often');
  assert.equal(serving.serve(1, true, 600_000), 'serve');
});
