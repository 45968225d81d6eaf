// Plans of pulls from hostile streams, and lanes that steal from each other.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BbError } from '../../src/core/errors.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';
import { DownloadPlan } from '../../src/core/policy/download-plan.ts';
import type { PlanSection } from '../../src/core/policy/download-plan.ts';
import { LaneQueue } from '../../src/core/policy/lanes.ts';

const anyNumber = fc.oneof(fc.nat(40), fc.integer(), fc.maxSafeInteger(), fc.double());
const section: fc.Arbitrary<PlanSection> = fc.oneof(
  fc.nat(5).map((count) => ({ kind: 'leaves' as const, leaves: Buffer.alloc(32 * count) })),
  fc.nat(200).map((bytes) => ({ kind: 'leaves' as const, leaves: Buffer.alloc(bytes) })),
  fc.tuple(fc.nat(12), fc.nat(6)).map(([cell, cells]) => ({
    kind: 'reference' as const,
    offsetBytes: cell * CELL_BYTES,
    lengthBytes: cells * CELL_BYTES,
  })),
  fc.tuple(anyNumber, anyNumber).map(([offsetBytes, lengthBytes]) => ({
    kind: 'reference' as const,
    offsetBytes,
    lengthBytes,
  })),
);

test('a stream that is accepted to its end names each cell once and no reference cell twice', () => {
  fc.assert(
    fc.property(
      fc.array(section, { maxLength: 12 }),
      fc.integer({ min: 1, max: 12 }),
      fc.nat(12),
      (sections, total, known) => {
        const plan = new DownloadPlan(total, known);
        const used = new Set<number>();
        let next = 0;
        try {
          for (const part of sections) {
            const run = plan.add(part);
            assert.equal(run.cell, next);
            next += run.cells;
            if (run.kind === 'leaves') continue;
            for (let cell = run.referenceCell; cell < run.referenceCell + run.cells; cell += 1) {
              assert.ok(cell < known && !used.has(cell));
              used.add(cell);
            }
          }
          plan.finish();
        } catch (error) {
          assert.ok(error instanceof BbError && error.code === 'BAD_PEER_DATA', String(error));
          return;
        }
        assert.equal(next, total);
      },
    ),
    { numRuns: 2000 },
  );
});

test('lanes that advance, steal and fail finish every cell, and none belongs to two lanes', () => {
  const runs = fc.array(fc.tuple(fc.nat(5), fc.integer({ min: 1, max: 60 })), { minLength: 1, maxLength: 6 });
  const moves = fc.array(fc.tuple(fc.nat(3), fc.nat(9)), { maxLength: 400 });
  fc.assert(
    fc.property(runs, fc.integer({ min: 1, max: 16 }), moves, (gaps, runCells, script) => {
      const missing: { startCell: number; cells: number }[] = [];
      let at = 0;
      for (const [gap, cells] of gaps) {
        missing.push({ startCell: at + gap, cells });
        at += gap + cells;
      }
      const wanted = missing.reduce((sum, run) => sum + run.cells, 0);
      const queue = new LaneQueue(missing, runCells);
      const done = new Set<number>();
      const next = new Map<number, number>();
      const move = (lane: number, action: number) => {
        if (action === 0) {
          queue.release(lane);
          next.delete(lane);
        } else if (!queue.hasWork(lane)) {
          queue.release(lane);
          const run = queue.take(lane);
          if (run !== undefined) next.set(lane, run.startCell);
        } else {
          const cell = next.get(lane) ?? -1;
          if (queue.done(lane, cell)) {
            assert.ok(!done.has(cell), 'one cell, one lane');
            done.add(cell);
            next.set(lane, cell + 1);
          }
        }
        assert.equal(queue.remainingCells, wanted - done.size);
      };
      for (const [lane, action] of script) move(lane, action);
      for (let step = 0; queue.remainingCells > 0; step += 1) {
        assert.ok(step < 100_000, 'lanes come to an end');
        move(step % 4, 1);
      }
      assert.equal(done.size, wanted);
    }),
    { numRuns: 200 },
  );
});
