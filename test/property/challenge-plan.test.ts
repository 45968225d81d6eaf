// Questions for any shape of blob: always valid, always covering.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sampledBlock } from '../../src/core/challenge/blocks.ts';
import { newCellRanges } from '../../src/core/challenge/new-cells.ts';
import { blobCellCount, planChallenge } from '../../src/core/challenge/plan.ts';
import type { CheckKind } from '../../src/core/challenge/plan.ts';
import { challengeReads } from '../../src/core/challenge/reads.ts';
import { validateQuestion } from '../../src/core/challenge/validate.ts';

const shape = fc.record({
  headCells: fc.integer({ min: 1, max: 9 }),
  indexCells: fc.integer({ min: 1, max: 900 }),
  dataCells: fc.oneof(fc.nat(600), fc.nat(520_000)),
});
const sweep = fc.record({ indexCell: fc.nat(1000), dataCell: fc.nat(600_000) });
const ID = Buffer.alloc(64, 1);
const random = fc.uint8Array({ minLength: 64, maxLength: 64 }).map((bytes) => Buffer.from(bytes));

test('every planned question is valid, reads inside the blob, and moves its sweep inside the rings', () => {
  const kinds = fc.constantFrom<'first' | 'daily' | 'cure'>('first', 'daily', 'cure');
  const cut = fc.array(fc.tuple(fc.nat(1000), fc.integer({ min: 1, max: 300 })), { maxLength: 20 });
  fc.assert(
    fc.property(shape, kinds, sweep, random, cut, (blob, kind, cursor, bytes, cuts) => {
      const cells = blobCellCount(blob);
      const check: CheckKind =
        kind === 'first' ? { kind, newCells: newCellRanges(cells, commonRuns(cuts, cells)) } : { kind };
      const planned = planChallenge(ID, blob, check, cursor, bytes);
      validateQuestion(planned.question, cells);
      const { ranges } = planned.question;
      assert.equal(ranges[0]?.startCell, 0);
      const last = ranges.at(-1);
      assert.equal((last?.startCell ?? 0) + (last?.cells ?? 0), cells);
      for (const range of ranges) assert.ok(range.startCell + range.cells <= cells);
      if (cells > 32 && kind !== 'first') {
        assert.ok(planned.sweep.dataCell < Math.max(1, blob.dataCells + blob.indexCells));
      }
    }),
  );
});

test('reads of the sample stay inside the blob', () => {
  fc.assert(
    fc.property(shape, random, (blob, bytes) => {
      const cells = blobCellCount(blob);
      const { question } = planChallenge(ID, blob, { kind: 'daily' }, { indexCell: 0, dataCell: 0 }, bytes);
      let seen = 0;
      for (const read of challengeReads({ ...question, ranges: [] }, cells)) {
        assert.ok(read.cell < cells && read.offsetBytes + read.lengthBytes <= 131_072);
        seen += 1;
      }
      assert.equal(seen, question.count);
    }),
    { numRuns: 20 },
  );
});

test('sampled blocks are in range and spread evenly', () => {
  const counts = Array.from({ length: 8 }, () => 0);
  const draws = 4000;
  for (let i = 0; i < draws; i += 1) {
    const block = sampledBlock(Buffer.alloc(32, 5), i, 1000);
    assert.ok(block >= 0 && block < 1000);
    counts[Math.floor(block / 125)] = (counts[Math.floor(block / 125)] ?? 0) + 1;
  }
  const expected = draws / 8;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  assert.ok(chiSquare < 24.3, `chi-square ${chiSquare} of 7 degrees of freedom, p = 0.001`);
});

/** Rising, disjoint runs out of random steps. */
function commonRuns(cuts: readonly (readonly [number, number])[], blobCells: number) {
  const runs: { cell: number; cells: number }[] = [];
  let at = 0;
  for (const [gap, cells] of cuts) {
    at += gap;
    if (at + cells > blobCells) break;
    runs.push({ cell: at, cells });
    at += cells;
  }
  return runs;
}
