// A dead disk: a second world with the same identity and nothing else gets the cells back from a peer's copy.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { isBbError } from '../../src/core/errors.ts';
import { CELL_BYTES, RECOVERY_SAVE_CELLS } from '../../src/core/limits.ts';
import type { RevisionRow } from '../../src/ports/catalog.ts';
import type { RecoverySession } from '../../src/ports/workers.ts';
import { noise } from './noise.ts';
import { World } from './workers-world.ts';

let owner: World;
let storer: World;
let reborn: World;
let row: RevisionRow;

beforeEach(async () => {
  owner = await World.open(7);
  storer = await World.open(8);
  reborn = await World.open(7);
  owner.write('t/a', noise(4_000_000, 1));
  owner.write('t/b', noise(8_000_000, 2));
  owner.write('t/c', 'small');
  row = await owner.setPath(Buffer.from(`${owner.dir}/t`), 't');
});

afterEach(async () => {
  assert.deepEqual(reborn.crashes, []);
  await owner.close();
  await storer.close();
  await reborn.close();
});

function start(): Promise<RecoverySession> {
  const indexCells = Array.from({ length: row.indexCells }, () => Buffer.alloc(32));
  return owner.catalog.cellIds(row.contentId, row.headCells, row.indexCells).then((packed) =>
    reborn.workers.startRecovery(
      row,
      indexCells.map((_, index) => packed.subarray(32 * index, 32 * (index + 1))),
    ),
  );
}

/** The cell as the storer holds it. */
async function heldCell(cell: number): Promise<Buffer> {
  const bytes = await owner.workers.sealCell(storer.keyring.onionId, row.contentId, cell);
  assert.ok(bytes !== undefined);
  return bytes;
}

/** Gives up to `limit` wanted cells, except those that `lost` names; returns how many were given. */
async function give(
  session: RecoverySession,
  limit = Number.MAX_SAFE_INTEGER,
  lost: ReadonlySet<number> = new Set(),
): Promise<number> {
  let given = 0;
  while (given < limit) {
    const wanted = (await session.wanted(10_000)).filter((cell) => !lost.has(cell));
    if (wanted.length === 0) break;
    for (const cell of wanted.slice(0, limit - given)) {
      assert.equal(await session.offer(storer.keyring.onionId, cell, await heldCell(cell)), true);
      given++;
    }
  }
  return given;
}

test('all cells back: the same content, whole', async () => {
  const session = await start();
  const total = row.indexCells + row.dataCells;
  assert.deepEqual(await session.counts(), { done: 0, total, indexDone: false });
  assert.deepEqual(
    await session.wanted(100),
    Array.from({ length: row.indexCells }, (_, index) => row.headCells + index),
  );
  assert.equal(await give(session), total);
  assert.deepEqual(await session.counts(), { done: total, total, indexDone: true });
  const { staged, missingFiles } = await session.finish();
  assert.deepEqual(missingFiles, []);
  await reborn.commitRow(staged, row);
  assert.deepEqual(await reborn.readAll(row), await owner.readAll(row));
  assert.deepEqual(
    await reborn.catalog.cellIds(row.contentId, 0, reborn.blobCells(row)),
    await owner.catalog.cellIds(row.contentId, 0, owner.blobCells(row)),
  );
  const next = await reborn.setPath(reborn.write('d', 'after'), 't/d');
  assert.equal((await reborn.readAll(next)).get('t/d')?.bytes.toString(), 'after');
});

