// A catalog that is damaged or lost is never taken for a fresh one; it is put back from its copy, cut or not, and what was
// replaced stays. Packs above its marks are searched for cells of other people.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { packKeys } from '../../src/core/crypto/dir-keys.ts';
import { isBbError } from '../../src/core/errors.ts';
import { pubkeyFromOnionId } from '../../src/core/ids.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';
import { SqliteCatalog } from '../../src/storage/catalog/sqlite-catalog.ts';
import { PackCellStore } from '../../src/storage/packs/pack-cell-store.ts';
import { slotAt } from '../../src/storage/packs/pack-format.ts';
import { ROW_KEY } from './catalog-suite.ts';
import { cellOf, countingRandom, peerOf, tempDir } from './storage-fixture.ts';

const WRAP_KEY = Buffer.alloc(32, 7);
const OWNER = peerOf('owner');
const random = countingRandom();

/** A used data directory: state.bak knows one held list; state.db knows a second one, part of it in its journal only. */
async function used(context: TestContext): Promise<{ readonly dir: string; readonly catalog: SqliteCatalog }> {
  const dir = tempDir(context);
  fs.mkdirSync(`${dir}/tmp`);
  const catalog = new SqliteCatalog(dir, random);
  await catalog.open();
  await catalog.unlock(ROW_KEY);
  await catalog.createHeldList(OWNER, cellOf('one').leaf);
  await catalog.backup();
  await catalog.createHeldList(OWNER, cellOf('two').leaf);
  return { dir, catalog };
}

async function lists(catalog: SqliteCatalog): Promise<number> {
  let count = 0;
  for (const list of [1, 2]) {
    const known = await catalog.heldLeaves(list, 0, 1).catch((error: unknown) => {
      assert(isBbError(error, 'NOT_FOUND'));
      return undefined;
    });
    if (known !== undefined) count++;
  }
  return count;
}

async function reopened(dir: string): Promise<SqliteCatalog> {
  const catalog = new SqliteCatalog(dir, random);
  await catalog.open();
  await catalog.unlock(ROW_KEY);
  return catalog;
}

const DAMAGES: readonly (readonly [name: string, make: (bytes: Buffer) => Buffer | undefined])[] = [
  ['lost', () => undefined],
  ['emptied', () => Buffer.alloc(0)],
  ['a short rest of it', (bytes) => bytes.subarray(0, 60)],
  ['cut in the middle of a page', (bytes) => bytes.subarray(0, 5000)],
  ['cut by a page', (bytes) => bytes.subarray(0, bytes.length - 4096)],
  ['zeroed', (bytes) => Buffer.alloc(bytes.length)],
  ['another magic', (bytes) => Buffer.concat([Buffer.from('BQLite'), bytes.subarray(6)])],
  ['another application', (bytes) => Buffer.concat([bytes.subarray(0, 68), Buffer.alloc(4), bytes.subarray(72)])],
];

for (const [name, make] of DAMAGES) {
  test(`state.db ${name} is INTEGRITY, and put back from the copy with the rest kept`, async (context) => {
    const { dir, catalog } = await used(context);
    await catalog.close();
    const path = `${dir}/state.db`;
    const bad = make(fs.readFileSync(path));
    fs.rmSync(path);
    if (bad !== undefined) fs.writeFileSync(path, bad);
    const damaged = new SqliteCatalog(dir, random);
    await assert.rejects(damaged.open(), (error) => isBbError(error, 'INTEGRITY') && /doctor --fix/.test(error.hint));
    assert.deepEqual(fs.existsSync(path) ? fs.readFileSync(path) : undefined, bad, 'it was written to');
    const { problems, copy } = await damaged.inspect();
    assert.deepEqual([problems.length > 0, copy], [true, 'good']);
    assert.equal(await damaged.rebuild(false), 'copy');
    await damaged.unlock(ROW_KEY);
    assert.equal(await lists(damaged), 1);
    assert.equal(await damaged.rebuiltFrom(), 'copy');
    await damaged.endRebuild([]);
    assert.equal(await damaged.rebuiltFrom(), undefined);
    if (bad !== undefined) assert.deepEqual(fs.readFileSync(`${dir}/state.db.damaged-1`), bad);
    await damaged.close();
  });
}

test('a journal of the old catalog never meets the new one', async (context) => {
  const { dir, catalog } = await used(context);
  const journal = fs.readFileSync(`${dir}/state.db-wal`);
  await catalog.close();
  fs.rmSync(`${dir}/state.db`);
  fs.writeFileSync(`${dir}/state.db-wal`, journal);
  const next = new SqliteCatalog(dir, random);
  await assert.rejects(next.open(), (error) => isBbError(error, 'INTEGRITY'));
  await next.rebuild(false);
  await next.unlock(ROW_KEY);
  assert.equal(await lists(next), 1, 'pages of the old journal became part of the copy');
  assert.deepEqual(fs.readFileSync(`${dir}/state.db.damaged-1-wal`), journal);
  await next.close();
});

test('with a bad copy, or one whose rows do not open, an empty catalog begins', async (context) => {
  const { dir, catalog } = await used(context);
  await catalog.close();
  assert.equal(await catalog.rebuild(true), 'nothing');
  assert(fs.readdirSync(dir).includes('state.db.damaged-1-bak'), 'the copy was thrown away');
  fs.writeFileSync(`${dir}/state.bak`, Buffer.alloc(9000, 1));
  assert.equal((await catalog.inspect()).copy, 'damaged');
  assert.equal(await catalog.rebuild(false), 'nothing');
  await catalog.unlock(ROW_KEY);
  assert.equal(await lists(catalog), 0);
  await catalog.close();
});

