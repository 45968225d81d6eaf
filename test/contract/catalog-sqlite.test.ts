// The SQLite catalog against the suite of its port, and what only a database file can get wrong: foreign bytes, newer
// formats, secrets in plain, a copy that is not whole.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { pubkeyFromOnionId } from '../../src/core/ids.ts';
import { isBbError } from '../../src/core/errors.ts';
import { CatalogReader } from '../../src/storage/catalog/catalog-reader.ts';
import { RowKeys } from '../../src/storage/catalog/row-keys.ts';
import { StagingDb } from '../../src/storage/catalog/staging.ts';
import { catalogSuite, cellIdOf, commitOf, opened, ROW_KEY } from './catalog-suite.ts';
import type { CatalogDisk } from './catalog-suite.ts';
import { chunkIdOf, random, sqliteDiskIn } from './sqlite-disk.ts';
import { bytesOf, peerOf, tempDir } from './storage-fixture.ts';

catalogSuite('sqlite', (t) => sqliteDiskIn(tempDir(t)));

function fixture(t: TestContext): { readonly dir: string; readonly disk: CatalogDisk } {
  const dir = tempDir(t);
  return { dir, disk: sqliteDiskIn(dir) };
}

test('a newer format and a foreign file are refused and left as they are', async (t) => {
  const { dir, disk } = fixture(t);
  await (await opened(disk)).close();
  const database = new DatabaseSync(`${dir}/state.db`);
  database.exec('PRAGMA user_version = 2');
  database.close();
  await assert.rejects(disk.make().open(), (error) => isBbError(error, 'INCOMPATIBLE'));
  assert.throws(
    () => new CatalogReader(dir, ROW_KEY),
    (error) => isBbError(error, 'INCOMPATIBLE'),
  );

  for (const bytes of [bytesOf('noise', 8192), Buffer.from('SQLite format 3\0 but not really')]) {
    fs.writeFileSync(`${dir}/state.db`, bytes);
    await assert.rejects(disk.make().open(), (error) => isBbError(error, 'INTEGRITY'));
    assert.ok(fs.readFileSync(`${dir}/state.db`).equals(bytes));
  }
  fs.rmSync(`${dir}/state.db`);
  const foreign = new DatabaseSync(`${dir}/state.db`);
  foreign.exec('PRAGMA user_version = 1; CREATE TABLE other (x)');
  foreign.close();
  await assert.rejects(disk.make().open(), (error) => isBbError(error, 'INTEGRITY'));
});

test('files are private and the staging database is gone after the commit', async (t) => {
  const { dir, disk } = fixture(t);
  const catalog = await opened(disk);
  await catalog.commitRevision(commitOf(disk, 1, [{ name: 'i', slot: 0 }], [{ name: 'a', slot: 1 }], 4));
  assert.deepEqual(fs.readdirSync(`${dir}/tmp`), []);
  await catalog.backup();
  for (const name of fs.readdirSync(dir).filter((file) => file.startsWith('state'))) {
    assert.equal(fs.statSync(`${dir}/${name}`).mode & 0o077, 0, name);
  }
  await catalog.close();
});

test('a locked disk names no peer, no content and no leaf', async (t) => {
  const { dir, disk } = fixture(t);
  const catalog = await opened(disk);
  const commit = commitOf(disk, 1, [{ name: 'i', slot: 0 }], [{ name: 'a', slot: 1 }], 4);
  await catalog.commitRevision(commit);
  const leaves = bytesOf('leaves', 4 * 32);
  await catalog.putLeaves(peerOf('p'), commit.revision.contentId, [0, 1, 2, 3], leaves);
  await catalog.createHeldList(peerOf('p'), leaves);
  await catalog.close();
  const bytes = Buffer.concat(
    fs
      .readdirSync(dir)
      .filter((name) => name.startsWith('state'))
      .map((name) => fs.readFileSync(`${dir}/${name}`)),
  );
  const secrets = {
    onion: Buffer.from(peerOf('p')),
    pubkey: pubkeyFromOnionId(peerOf('p')),
    contentId: commit.revision.contentId.subarray(0, 32),
    metadata: commit.revision.metadata.subarray(0, 32),
    headLeaf: leaves.subarray(0, 32),
    leaf: leaves.subarray(32, 64),
  };
  for (const [name, secret] of Object.entries(secrets)) assert.equal(bytes.includes(secret), false, name);
  assert.ok(bytes.includes(cellIdOf('a')), 'cell ids are keyed MACs and may be seen');
});

