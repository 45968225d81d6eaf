// The pack store against a model, over random histories of appends, syncs, crashes, full disks, failed fsyncs, cells that
// are needed no more, and packs that are rewritten, killed at any step of it.
// Property: a needed cell is read back byte for byte from the moment sync() gave it a mark, whatever happens later.

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
  fc.record({ do: fc.constant('drop' as const), every: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('rewrite' as const), cutAfter: fc.integer({ min: 0, max: 4 }) }),
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
  let durable: Known[] = [];
  const given: CellPosition[] = [];
  let pending: Known[] = [];
  let next = 0;
  await store.open(marks);

  const append = async (count: number): Promise<void> => {
    const seeds = Array.from({ length: count }, () => `model ${next++}`);
    const positions = await store.append(seeds.map(cellOf));
    pending.push(...positions.map((position, index) => ({ position, seed: seeds[index] ?? '' })));
  };
  const reopen = async (isKilled: boolean): Promise<void> => {
    if (isKilled) {
      await store.close();
      store = new PackCellStore({ dir, kind, keys }, random, files);
    }
    await store.open(marks);
    pending = [];
  };
  /** What is needed of the oldest pack moves, as in src/daemon/rewrite-packs.ts, and is killed after so many of its steps. */
  const rewrite = async (cutAfter: number): Promise<void> => {
    const [pack] = marks.map((mark) => mark.pack);
    if (pack === undefined) return;
    if (pending.length > 0) await reopen(false);
    let moves: readonly CellPosition[] = [];
    const needed = durable.filter(({ position }) => position.pack === pack);
    const steps: readonly (() => Promise<void>)[] = [
      () => store.retirePack(pack),
      async () => {
        const cells = await Promise.all(
          needed.map(async ({ position }) => ({
            ...((await store.readTrailer(position)) ?? assert.fail('a durable slot has a trailer')),
            bytes: await store.read(position),
          })),
        );
        moves = await store.append(cells);
      },
      async () => {
        marks = await store.sync();
      },
      async () => {
        durable = durable.map((known) => {
          const at = needed.indexOf(known);
          return at < 0 ? known : { ...known, position: moves[at] ?? assert.fail('each cell got a place') };
        });
        given.push(...moves);
        marks = marks.filter((mark) => mark.pack !== pack);
      },
    ];
    for (const next of steps.slice(0, cutAfter)) await next();
    if (cutAfter < steps.length) return reopen(true);
    await store.removePack(pack);
    assert.ok(!(await files.list(dir)).includes(`pack-${pack}`), 'its space is given back');
  };
  for (const action of steps) {
    if (action.do === 'append') {
      await append(action.cells);
    } else if (action.do === 'appendFull') {
      fault.writableBytes = action.writableBytes;
      await append(3).catch((error: unknown) => assert.equal((error as { code?: string }).code, 'NO_SPACE'));
      fault.writableBytes = Number.POSITIVE_INFINITY;
    } else if (action.do === 'drop') {
      durable = durable.filter((_, index) => index % (action.every + 1) === 0);
    } else if (action.do === 'rewrite') {
      await rewrite(action.cutAfter);
    } else if (action.do === 'sync' || action.do === 'failSync') {
      fault.failNextSync = action.do === 'failSync';
      const synced = await store.sync().catch(() => undefined);
      fault.failNextSync = false;
      if (synced !== undefined) marks = synced;
      const slotsOf = new Map(marks.map((mark) => [mark.pack, mark.slots]));
      const kept = pending.filter(({ position }) => synced && position.slot < (slotsOf.get(position.pack) ?? 0));
      durable.push(...kept);
      given.push(...kept.map(({ position }) => position));
      pending = [];
    } else {
      await reopen(action.do === 'crash');
    }
    for (const { position, seed } of durable) {
      assert.ok((await store.read(position)).equals(cellOf(seed).bytes), `${seed} after ${action.do}`);
    }
  }
  const places = new Set(given.map(({ pack, slot }) => `${pack}/${slot}`));
  assert.equal(places.size, given.length, 'no slot was given out twice');
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
