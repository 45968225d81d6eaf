// The pack store against a model, over random histories of appends, syncs, crashes, full disks and failed fsyncs.
// Property: a cell is read back byte for byte from the moment sync() gave it a mark, whatever happens later.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import fc from 'fast-check';
import { packKeys } from '../../src/core/crypto/dir-keys.ts';
import { PACK_SLOT_BYTES } from '../../src/core/limits.ts';
import type { CellPosition, PackMark } from '../../src/ports/cell-store.ts';
import { PackCellStore } from '../../src/storage/packs/pack-cell-store.ts';
import { faultyFiles } from './faulty-files.ts';
import { cellOf, countingRandom } from './storage-fixture.ts';

const step = fc.oneof(
  fc.record({ do: fc.constant('append' as const), cells: fc.integer({ min: 1, max: 3 }) }),
  fc.record({
    do: fc.constant('appendFull' as const),
    writableBytes: fc.integer({ min: 0, max: 2 * PACK_SLOT_BYTES }),
  }),
  fc.record({ do: fc.constantFrom('sync' as const, 'failSync' as const, 'crash' as const, 'takeBack' as const) }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Known = { readonly position: CellPosition; readonly seed: string };

async function play(dir: string, kind: 'own' | 'peers', steps: readonly Step[]): Promise<void> {
  const { files, fault } = faultyFiles();
  const keys = packKeys(Buffer.alloc(32, 5));
  const random = countingRandom(dir);
  let store = new PackCellStore({ dir, kind, keys }, random, files);
  let marks: readonly PackMark[] = [];
  const durable: Known[] = [];
  let pending: Known[] = [];
  let next = 0;
  await store.open(marks);

  const append = async (count: number): Promise<void> => {
    const seeds = Array.from({ length: count }, () => `model ${next++}`);
    const positions = await store.append(seeds.map(cellOf));
    pending.push(...positions.map((position, index) => ({ position, seed: seeds[index] ?? '' })));
  };
  for (const action of steps) {
    if (action.do === 'append') {
      await append(action.cells);
    } else if (action.do === 'appendFull') {
      fault.writableBytes = action.writableBytes;
      await append(3).catch((error: unknown) => assert.equal((error as { code?: string }).code, 'NO_SPACE'));
      fault.writableBytes = Number.POSITIVE_INFINITY;
    } else if (action.do === 'sync' || action.do === 'failSync') {
      fault.failNextSync = action.do === 'failSync';
      const synced = await store.sync().catch(() => undefined);
      fault.failNextSync = false;
      if (synced !== undefined) marks = synced;
      const slotsOf = new Map(marks.map((mark) => [mark.pack, mark.slots]));
      durable.push(...pending.filter(({ position }) => synced && position.slot < (slotsOf.get(position.pack) ?? 0)));
      pending = [];
    } else {
      if (action.do === 'crash') {
        await store.close();
        store = new PackCellStore({ dir, kind, keys }, random, files);
      }
      await store.open(marks);
      pending = [];
    }
    for (const { position, seed } of durable) {
      assert.ok((await store.read(position)).equals(cellOf(seed).bytes), `${seed} after ${action.do}`);
    }
  }
  const places = new Set(durable.map(({ position }) => `${position.pack}/${position.slot}`));
  assert.equal(places.size, durable.length, 'no slot was given out twice');
  await store.close();
}

for (const kind of ['own', 'peers'] as const) {
  test(`${kind} packs keep every durable cell through any history`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
        const dir = fs.mkdtempSync(`${tmpdir()}/bb-model-`);
        try {
          await play(dir, kind, steps);
        } finally {
          fs.rmSync(dir, { recursive: true, force: true });
        }
      }),
      { numRuns: 40 },
    );
  });
}
