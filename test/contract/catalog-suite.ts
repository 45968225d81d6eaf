// What every Catalog must do, whatever it is made of.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { isBbError } from '../../src/core/errors.ts';
import type { CatalogRecord, RecordId } from '../../src/core/records.ts';
import type { Catalog, RevisionCommit, RevisionRow } from '../../src/ports/catalog.ts';
import type { CellPosition } from '../../src/ports/cell-store.ts';
import { bytesOf, peerOf, revisionOf } from './storage-fixture.ts';

/** A cell of a staged revision: its name, and its slot when it is new. */
export type StagedName = { readonly name: string; readonly slot?: number; readonly chunks?: readonly string[] };

export type CatalogDisk = {
  /** A catalog over the same disk, as after a restart: not opened, not unlocked. */
  make(): Catalog;
  /** Makes a staging database and returns its id. */
  stage(index: readonly StagedName[], data: readonly StagedName[]): string;
};

export const ROW_KEY = bytesOf('row key', 32);
export const cellIdOf = (name: string): Buffer => bytesOf(`cell id ${name}`, 32);

export async function opened(disk: CatalogDisk): Promise<Catalog> {
  const catalog = disk.make();
  await catalog.open();
  await catalog.unlock(Buffer.from(ROW_KEY));
  return catalog;
}

/** A commit of staged cells; all positions are in pack 0, heads in the last two slots before `slots`. */
export function commitOf(
  disk: CatalogDisk,
  sequence: number,
  index: readonly StagedName[],
  data: readonly StagedName[],
  slots: number,
  records: readonly CatalogRecord[] = [],
): RevisionCommit & { readonly revision: RevisionRow } {
  const revision = revisionOf(sequence, { indexCells: index.length, dataCells: data.length });
  return {
    staged: {
      stagingId: disk.stage(index, data),
      indexCells: index.length,
      dataCells: data.length,
      indexRoot: { level: 0, chunkIds: [] },
      contentRoot: Buffer.alloc(32),
      indexCellIds: Buffer.concat(index.map(({ name }) => cellIdOf(name))),
      fileCount: 2,
      fileBytes: 3,
      addedFiles: 0,
      removedFiles: 0,
      skippedFiles: 0,
      isChanged: true,
      newCells: 0,
    },
    revision,
    heads: [
      { pack: 0, slot: slots - 2 },
      { pack: 0, slot: slots - 1 },
    ],
    ownMarks: [{ pack: 0, slots }],
    records,
  };
}

const settingsOf = (name: string): CatalogRecord => ({
  id: 'ab'.repeat(16) as RecordId,
  kind: 'settings',
  value: { name, storageLimitBytes: 5, minReplicas: 2, approval: 'everyone', unlisted: true },
});

const peerRecordOf = (seed: string, introducer?: string): CatalogRecord => ({
  id: bytesOf(`id ${seed}`, 16).toString('hex') as RecordId,
  kind: 'peer',
  value: {
    onionId: peerOf(seed),
    name: `the friend ${seed}`,
    added: true,
    addedMs: 1.5,
    introducer: introducer === undefined ? undefined : peerOf(introducer),
    pinned: false,
    aeadKey: Buffer.alloc(0),
    lastReachedMs: 0,
    dialledBack: true,
    blocked: false,
    unlisted: true,
    limitBytes: 7,
  },
});

/** Leaves of `count` cells, each of its own. */
const leavesOf = (seed: string, count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => bytesOf(`leaf ${seed} ${index}`, 32)));
const leafAt = (leaves: Buffer, index: number): Buffer => leaves.subarray(index * 32, index * 32 + 32);