test('state.bak is a whole catalog of its moment', async (t) => {
  const { dir, disk } = fixture(t);
  const catalog = await opened(disk);
  const one = commitOf(disk, 1, [{ name: 'i', slot: 0 }], [{ name: 'a', slot: 1 }], 4);
  await catalog.commitRevision(one);
  await catalog.backup();
  await catalog.commitRevision(commitOf(disk, 2, [{ name: 'i' }], [{ name: 'a' }], 6));
  await catalog.backup();
  await catalog.commitRevision(commitOf(disk, 3, [{ name: 'i' }], [{ name: 'a' }], 8));
  await catalog.close();
  const copy = tempDir(t);
  fs.copyFileSync(`${dir}/state.bak`, `${copy}/state.db`);
  const restored = await opened(sqliteDiskIn(copy));
  assert.equal((await restored.newestRevision())?.sequence, 2);
  assert.ok(await restored.revision(one.revision.contentId));
  await restored.close();
});

test('a sealed row that was moved to another id or changed is INTEGRITY and named', async (t) => {
  const { dir, disk } = fixture(t);
  const catalog = await opened(disk);
  const record = (id: string, name: string) =>
    ({
      id: id as never,
      kind: 'settings',
      value: { name, storageLimitBytes: 1, minReplicas: 1, approval: 'added', unlisted: false },
    }) as const;
  await catalog.putRecords([record('11'.repeat(16), 'a'), record('22'.repeat(16), 'b')]);
  const database = new DatabaseSync(`${dir}/state.db`);
  database.exec("UPDATE sealed SET value = (SELECT value FROM sealed WHERE hex(id) LIKE '11%')");
  await assert.rejects(catalog.records(), (error) => isBbError(error, 'INTEGRITY'));
  for (const change of ['version = 2', "kind = 'later'"]) {
    database.exec(`UPDATE sealed SET ${change}`);
    await assert.rejects(catalog.records(), (error) => isBbError(error, 'INTEGRITY'), change);
  }
  database.close();
  await catalog.close();
});

for (const { what, label } of [
  { what: 'of a newer version of its kind', label: { kind: 'settings', version: 2 } },
  { what: 'of a kind that came later', label: { kind: 'later', version: 1 } },
]) {
  test(`an authentic row ${what} is INCOMPATIBLE`, async (t) => {
    const { dir, disk } = fixture(t);
    const catalog = await opened(disk);
    const id = bytesOf('row', 16);
    const value = new RowKeys(ROW_KEY, random).seal({ id, ...label }, Buffer.from('whatever comes later'));
    const database = new DatabaseSync(`${dir}/state.db`);
    const insert = database.prepare('INSERT INTO sealed (id, kind, version, value) VALUES (?, ?, ?, ?)');
    insert.run(id, label.kind, label.version, value);
    database.close();
    await assert.rejects(catalog.records(), (error) => isBbError(error, 'INCOMPATIBLE'));
    await catalog.close();
  });
}

test('a row that is older than a field gets the value of before there was such a thing', async (t) => {
  const { disk } = fixture(t);
  const catalog = await opened(disk);
  const older = {
    mode: 'normal',
    modeSinceMs: 1,
    baseGeneration: 1,
    baseSequence: 2,
    baseContentId: Buffer.alloc(64, 3),
    countedSeconds: 4,
    dirty: false,
    recoveringId: Buffer.alloc(0),
  } as const;
  const id = '44'.repeat(16) as never;
  await catalog.putRecords([{ id, kind: 'node', value: older as never }]);
  const scrub = { ownCell: 0, heldList: 0, heldCell: 0 };
  const recovery = { firstAnswerSeconds: -1, acceptedSequence: 0, newIdentity: false, forks: [] };
  const value = { ...older, ...recovery, missingFiles: 0, missingNames: [], belowSeconds: -1, scrub };
  assert.deepEqual(await catalog.records(), [{ id, kind: 'node', value }]);
  await catalog.close();
});

test('a record that lacks a field is INTEGRITY and names row and field; a field too many is left out', async (t) => {
  const { disk } = fixture(t);
  const catalog = await opened(disk);
  const id = '33'.repeat(16) as never;
  await catalog.putRecords([{ id, kind: 'settings', value: { name: 'x', storageLimitBytes: 1 } as never }]);
  await assert.rejects(catalog.records(), /row 33333333.*settings.*minReplicas/);
  const value = { name: 'x', storageLimitBytes: 1, minReplicas: 2, approval: 'nobody', unlisted: true };
  await catalog.putRecords([{ id, kind: 'settings', value: { ...value, later: true } as never }]);
  assert.deepEqual(await catalog.records(), [{ id, kind: 'settings', value }]);
  await catalog.close();
});

