// Contents over a damaged disk: whatever is committed is found by chunk afterwards, and what is lost is stored anew once,
// whoever else needs it.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { RevisionRow } from '../../src/ports/catalog.ts';
import { noise } from './noise.ts';
import { World } from './workers-world.ts';

let world: World;

beforeEach(async () => {
  world = await World.open();
});

afterEach(async () => {
  assert.deepEqual(world.crashes, []);
  await world.close();
});

async function lastDataCell(row: RevisionRow): Promise<Buffer> {
  return world.catalog.cellIds(row.contentId, row.headCells + row.indexCells + row.dataCells - 1, 1);
}

/** The cell is written once more, as when a peer gave it back. */
async function heal(row: RevisionRow, cell: number): Promise<void> {
  const { onionId } = world.keyring;
  const cellId = await world.catalog.cellIds(row.contentId, cell, 1);
  const bytes = (await world.workers.sealCell(onionId, row.contentId, cell)) ?? assert.fail('damaged');
  const { positions, marks } = await world.workers.healCells(onionId, [{ cellId, bytes }]);
  await world.catalog.moveOwn({ cells: [{ cellId, position: positions[0] ?? assert.fail() }], heads: [], marks });
}

/** The catalog is that of the last backup. */
function putCopyBack(): void {
  for (const suffix of ['', '-wal', '-shm']) fs.rmSync(path.join(world.dataDir, `state.db${suffix}`), { force: true });
  fs.copyFileSync(path.join(world.dataDir, 'state.bak'), path.join(world.dataDir, 'state.db'));
}

test('chunks of a late revision are found in its own cells, not in older ones that were healed after it', async () => {
  const old = await world.setPath(world.write('a', noise(50_000, 1)), 'a');
  await world.catalog.backup();
  const newest = await world.setPath(world.write('b', noise(50_000, 2)), 'b');
  assert.notDeepEqual(await lastDataCell(newest), await lastDataCell(old), 'the last cell was not rewritten');
  const wanted = await world.readAll(newest);
  const indexCells = await world.catalog.cellIds(newest.contentId, newest.headCells, newest.indexCells);
  for (let cell = old.headCells; cell < old.headCells + old.indexCells + old.dataCells; cell++) await heal(old, cell);
  await world.restart(putCopyBack);
  assert.deepEqual(await world.catalog.newestRevision(), old);
  await world.workers.adoptLate(newest.contentId);
  const ids = Array.from({ length: newest.indexCells }, (_, at) => indexCells.subarray(32 * at, 32 * at + 32));
  const recovery = await world.workers.startRecovery(newest, ids);
  assert.deepEqual(await recovery.wanted(1), []);
  const { staged } = await recovery.finish();
  await world.commitRow(staged, newest);
  await world.workers.settleLate();
  await world.catalog.dropRevision(old.contentId);
  await world.restart();
  assert.deepEqual(await world.readAll(newest), wanted);
  const next = await world.setPath(world.write('c', 'more'), 'c');
  assert.equal((await world.readAll(next)).get('a')?.bytes.length, 50_000);
});

test('a lost cell that two files need is stored anew once when one of them is set', async () => {
  const bytes = noise(200_000, 3);
  world.write('t/a', bytes);
  world.write('t/b', bytes);
  const row = await world.setPath(Buffer.from(path.join(world.dir, 't')), 't');
  await world.workers.setLost(await lastDataCell(row));
  for (const name of ['a', 'b']) {
    const next = await world.setPath(Buffer.from(path.join(world.dir, 't', name)), `t/${name}`);
    assert.deepEqual((await world.readAll(next)).get('t/a')?.bytes, bytes);
    await world.workers.setLost(await lastDataCell(next));
  }
});

test('a lost cell whose chunks repeat in a file is stored anew once', async () => {
  const block = noise(4_000_000, 4);
  const row = await world.setPath(world.write('a', Buffer.concat([block, block])), 'a');
  const first = row.headCells + row.indexCells;
  await world.workers.setLost(await world.catalog.cellIds(row.contentId, first, row.dataCells));
  const next = await world.setPath(world.write('a', Buffer.concat([block, block])), 'a');
  assert.equal((await world.readAll(next)).get('a')?.bytes.length, 8_000_000);
  assert.equal(next.dataCells, row.dataCells, 'chunks were stored twice');
});