test('a rebuild that was cut is found as what it is', async (context) => {
  const { dir, catalog } = await used(context);
  await catalog.close();
  // After the new file was made, and after the old one was moved.
  fs.writeFileSync(`${dir}/state.db.new`, 'half');
  fs.writeFileSync(`${dir}/state.db.new-wal`, 'half');
  assert.equal(await lists(await reopened(dir)), 2, 'the catalog is still the old one');
  fs.renameSync(`${dir}/state.db`, `${dir}/state.db.damaged-1`);
  const next = new SqliteCatalog(dir, random);
  await assert.rejects(next.open(), (error) => isBbError(error, 'INTEGRITY'));
  assert.equal(await next.rebuild(false), 'copy');
  await next.close();
  // After all of it: the next start goes on with what it says of itself.
  const last = await reopened(dir);
  assert.equal(await last.rebuiltFrom(), 'copy');
  await last.close();
});

test('anything that a node leaves behind makes a missing catalog a lost one', async (context) => {
  for (const trace of ['header.json', 'header.bak', 'state.bak', 'own/pack-0', 'peers/pack-7']) {
    const dir = tempDir(context);
    for (const folder of ['own', 'peers']) fs.mkdirSync(`${dir}/${folder}`);
    fs.writeFileSync(`${dir}/${trace}`, '');
    await assert.rejects(new SqliteCatalog(dir, random).open(), (error) => isBbError(error, 'INTEGRITY'), trace);
    assert(!fs.existsSync(`${dir}/state.db`));
  }
});

test('a fresh directory gets a catalog, a newer one is left alone', async (context) => {
  const fresh = tempDir(context);
  await (await reopened(fresh)).close();
  const { dir, catalog } = await used(context);
  await catalog.close();
  const database = new DatabaseSync(`${dir}/state.db`);
  database.exec('PRAGMA user_version = 99');
  database.close();
  await assert.rejects(new SqliteCatalog(dir, random).open(), (error) => isBbError(error, 'INCOMPATIBLE'));
});

test('a damaged catalog does not replace its copy', async (context) => {
  const { dir, catalog } = await used(context);
  const copy = fs.readFileSync(`${dir}/state.bak`);
  const database = new DatabaseSync(`${dir}/state.db`);
  database.exec('UPDATE held_page SET leaves = zeroblob(100) WHERE list = 2');
  database.close();
  assert.match((await catalog.verify()).catalog.join(), /held-page/);
  await assert.rejects(catalog.backup(), (error) => isBbError(error, 'INTEGRITY'));
  assert.deepEqual(fs.readFileSync(`${dir}/state.bak`), copy);
  await catalog.close();
});

test('cells of other people above the marks are registered where they lie, torn ones are not', async (context) => {
  const { dir, catalog } = await used(context);
  const store = new PackCellStore({ dir: `${dir}/peers`, kind: 'peers', keys: packKeys(WRAP_KEY) }, random);
  await store.open([]);
  const cells = ['one', 'two', 'three'].map((name) => ({ ...cellOf(name), address: pubkeyFromOnionId(OWNER) }));
  const positions = await store.append(cells);
  await store.sync();
  await store.close();
  const path = `${dir}/peers/pack-${positions[0]?.pack}`;
  const bytes = fs.readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(slotAt(1) + CELL_BYTES / 2) ^ 1, slotAt(1) + CELL_BYTES / 2);
  fs.writeFileSync(path, bytes);
  assert.equal(await catalog.adoptHeldCells(WRAP_KEY), 2);
  assert.deepEqual(await catalog.heldPositions(1, 0, 1), [positions[0]]);
  assert.deepEqual(await catalog.heldPositions(2, 0, 1), [undefined], 'a torn cell counts as present');
  const list = await catalog.createHeldList(OWNER, cellOf('three').leaf);
  assert.deepEqual(await catalog.heldMissing(list, 0, 1), [], 'a cell that is here would be pulled again');
  assert.deepEqual(await catalog.marks('peers'), [{ pack: 0, slots: 3 }]);
  assert.equal(await catalog.adoptHeldCells(WRAP_KEY), 0);
  await catalog.close();
});

test('packs are named that are missing, cut or foreign, with what is in them', async (context) => {
  const { dir, catalog } = await used(context);
  const store = new PackCellStore({ dir: `${dir}/peers`, kind: 'peers', keys: packKeys(WRAP_KEY) }, random);
  await store.open([]);
  const cell = { ...cellOf('one'), address: pubkeyFromOnionId(OWNER) };
  const [position] = await store.append([cell]);
  await catalog.addHeldCells(OWNER, [{ leaf: cell.leaf, position: position ?? assert.fail() }], await store.sync());
  await store.close();
  const path = `${dir}/peers/pack-0`;
  const good = fs.readFileSync(path);
  const damages = [
    ['missing', () => fs.rmSync(path)],
    ['short', () => fs.writeFileSync(path, good.subarray(0, -1))],
    ['header', () => fs.writeFileSync(path, Buffer.concat([Buffer.from('x'), good.subarray(1)]))],
  ] as const;
  assert.deepEqual((await catalog.inspect()).damagedPacks, []);
  for (const [damage, make] of damages) {
    make();
    assert.deepEqual((await catalog.inspect()).damagedPacks, [{ store: 'peers', pack: 0, damage, cells: 1 }]);
  }
  await catalog.close();
});