test('bytes that crossed a thread (plain Uint8Array) are taken like Buffers', async (t) => {
  const { disk } = fixture(t);
  const catalog = await opened(disk);
  const commit = commitOf(disk, 1, [{ name: 'i', slot: 0 }], [{ name: 'a', slot: 1 }], 4);
  await catalog.commitRevision(structuredClone(commit) as typeof commit);
  assert.deepEqual(await catalog.newestRevision(), commit.revision);
  const leaves = bytesOf('leaves', 128);
  const id = structuredClone(commit.revision.contentId) as Buffer;
  await catalog.putLeaves(peerOf('p'), id, [0, 1, 2, 3], structuredClone(leaves) as Buffer);
  assert.ok((await catalog.peerLeaves(peerOf('p'), id, 0, 4))?.equals(leaves));
  const list = await catalog.createHeldList(peerOf('p'), structuredClone(leaves) as Buffer);
  assert.ok((await catalog.heldLeaves(list, 0, 4)).equals(leaves));
  await catalog.close();
});

test('dropping a revision removes cells and chunks of its own, and marks of packs with nothing live', async (t) => {
  const { dir, disk } = fixture(t);
  const catalog = await opened(disk);
  const one = commitOf(
    disk,
    1,
    [{ name: 'i', slot: 0, chunks: ['ci'] }],
    [{ name: 'a', slot: 1, chunks: ['ca', 'cb'] }],
    4,
  );
  await catalog.commitRevision(one);
  const two = commitOf(disk, 2, [{ name: 'i' }], [{ name: 'b', slot: 4, chunks: ['cb'] }], 7);
  await catalog.commitRevision({ ...two, ownMarks: [...two.ownMarks, { pack: 5, slots: 1 }, { pack: 6, slots: 1 }] });
  const reader = new CatalogReader(dir, ROW_KEY);
  assert.deepEqual(reader.chunkCell(chunkIdOf('ca'))?.cellId, cellIdOf('a'));
  assert.deepEqual(reader.chunkCell(chunkIdOf('cb')), {
    cellId: cellIdOf('b'),
    kind: 1,
    position: { pack: 0, slot: 4 },
  });
  await catalog.dropRevision(one.revision.contentId);
  assert.equal(reader.cell(cellIdOf('a')), undefined);
  assert.equal(reader.chunkCell(chunkIdOf('ca')), undefined);
  assert.deepEqual(reader.chunkCell(chunkIdOf('cb'))?.cellId, cellIdOf('b'));
  assert.deepEqual(reader.cell(cellIdOf('i')), { kind: 2, position: { pack: 0, slot: 0 } });
  assert.deepEqual(
    reader.marks('own').map(({ pack }) => pack),
    [0, 6],
  );
  assert.ok(reader.cellIds(two.revision.contentId, 1, 2).equals(Buffer.concat([cellIdOf('i'), cellIdOf('b')])));
  assert.throws(
    () => reader.cellIds(one.revision.contentId, 0, 1),
    (error) => isBbError(error, 'NOT_FOUND'),
  );
  reader.close();
  await catalog.close();
});

test('a recovery staging keeps what was saved and forgets the rest', (t) => {
  const path = `${tempDir(t)}/recovery-1.db`;
  const first = new StagingDb(path, { durable: true });
  first.addCell(cellIdOf('saved'), { kind: 1, position: { pack: 0, slot: 0 } });
  first.save();
  first.addCell(cellIdOf('lost'), { kind: 1, position: { pack: 0, slot: 1 } });
  const second = new DatabaseSync(path, { readOnly: true });
  assert.deepEqual(second.prepare('SELECT count(*) AS n FROM cell').get(), { __proto__: null, n: 1 });
  second.close();
  first.discard();
  assert.equal(fs.existsSync(path), false);
});

test('a staging database answers what was put into it', (t) => {
  const staging = new StagingDb(`${tempDir(t)}/s.db`, { durable: false });
  assert.equal(staging.cell(cellIdOf('a')), undefined);
  staging.addCell(cellIdOf('a'), { kind: 1, position: { pack: 3, slot: 4 } });
  assert.deepEqual(staging.cell(cellIdOf('a')), { kind: 1, position: { pack: 3, slot: 4 } });
  assert.equal(staging.chunkCell(chunkIdOf('c')), undefined);
  staging.addChunk(chunkIdOf('c'), cellIdOf('a'));
  assert.deepEqual(staging.chunkCell(chunkIdOf('c')), cellIdOf('a'));
  assert.equal(staging.isLive(cellIdOf('a')), false);
  staging.markLive(cellIdOf('a'));
  staging.markLive(cellIdOf('a'));
  assert.ok(staging.isLive(cellIdOf('a')));
  for (const name of ['d0', 'd1']) staging.listCell(cellIdOf(name), 'data');
  staging.listCell(cellIdOf('i0'), 'index');
  assert.deepEqual([...staging.listed()], ['i0', 'd0', 'd1'].map(cellIdOf));
  assert.deepEqual([staging.listedCount('index'), staging.listedCount('data'), staging.cellCount()], [1, 2, 1]);
  assert.ok(staging.isListed(cellIdOf('d0')) && !staging.isListed(cellIdOf('a')));
  staging.discard();
});