test('wrong cells are refused: other bytes, another cell, another peer, another place', async () => {
  const session = await start();
  const peer = storer.keyring.onionId;
  const first = row.headCells;
  const right = await heldCell(first);
  const flipped = Buffer.from(right);
  flipped[100_000] = (flipped[100_000] ?? 0) ^ 1;
  assert.equal(await session.offer(peer, first, flipped), false);
  assert.equal(await session.offer(peer, first, await heldCell(first + 1)), false);
  assert.equal(await session.offer(owner.keyring.onionId, first, right), false);
  assert.equal(await session.offer(peer, 0, right), false);
  assert.equal(await session.offer(peer, first + 10_000, right), false);
  assert.equal(await session.offer(peer, first, right.subarray(1)), false);
  assert.equal((await session.counts()).done, 0);
  assert.equal(await session.offer(peer, first, right), true);
  assert.equal(await session.offer(peer, first, right), true);
  assert.equal((await session.counts()).done, 1);
});

test('a killed daemon goes on with what was saved', async () => {
  const session = await start();
  const given = await give(session, RECOVERY_SAVE_CELLS + row.indexCells + 10);
  await reborn.kill();
  const again = await start();
  const { done, indexDone } = await again.counts();
  assert.ok(indexDone && done >= RECOVERY_SAVE_CELLS && done <= given, `${done} of ${given} were kept`);
  await give(again);
  const { staged } = await again.finish();
  await reborn.commitRow(staged, row);
  assert.deepEqual(await reborn.readAll(row), await owner.readAll(row));
});

test('when a newer revision is found on the way, the cells that it shares do not come again', async () => {
  const session = await start();
  const given = await give(session, row.indexCells + 60);
  await session.save();
  owner.write('t/c', 'changed');
  row = await owner.setPath(Buffer.from(`${owner.dir}/t`), 't');
  const newer = await start();
  const rest = await give(newer);
  const total = row.indexCells + row.dataCells;
  assert.ok(rest <= total - given + 4, `${rest} of ${total} cells came after ${given}`);
  const { staged, missingFiles } = await newer.finish();
  assert.deepEqual(missingFiles, []);
  await reborn.commitRow(staged, row);
  assert.deepEqual(await reborn.readAll(row), await owner.readAll(row));
});

test('cells that nobody has cost the files that need them, no others', async () => {
  const session = await start();
  await assert.rejects(session.finish(), (error) => isBbError(error, 'PARTIAL'));
  const lost = new Set([row.headCells + row.indexCells + 40, row.headCells + row.indexCells + 50]);
  await give(session, Number.MAX_SAFE_INTEGER, lost);
  const { staged, missingFiles } = await session.finish();
  assert.deepEqual(missingFiles.map(String), ['t/b']);
  const partial = await reborn.commit(staged);
  const files = await reborn.readAll(partial);
  assert.deepEqual([...files.keys()], ['t', 't/a', 't/c']);
  assert.deepEqual(files.get('t/a')?.bytes, noise(4_000_000, 1));
  const later = await start();
  await give(later);
  assert.deepEqual((await later.finish()).missingFiles, [], 'what turns up later completes the old revision');
});

test('cells that the catalog names and the disk has not cost the files that need them', async () => {
  const session = await start();
  await give(session);
  const { staged } = await session.finish();
  await reborn.commitRow(staged, row);
  await reborn.restart(() => reborn.damageOwn(3));
  const again = await start();
  const lost = new Set(await again.wanted(10_000));
  assert.ok(lost.size > 0, 'nothing is damaged');
  await give(again, Number.MAX_SAFE_INTEGER, lost);
  const { staged: rest, missingFiles } = await again.finish();
  assert.ok(missingFiles.length > 0, 'a file of which cells are missing was kept as whole');
  const files = await reborn.readAll(await reborn.commit(rest));
  assert.deepEqual(files.get('t/a')?.bytes, noise(4_000_000, 1));
  for (const name of missingFiles) assert.ok(!files.has(String(name)));
});

test('an ingest beside a recovery does not cost its cells', async () => {
  const session = await start();
  await give(session, row.indexCells + 5);
  await reborn.setPath(reborn.write('d', noise(CELL_BYTES, 9)), 'd');
  await give(session);
  const { staged } = await session.finish();
  await reborn.commitRow(staged, row);
  assert.deepEqual(await reborn.readAll(row), await owner.readAll(row));
});