export function catalogSuite(name: string, maker: (context: TestContext) => CatalogDisk): void {
  const it = (what: string, body: (disk: CatalogDisk) => Promise<void>): void => {
    test(`${name}: ${what}`, (t) => body(maker(t)));
  };

  it('keeps records through a restart, replaces and deletes them', async (disk) => {
    const first = await opened(disk);
    await first.putRecords([settingsOf('old'), peerRecordOf('a'), peerRecordOf('b', 'a')]);
    await first.putRecords([settingsOf('new')], [peerRecordOf('a').id]);
    await first.close();
    const second = await opened(disk);
    const records = await second.records();
    assert.deepEqual(new Set(records), new Set([settingsOf('new'), peerRecordOf('b', 'a')]));
    await second.close();
  });

  it('is LOCKED without its key and cannot be read with another', async (disk) => {
    const catalog = await opened(disk);
    await catalog.putRecords([settingsOf('mine')]);
    await catalog.lock();
    await assert.rejects(catalog.records(), (error) => isBbError(error, 'LOCKED'));
    await assert.rejects(catalog.newestRevision(), (error) => isBbError(error, 'LOCKED'));
    await catalog.unlock(bytesOf('another key', 32));
    await assert.rejects(catalog.records(), (error) => isBbError(error, 'INTEGRITY'));
    await catalog.close();
  });

  it('commits a revision with all that belongs to it', async (disk) => {
    const catalog = await opened(disk);
    assert.equal(await catalog.newestRevision(), undefined);
    const commit = commitOf(
      disk,
      1,
      [{ name: 'i0', slot: 2, chunks: ['c2'] }],
      [
        { name: 'd0', slot: 0, chunks: ['c0'] },
        { name: 'd1', slot: 1, chunks: ['c1'] },
      ],
      5,
      [settingsOf('in the same transaction')],
    );
    await catalog.commitRevision(commit);
    await catalog.close();

    const again = await opened(disk);
    assert.deepEqual(await again.newestRevision(), commit.revision);
    assert.deepEqual(await again.revision(commit.revision.contentId), commit.revision);
    assert.equal(await again.revision(bytesOf('other', 64)), undefined);
    assert.deepEqual(await again.marks('own'), [{ pack: 0, slots: 5 }]);
    assert.deepEqual(await again.marks('peers'), []);
    assert.deepEqual(await again.records(), [settingsOf('in the same transaction')]);
    const ids = await again.cellIds(commit.revision.contentId, 0, 5);
    const head = (copy: number): Buffer => Buffer.concat([Buffer.of(1 + copy), Buffer.alloc(30), Buffer.of(1)]);
    assert.ok(ids.equals(Buffer.concat([head(0), ...['i0', 'd0', 'd1'].map(cellIdOf), head(1)])));
    assert.ok((await again.cellIds(commit.revision.contentId, 1, 2)).equals(ids.subarray(32, 96)));
    assert.equal((await again.cellIds(commit.revision.contentId, 5, 0)).length, 0);
    const slots = (await again.cellPositions(commit.revision.contentId, 0, 5)).map(({ slot }: CellPosition) => slot);
    assert.deepEqual(slots, [3, 2, 0, 1, 4]);
    await again.close();
  });

  it('commits a second revision over cells of the first, and finds what they share', async (disk) => {
    const catalog = await opened(disk);
    const one = commitOf(
      disk,
      1,
      [{ name: 'i0', slot: 0 }],
      ['a', 'b', 'c'].map((x, i) => ({ name: x, slot: 1 + i })),
      6,
    );
    await catalog.commitRevision(one);
    const two = commitOf(
      disk,
      2,
      [{ name: 'i1', slot: 6 }],
      [{ name: 'b' }, { name: 'c' }, { name: 'd', slot: 7 }, { name: 'a' }],
      10,
    );
    await catalog.commitRevision(two);
    assert.equal((await catalog.newestRevision())?.sequence, 2);
    assert.deepEqual(await catalog.commonRuns(two.revision.contentId, one.revision.contentId), [
      { cell: 2, referenceCell: 3, cells: 2 },
      { cell: 5, referenceCell: 2, cells: 1 },
    ]);
    await catalog.dropRevision(one.revision.contentId);
    assert.equal(await catalog.revision(one.revision.contentId), undefined);
    const slots = (await catalog.cellPositions(two.revision.contentId, 1, 5)).map(({ slot }: CellPosition) => slot);
    assert.deepEqual(slots, [6, 2, 3, 7, 1]);
    await catalog.dropRevision(one.revision.contentId);
    await catalog.close();
  });

  it('takes the cells of the newest revision when only the head changes', async (disk) => {
    const catalog = await opened(disk);
    const one = commitOf(disk, 1, [{ name: 'i0', slot: 0 }], [{ name: 'a', slot: 1 }], 4);
    await catalog.commitRevision(one);
    const revision = revisionOf(2, { indexCells: 1, dataCells: 1 });
    const heads = [4, 5].map((slot) => ({ pack: 0, slot }));
    await catalog.commitRevision({
      ...one,
      staged: { ...one.staged, stagingId: '' },
      revision,
      heads,
      ownMarks: [{ pack: 0, slots: 6 }],
    });
    const ids = await catalog.cellIds(revision.contentId, 1, 2);
    assert.ok(ids.equals(Buffer.concat([cellIdOf('i0'), cellIdOf('a')])));
    assert.equal((await catalog.newestRevision())?.sequence, 2);
    await catalog.close();
  });

  it('refuses a commit whose cells are not durable or not known, and changes nothing', async (disk) => {
    const catalog = await opened(disk);
    const notDurable = commitOf(disk, 1, [{ name: 'i0', slot: 0 }], [{ name: 'a', slot: 9 }], 4, [settingsOf('no')]);
    await assert.rejects(catalog.commitRevision(notDurable), (error) => isBbError(error, 'CONFLICT'));
    const unknown = commitOf(disk, 1, [{ name: 'i0', slot: 0 }], [{ name: 'nowhere' }], 4, [settingsOf('no')]);
    await assert.rejects(catalog.commitRevision(unknown), (error) => isBbError(error, 'INTEGRITY'));
    const gone = { ...unknown, staged: { ...unknown.staged, stagingId: 'never-made' } };
    await assert.rejects(catalog.commitRevision(gone), (error) => isBbError(error, 'NOT_FOUND'));
    assert.equal(await catalog.newestRevision(), undefined);
    assert.deepEqual(await catalog.records(), []);
    assert.deepEqual(await catalog.marks('own'), []);
    const good = commitOf(disk, 1, [{ name: 'i0', slot: 0 }], [{ name: 'a', slot: 1 }], 4);
    await catalog.commitRevision(good);
    const twice = { ...good, staged: { ...good.staged, stagingId: '' } };
    await assert.rejects(catalog.commitRevision(twice), (error) => isBbError(error, 'CONFLICT'));
    await catalog.close();
  });

  it('knows the leaves of a blob for a peer once all were given, heads for all peers at once', async (disk) => {
    const catalog = await opened(disk);
    const one = commitOf(
      disk,
      1,
      [{ name: 'i0', slot: 0 }],
      ['a', 'b'].map((x, i) => ({ name: x, slot: 1 + i })),
      5,
    );
    const id = one.revision.contentId;
    await catalog.commitRevision(one);
    assert.deepEqual(await catalog.unknownLeaves(peerOf('p'), id), [0, 1, 2, 3, 4]);
    const leaves = leavesOf('p', 5);
    await catalog.putLeaves(peerOf('p'), id, [4, 1, 0], Buffer.concat([4, 1, 0].map((cell) => leafAt(leaves, cell))));
    assert.deepEqual(await catalog.unknownLeaves(peerOf('p'), id), [2, 3]);
    const known = (from: number, count: number) => catalog.peerLeaves(peerOf('p'), id, from, count);
    assert.equal(await known(0, 5), undefined);
    assert.equal(await known(1, 2), undefined);
    assert.ok((await known(0, 2))?.equals(leaves.subarray(0, 64)));
    await catalog.putLeaves(peerOf('p'), id, [2, 3], Buffer.concat([leafAt(leaves, 2), leafAt(leaves, 3)]));
    for (let from = 0; from <= 5; from++) {
      for (let to = from; to <= 5; to++) {
        assert.ok((await known(from, to - from))?.equals(leaves.subarray(from * 32, to * 32)), `${from} to ${to}`);
      }
    }
    await assert.rejects(known(1, 5), /lies inside the blob/);
    assert.deepEqual(await catalog.unknownLeaves(peerOf('q'), id), [1, 2, 3]);

    const two = commitOf(disk, 2, [{ name: 'i1', slot: 5 }], [{ name: 'b' }, { name: 'a' }], 8);
    await catalog.commitRevision(two);
    const second = two.revision.contentId;
    assert.deepEqual(await catalog.unknownLeaves(peerOf('p'), second), [0, 1, 4]);
    const swapped = Buffer.concat([leafAt(leaves, 3), leafAt(leaves, 2)]);
    assert.ok((await catalog.peerLeaves(peerOf('p'), second, 2, 2))?.equals(swapped));
    await catalog.close();
  });

  it('reads leaves across the pages that it keeps them in', async (disk) => {
    const catalog = await opened(disk);
    const data = Array.from({ length: 2100 }, (_, at) => ({ name: `d${at}`, slot: 1 + at }));
    const commit = commitOf(disk, 1, [{ name: 'i', slot: 0 }], data, 2103);
    await catalog.commitRevision(commit);
    const id = commit.revision.contentId;
    const leaves = leavesOf('many', 2103);
    const cells = Array.from({ length: 2103 }, (_, cell) => cell);
    await catalog.putLeaves(peerOf('p'), id, cells, leaves);
    for (const [from, count] of [
      [0, 2103],
      [1020, 10],
      [1024, 1024],
      [2048, 55],
      [2102, 1],
    ] as const) {
      const read = await catalog.peerLeaves(peerOf('p'), id, from, count);
      assert.ok(read?.equals(leaves.subarray(from * 32, (from + count) * 32)), `${count} from ${from}`);
    }
    await catalog.close();
  });

  it('holds lists of an owner, each cell once', async (disk) => {
    const catalog = await opened(disk);
    const old = leavesOf('old', 1030);
    const list = await catalog.createHeldList(peerOf('o'), old);
    assert.ok((await catalog.heldLeaves(list, 1020, 10)).equals(old.subarray(1020 * 32)));
    assert.deepEqual(await catalog.heldMissing(list, 1022, 5), [1022, 1023, 1024, 1025, 1026]);
    assert.deepEqual(await catalog.heldMissing(list, 1028, 5), [1028, 1029]);
    const cells = Array.from({ length: 1030 }, (_, index) => ({
      leaf: leafAt(old, index),
      position: { pack: 0, slot: index },
    }));
    await catalog.addHeldCells(peerOf('o'), cells.slice(0, 1029), [{ pack: 0, slots: 1030 }]);
    assert.deepEqual(await catalog.heldMissing(list, 0, 5), [1029]);
    await catalog.addHeldCells(peerOf('o'), cells.slice(1029), []);
    assert.deepEqual(await catalog.heldMissing(list, 0, 5), []);

    const newer = Buffer.concat([leafAt(old, 3), leavesOf('new', 1), leafAt(old, 3)]);
    const second = await catalog.createHeldList(peerOf('o'), newer);
    assert.deepEqual(await catalog.heldMissing(second, 0, 5), [1]);
    const third = { pack: 0, slot: 3 };
    assert.deepEqual(await catalog.heldPositions(second, 0, 3), [third, undefined, third]);
    assert.equal(await catalog.heldDistinctCells([list, second]), 1031);
    assert.equal(await catalog.heldDistinctCells([second]), 2);
    const other = await catalog.createHeldList(peerOf('other'), newer);
    assert.deepEqual(await catalog.heldMissing(other, 0, 5), [0, 1, 2], 'owners share no cells');
    await catalog.close();
  });

  it('drops a list with the cells that nothing else names, and tells the packs that became empty', async (disk) => {
    const catalog = await opened(disk);
    const first = leavesOf('x', 2);
    const list = await catalog.createHeldList(peerOf('o'), first);
    const shared = await catalog.createHeldList(peerOf('o'), leafAt(first, 1));
    const place = (index: number, pack: number): { leaf: Buffer; position: CellPosition } => ({
      leaf: leafAt(first, index),
      position: { pack, slot: 0 },
    });
    await catalog.addHeldCells(
      peerOf('o'),
      [place(0, 0), place(1, 1)],
      [0, 1, 2].map((pack) => ({ pack, slots: 1 })),
    );
    assert.deepEqual(await catalog.dropHeldList(list), [0]);
    assert.deepEqual(await catalog.heldPositions(shared, 0, 1), [{ pack: 1, slot: 0 }]);
    assert.deepEqual(await catalog.marks('peers'), [
      { pack: 1, slots: 1 },
      { pack: 2, slots: 1 },
    ]);
    assert.deepEqual(await catalog.dropHeldList(shared), [1], 'the newest pack stays: it may be being filled');
    await assert.rejects(catalog.dropHeldList(shared), (error) => isBbError(error, 'NOT_FOUND'));
    await catalog.close();
  });

  it('says how much of a pack is needed, and what moved out of it lies elsewhere for every list', async (disk) => {
    const catalog = await opened(disk);
    const leaves = leavesOf('p', 3);
    const list = await catalog.createHeldList(peerOf('o'), leaves);
    const shared = await catalog.createHeldList(peerOf('o'), leafAt(leaves, 2));
    const places = [0, 1, 2].map((index) => ({
      leaf: leafAt(leaves, index),
      position: { pack: 0, slot: 2 + 3 * index },
    }));
    const mark = { pack: 0, slots: 40 };
    await catalog.addHeldCells(peerOf('o'), places, [mark]);
    assert.deepEqual(await catalog.heldPackUse(), [{ ...mark, needed: 3 }]);
    assert.deepEqual(await catalog.heldInPack(0, 3, 5), [places[1]?.position, places[2]?.position]);
    assert.deepEqual(await catalog.heldInPack(0, 0, 1), [places[0]?.position]);

    const from = { pack: 0, slot: 8 };
    const to = { pack: 1, slot: 0 };
    const unknown = { from: { pack: 0, slot: 9 }, to: { pack: 1, slot: 1 } };
    const above = catalog.moveHeld([{ from, to: { pack: 1, slot: 2 } }], [{ pack: 1, slots: 2 }]);
    await assert.rejects(above, (error) => isBbError(error, 'CONFLICT'));
    assert.deepEqual(await catalog.heldPositions(shared, 0, 1), [from], 'a move above a mark changes nothing');
    assert.deepEqual(await catalog.marks('peers'), [mark]);
    await catalog.moveHeld([{ from, to }, unknown], [{ pack: 1, slots: 2 }]);
    assert.deepEqual(await catalog.heldPositions(list, 2, 1), [to]);
    assert.deepEqual(await catalog.heldPositions(shared, 0, 1), [to]);
    assert.deepEqual(await catalog.dropHeldPacks([0, 1]), [], 'something in it is needed');

    await catalog.dropHeldList(list);
    await catalog.addHeldCells(peerOf('o'), [], [{ pack: 2, slots: 1 }]);
    await catalog.moveHeld([{ from: to, to: { pack: 2, slot: 0 } }], []);
    assert.deepEqual(await catalog.dropHeldPacks([1, 2]), [1], 'the newest stays, and what is needed');
    assert.deepEqual(await catalog.marks('peers'), [{ pack: 2, slots: 1 }]);
    assert.deepEqual(await catalog.dropHeldPacks([1]), [], 'it went already');
    await catalog.close();
  });

  it('never lowers a mark and takes no cell above one', async (disk) => {
    const catalog = await opened(disk);
    const leaves = leavesOf('m', 2);
    await catalog.createHeldList(peerOf('o'), leaves);
    const cell = (slot: number): { leaf: Buffer; position: CellPosition } => ({
      leaf: leafAt(leaves, 0),
      position: { pack: 0, slot },
    });
    await catalog.addHeldCells(peerOf('o'), [cell(9)], [{ pack: 0, slots: 10 }]);
    await catalog.addHeldCells(peerOf('o'), [cell(4)], [{ pack: 0, slots: 5 }]);
    assert.deepEqual(await catalog.marks('peers'), [{ pack: 0, slots: 10 }]);
    await assert.rejects(catalog.addHeldCells(peerOf('o'), [cell(10)], []), (error) => isBbError(error, 'CONFLICT'));
    await catalog.close();
  });

  it('takes an empty list and an empty blob', async (disk) => {
    const catalog = await opened(disk);
    const list = await catalog.createHeldList(peerOf('o'), Buffer.alloc(0));
    assert.deepEqual(await catalog.heldMissing(list, 0, 5), []);
    assert.equal((await catalog.heldLeaves(list, 0, 0)).length, 0);
    assert.deepEqual(await catalog.dropHeldList(list), []);
    await catalog.close();
  });
}
