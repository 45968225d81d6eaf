// The sweep goes on at the same cell when cells come and go.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { movedSweep } from '../../src/core/challenge/move-sweep.ts';
import type { BlobShape } from '../../src/core/challenge/plan.ts';

/** A blob with one head cell per copy, written as names of cells: index cells are capitals. */
const shapeOf = (cells: string): BlobShape => ({
  headCells: 1,
  indexCells: cells.replace(/[a-z]/g, '').length,
  dataCells: cells.replace(/[A-Z]/g, '').length,
});

/** As Catalog.commonRuns, one run per cell. */
function commonCells(after: string, before: string) {
  return after
    .split('')
    .flatMap((name, at) =>
      before.includes(name) ? [{ cell: 1 + at, referenceCell: 1 + before.indexOf(name), cells: 1 }] : [],
    );
}

/** Both blobs begin with their index cells; the cells that the sweep reads next, before and after. */
function next(before: string, after: string, indexCell: number, dataCell: number): string {
  const sweep = movedSweep({ indexCell, dataCell }, shapeOf(before), shapeOf(after), commonCells(after, before));
  const { indexCells, dataCells } = shapeOf(after);
  return `${after[sweep.indexCell % indexCells]}${after[indexCells + (sweep.dataCell % dataCells)]}`;
}

test('the sweep stays at its cells while others come and go', () => {
  assert.equal(next('ABabcdef', 'ABabcdef', 1, 3), 'Bd');
  assert.equal(next('ABabcdef', 'ABcdef', 1, 3), 'Bd');
  assert.equal(next('ABabcdef', 'CDABabcdefgh', 1, 3), 'Bd');
});

test('where its cell is gone it goes on at the next one that is left', () => {
  assert.equal(next('ABabcdef', 'ABabcef', 0, 3), 'Ae');
  assert.equal(next('ABabcdef', 'BCabcf', 0, 3), 'Bf');
});

test('where nothing is left after it, what is new comes next, and then the begin', () => {
  assert.equal(next('ABabcdef', 'ACabcgh', 1, 3), 'Cg');
  assert.equal(next('ABabcdef', 'Aabc', 1, 3), 'Aa');
});

test('of a content that is new in every cell the sweep begins at the first', () => {
  assert.equal(next('ABabc', 'CDghi', 1, 2), 'Cg');
});

test('runs across the end of the index move neither sweep into the other part', () => {
  const shape = shapeOf('ABabcd');
  const all = [{ cell: 1, referenceCell: 1, cells: 6 }];
  assert.deepEqual(movedSweep({ indexCell: 1, dataCell: 2 }, shape, shape, all), { indexCell: 1, dataCell: 2 });
  const index = [{ cell: 3, referenceCell: 3, cells: 4 }];
  assert.deepEqual(movedSweep({ indexCell: 1, dataCell: 2 }, shape, shape, index), { indexCell: 0, dataCell: 2 });
});
