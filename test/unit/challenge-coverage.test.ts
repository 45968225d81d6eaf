// No cell stays unread for 90 days, whatever happens to the content around it: the daily sweep over contents that grow,
// shrink and are full of names, with nothing sampled.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { movedSweep } from '../../src/core/challenge/move-sweep.ts';
import { blobCellCount, planChallenge } from '../../src/core/challenge/plan.ts';
import type { BlobShape } from '../../src/core/challenge/plan.ts';
import { validateQuestion } from '../../src/core/challenge/validate.ts';

/** Names of index cells and of data cells, in the order of the blob. */
type Cells = { readonly index: readonly number[]; readonly data: readonly number[] };

const DAYS = 400;
const HEAD_CELLS = 1;

const shapeOf = ({ index, data }: Cells): BlobShape => ({
  headCells: HEAD_CELLS,
  indexCells: index.length,
  dataCells: data.length,
});
const numbers = (from: number, count: number): number[] => Array.from({ length: count }, (_, at) => from + at);
const bodyOf = ({ index, data }: Cells): number[] => [...index, ...data];

function commonCells(after: Cells, before: Cells) {
  const places = new Map(bodyOf(before).map((name, at) => [name, at]));
  return bodyOf(after).flatMap((name, at) => {
    const reference = places.get(name);
    return reference === undefined ? [] : [{ cell: HEAD_CELLS + at, referenceCell: HEAD_CELLS + reference, cells: 1 }];
  });
}

/** One change and one daily check a day; the longest time in days that any index and data cell was there and unread. */
function longestUnread(start: Cells, change: (cells: Cells, day: number) => Cells): { index: number; data: number } {
  const longest = { index: 0, data: 0 };
  const readOn = new Map<number, number>();
  let cells = start;
  let sweep = { indexCell: 0, dataCell: 0 };
  for (let day = 0; day < DAYS; day += 1) {
    const next = change(cells, day);
    if (next !== cells) sweep = movedSweep(sweep, shapeOf(cells), shapeOf(next), commonCells(next, cells));
    cells = next;
    const body = bodyOf(cells);
    for (const name of body) if (!readOn.has(name)) readOn.set(name, day); // a first check reads what is new
    const shape = shapeOf(cells);
    const { question, sweep: swept } = planChallenge(
      Buffer.alloc(64),
      shape,
      { kind: 'daily' },
      sweep,
      Buffer.alloc(64, day),
    );
    validateQuestion(question, blobCellCount(shape));
    sweep = swept;
    for (const { startCell, cells: count } of question.ranges) {
      for (const name of body.slice(Math.max(0, startCell - HEAD_CELLS), startCell - HEAD_CELLS + count)) {
        readOn.set(name, day);
      }
    }
    const unread = (names: readonly number[]): number =>
      names.reduce((most, name) => Math.max(most, day - (readOn.get(name) ?? day)), 0);
    longest.index = Math.max(longest.index, unread(cells.index));
    longest.data = Math.max(longest.data, unread(cells.data));
  }
  return longest;
}

const DATA = 1_000_000;

test('a content that grows by as much every day is swept within 90 days, from its first days on', () => {
  const growing = longestUnread({ index: [0], data: numbers(DATA, 40) }, ({ index, data }) => ({
    index,
    data: [...data, ...numbers(DATA + data.length, 25)],
  }));
  assert.ok(growing.data <= 90, `${growing.data} days`);
});

test('a content that loses much of what was just swept is swept within 90 days all the same', () => {
  const start = { index: [0], data: numbers(DATA, 2000) };
  for (const day of [10, 20, 30, 39, 60, 79]) {
    for (const part of [0.25, 0.5, 0.75, 0.9]) {
      const kept = Math.round(start.data.length * (1 - part));
      for (const rest of [start.data.slice(0, kept), [...start.data.slice(0, 20), ...start.data.slice(20 - kept)]]) {
        const shrunk = longestUnread(start, (cells, today) => (today === day ? { ...cells, data: rest } : cells));
        assert.ok(shrunk.data <= 90, `${shrunk.data} days when ${part} went on day ${day}`);
      }
    }
  }
});

test('data between many names is swept within 90 days, and the names within 30', () => {
  for (const index of [200, 2000, 5000, 9000]) {
    const named = longestUnread({ index: numbers(0, index), data: numbers(DATA, 10_000 - index) }, (cells) => cells);
    assert.ok(named.data <= 90, `data ${named.data} days`);
    assert.ok(named.index <= (index <= 500 ? 7 : 30), `${index} index cells ${named.index} days`);
  }
});
