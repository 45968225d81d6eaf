// How many storers have each data cell.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Weakest } from '../../src/daemon/weakest-files.ts';
import type { WeakestFiles } from '../../src/ports/workers.ts';
import { copiesOfCells, isEven } from '../../src/core/policy/weakest.ts';

/** Two heads or index cells come first; four data cells. */
const of = (...proved: Parameters<typeof copiesOfCells>[2]): number[] => [...copiesOfCells(2, 4, proved)];

test('a storer of this revision has every cell, one of an older revision what both have', () => {
  assert.deepEqual(of(), [0, 0, 0, 0]);
  assert.deepEqual(of('all', 'all'), [2, 2, 2, 2]);
  assert.deepEqual(of('all', [{ cell: 3, cells: 2 }]), [1, 2, 2, 1]);
  assert.deepEqual(of([]), [0, 0, 0, 0]);
});

test('what lies before and behind the data cells does not count', () => {
  assert.deepEqual(of([{ cell: 0, cells: 3 }]), [1, 0, 0, 0]);
  assert.deepEqual(of([{ cell: 5, cells: 9 }]), [0, 0, 0, 1]);
  assert.deepEqual(
    of([
      { cell: 0, cells: 2 },
      { cell: 6, cells: 1 },
    ]),
    [0, 0, 0, 0],
  );
});

test('more storers than a byte counts are as many as it counts', () => {
  assert.deepEqual(of(...Array.from({ length: 300 }, () => 'all' as const)), [255, 255, 255, 255]);
});

test('copies are even when no cell has more than another', () => {
  assert.deepEqual(
    [[], [3, 3], [3, 2], [0]].map((copies) => isEven(Buffer.from(copies))),
    [true, true, false, true],
  );
});

test('an answer is worked out once, but a failed one is asked for again: what was damaged is healed meanwhile', async () => {
  const weakest = new Weakest();
  const found = { copies: 1, files: 1, names: [] };
  const answers: (() => Promise<WeakestFiles | undefined>)[] = [
    () => Promise.reject(new Error('the disk is full')),
    () => Promise.resolve(undefined),
    () => Promise.resolve(found),
  ];
  const find = () => (answers.shift() ?? assert.fail('asked for once more'))();
  await assert.rejects(weakest.get('same', find), /full/);
  assert.equal(await weakest.get('same', find), undefined);
  assert.equal(await weakest.get('same', find), found);
  assert.equal(await weakest.get('same', find), found);
});
