// What every CellStore must do, whatever it is made of.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { isBbError } from '../../src/core/errors.ts';
import { CELL_BYTES, PACK_SLOTS } from '../../src/core/limits.ts';
import type { CellStore } from '../../src/ports/cell-store.ts';
import { cellOf } from './storage-fixture.ts';

export type CellStoreMaker = (context: TestContext) => {
  /** A store over the same disk, as after a restart; not opened. */
  make(): CellStore;
};

export function cellStoreSuite(name: string, maker: CellStoreMaker): void {
  test(`${name}: gives back what was appended, in whole and in part`, async (t) => {
    const store = maker(t).make();
    await store.open([]);
    const cells = ['a', 'b', 'c'].map(cellOf);
    const positions = await store.append(cells);
    assert.deepEqual(new Set(positions.map(({ slot }) => slot)).size, 3);
    for (const [index, position] of positions.entries()) {
      const { kind, address, leaf, bytes } = cells[index] ?? assert.fail();
      assert.ok((await store.read(position)).equals(bytes));
      for (const [offset, length] of [
        [0, 0],
        [0, 16],
        [4096, 4096],
        [CELL_BYTES - 1, 1],
        [7, 100],
      ] as const) {
        assert.ok((await store.readRange(position, offset, length)).equals(bytes.subarray(offset, offset + length)));
      }
      assert.deepEqual(await store.readTrailer(position), { kind, address, leaf });
    }
    await store.close();
  });

  test(`${name}: keeps what was synced and cuts the rest at the next start`, async (t) => {
    const disk = maker(t);
    const first = disk.make();
    await first.open([]);
    const [kept] = await first.append([cellOf('kept')]);
    const marks = await first.sync();
    const [cut] = await first.append([cellOf('cut')]);
    assert.ok(kept && cut);
    await first.close();

    const second = disk.make();
    await second.open(marks);
    assert.ok((await second.read(kept)).equals(cellOf('kept').bytes));
    await assert.rejects(second.read(cut), (error) => isBbError(error, 'INTEGRITY'));
    assert.equal(await second.readTrailer(cut), undefined);
    const [again] = await second.append([cellOf('again')]);
    assert.deepEqual(again, cut);
    await second.close();
  });

  test(`${name}: open() again takes back what was not committed`, async (t) => {
    const store = maker(t).make();
    await store.open([]);
    await store.append([cellOf('a')]);
    const marks = await store.sync();
    const bytesBefore = await store.diskBytes();
    await store.append([cellOf('b'), cellOf('c')]);
    await store.sync();
    assert.ok((await store.diskBytes()) > bytesBefore);
    await store.open(marks);
    assert.equal(await store.diskBytes(), bytesBefore);
    await store.close();
  });

  test(`${name}: removes packs without a mark and never gives their number out again`, async (t) => {
    const disk = maker(t);
    const first = disk.make();
    await first.open([]);
    const [position] = await first.append([cellOf('a')]);
    await first.sync();
    await first.close();
    const second = disk.make();
    await second.open([]);
    assert.equal(await second.diskBytes(), 0);
    const [next] = await second.append([cellOf('b')]);
    assert.ok(position && next && next.pack > position.pack);
    await second.close();
  });

  test(`${name}: appends of several callers get slots of their own`, async (t) => {
    const store = maker(t).make();
    await store.open([]);
    const all = await Promise.all(['a', 'b', 'c', 'd'].map((seed) => store.append([cellOf(seed), cellOf(`${seed}2`)])));
    assert.equal(new Set(all.flat().map(({ pack, slot }) => pack * PACK_SLOTS + slot)).size, 8);
    const marks = await store.sync();
    assert.equal(
      marks.reduce((total, { slots }) => total + slots, 0),
      8,
    );
    await store.close();
  });

  test(`${name}: a pack that is not there is INTEGRITY, not a crash`, async (t) => {
    const store = maker(t).make();
    await store.open([{ pack: 0, slots: 3 }]);
    await assert.rejects(store.read({ pack: 0, slot: 0 }), (error) => isBbError(error, 'INTEGRITY'));
    const [next] = await store.append([cellOf('a')]);
    assert.ok(next && next.pack !== 0, 'a lost pack takes no new cells');
    await store.close();
  });

  test(`${name}: a retired pack takes no more cells and can go`, async (t) => {
    const store = maker(t).make();
    await store.open([]);
    const [old] = await store.append([cellOf('a')]);
    await store.sync();
    assert.ok(old);
    await store.retirePack(old.pack);
    const [next] = await store.append([cellOf('b')]);
    assert.ok(next && next.pack > old.pack);
    assert.ok((await store.read(old)).equals(cellOf('a').bytes), 'what is in it stays readable');
    assert.equal((await store.sync()).length, 2);
    await store.removePack(old.pack);
    assert.deepEqual(await store.sync(), [{ pack: next.pack, slots: 1 }]);
    await assert.rejects(store.read(old), (error) => isBbError(error, 'INTEGRITY'));
    await store.close();
  });

  test(`${name}: a pack that is still being filled is not removed`, async (t) => {
    const store = maker(t).make();
    await store.open([]);
    const [position] = await store.append([cellOf('a')]);
    assert.ok(position);
    await store.removePack(position.pack);
    assert.ok((await store.read(position)).equals(cellOf('a').bytes));
    await store.close();
  });
}
