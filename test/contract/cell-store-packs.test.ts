// The pack store against the suite of its port, and what only packs can get wrong: torn slots, full disks, failed fsync.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { packKeys } from '../../src/core/crypto/dir-keys.ts';
import { isBbError } from '../../src/core/errors.ts';
import {
  CELL_BYTES,
  OPEN_PACKS,
  PACK_BYTES,
  PACK_HEADER_BYTES,
  PACK_SLOT_BYTES,
  PACK_SLOTS,
} from '../../src/core/limits.ts';
import { diskFiles } from '../../src/storage/files.ts';
import type { Files } from '../../src/storage/files.ts';
import { openPackReader, PackCellStore } from '../../src/storage/packs/pack-cell-store.ts';
import { encodePackHeader, slotAt } from '../../src/storage/packs/pack-format.ts';
import type { PackKind } from '../../src/storage/packs/pack-format.ts';
import { cellStoreSuite } from './cell-store-suite.ts';
import { faultyFiles } from './faulty-files.ts';
import { bytesOf, cellOf, countingRandom, tempDir } from './storage-fixture.ts';

const keys = packKeys(Buffer.alloc(32, 7));
const random = countingRandom();
const storeIn = (dir: string, kind: PackKind, files: Files = diskFiles): PackCellStore =>
  new PackCellStore({ dir, kind, keys }, random, files);

for (const kind of ['own', 'peers'] as const) {
  cellStoreSuite(`${kind} packs`, (t) => {
    const dir = tempDir(t);
    return { make: () => storeIn(dir, kind) };
  });
}

test('a slot file has the documented size and a full pack stays within 256 MiB', () => {
  assert.equal(PACK_SLOT_BYTES, 131_168);
  assert.equal(PACK_SLOTS, 2046);
  assert.ok(slotAt(PACK_SLOTS) <= PACK_BYTES && slotAt(PACK_SLOTS + 1) > PACK_BYTES);
});

test('own packs hold the cells as given; peers packs hold nothing recognisable', async (t) => {
  for (const kind of ['own', 'peers'] as const) {
    const dir = tempDir(t);
    const store = storeIn(dir, kind);
    await store.open([]);
    const cell = cellOf('secret');
    await store.append([cell, cell]);
    await store.sync();
    const file = fs.readFileSync(`${dir}/pack-0`);
    assert.equal(file.length, slotAt(2));
    assert.equal(file.includes(cell.bytes.subarray(0, 64)), kind === 'own');
    assert.equal(file.includes(cell.leaf) || file.includes(cell.address), false, 'trailers are sealed');
    const one = file.subarray(slotAt(0), slotAt(0) + CELL_BYTES);
    assert.equal(one.equals(file.subarray(slotAt(1), slotAt(1) + CELL_BYTES)), kind === 'own', 'a wrap is of one slot');
    await store.close();
  }
});

test('a torn trailer costs one peers cell only', async (t) => {
  const dir = tempDir(t);
  const store = storeIn(dir, 'peers');
  await store.open([]);
  const [first, second] = await store.append([cellOf('a'), cellOf('b')]);
  assert.ok(first && second);
  await store.sync();
  await store.close();
  const handle = fs.openSync(`${dir}/pack-0`, 'r+');
  fs.writeSync(handle, Buffer.alloc(10, 255), 0, 10, slotAt(0) + CELL_BYTES + 3);
  fs.closeSync(handle);
  const again = storeIn(dir, 'peers');
  await again.open([{ pack: 0, slots: 2 }]);
  assert.equal(await again.readTrailer(first), undefined);
  await assert.rejects(again.read(first), (error) => isBbError(error, 'INTEGRITY'));
  await assert.rejects(again.readRange(first, 0, 16), (error) => isBbError(error, 'INTEGRITY'));
  assert.ok((await again.read(second)).equals(cellOf('b').bytes));
  await again.close();
});

test('a full disk leaves nothing of the failed call and keeps what was appended before', async (t) => {
  const dir = tempDir(t);
  const { files, fault } = faultyFiles();
  const store = storeIn(dir, 'own', files);
  await store.open([]);
  const [before] = await store.append([cellOf('before')]);
  assert.ok(before);
  const lengthBefore = fs.statSync(`${dir}/pack-0`).size;
  fault.writableBytes = PACK_SLOT_BYTES + 1000;
  await assert.rejects(store.append([cellOf('fits'), cellOf('torn')]), (error) => isBbError(error, 'NO_SPACE'));
  assert.equal(fs.statSync(`${dir}/pack-0`).size, lengthBefore);
  fault.writableBytes = Number.POSITIVE_INFINITY;
  assert.deepEqual(await store.sync(), [{ pack: 0, slots: 1 }]);
  assert.ok((await store.read(before)).equals(cellOf('before').bytes));
  assert.deepEqual(await store.append([cellOf('after')]), [{ pack: 0, slot: 1 }]);
  await store.close();
});

test('a full disk at the header of a new pack leaves no file', async (t) => {
  const dir = tempDir(t);
  const { files, fault } = faultyFiles();
  const store = storeIn(dir, 'own', files);
  await store.open([]);
  fault.writableBytes = PACK_HEADER_BYTES - 1;
  await assert.rejects(store.append([cellOf('a')]), (error) => isBbError(error, 'NO_SPACE'));
  assert.deepEqual(fs.readdirSync(dir), []);
  await store.close();
});

test('a pack whose fsync failed takes no more cells and gets no mark for lost ones', async (t) => {
  const dir = tempDir(t);
  const { files, fault } = faultyFiles();
  const store = storeIn(dir, 'own', files);
  await store.open([]);
  const [durable] = await store.append([cellOf('durable')]);
  assert.deepEqual(await store.sync(), [{ pack: 0, slots: 1 }]);
  await store.append([cellOf('doubtful')]);
  fault.failNextSync = true;
  await assert.rejects(store.sync(), { code: 'UNUSABLE_ENVIRONMENT' });
  const [elsewhere] = await store.append([cellOf('doubtful')]);
  assert.ok(durable && elsewhere);
  assert.deepEqual(elsewhere, { pack: 1, slot: 0 });
  assert.deepEqual(await store.sync(), [
    { pack: 0, slots: 1 },
    { pack: 1, slots: 1 },
  ]);
  assert.ok((await store.read(durable)).equals(cellOf('durable').bytes));
  await store.close();
});

test('sync makes bytes durable before names, and both before it answers', async (t) => {
  const dir = tempDir(t);
  const { files, fault } = faultyFiles();
  const store = storeIn(dir, 'own', files);
  await store.open([]);
  await store.append([cellOf('a')]);
  await store.sync();
  const folder = dir.split('/').at(-1);
  assert.deepEqual(fault.calls, ['write pack-0', 'write pack-0', 'datasync pack-0', `syncDir ${folder}`]);
  await store.sync();
  assert.equal(fault.calls.length, 4, 'nothing new, nothing to sync');
  await store.close();
});

test('a reader beside the writer sees new cells and touches nothing', async (t) => {
  const dir = tempDir(t);
  const store = storeIn(dir, 'own');
  await store.open([]);
  const reader = openPackReader({ dir, kind: 'own', keys });
  const [first] = await store.append([cellOf('a')]);
  assert.ok(first && (await reader.read(first)).equals(cellOf('a').bytes));
  const [second] = await store.append([cellOf('b')]);
  assert.ok(second && (await reader.read(second)).equals(cellOf('b').bytes));
  await reader.close();
  await store.close();
});

test('a pack of the other kind, or with a damaged header, is not read as ours', async (t) => {
  const dir = tempDir(t);
  fs.writeFileSync(
    `${dir}/pack-0`,
    Buffer.concat([encodePackHeader('peers', bytesOf('nonce', 16)), cellOf('a').bytes]),
  );
  const reader = openPackReader({ dir, kind: 'own', keys });
  await assert.rejects(reader.read({ pack: 0, slot: 0 }), (error) => isBbError(error, 'INTEGRITY'));
  await reader.close();
});

test('many packs are read with a bounded number of open files', async (t) => {
  const dir = tempDir(t);
  const packs = OPEN_PACKS + 3;
  const body = Buffer.alloc(PACK_SLOT_BYTES);
  for (let pack = 0; pack < packs; pack++) {
    body.writeUInt32BE(pack);
    fs.writeFileSync(
      `${dir}/pack-${pack}`,
      Buffer.concat([encodePackHeader('own', bytesOf(`nonce ${pack}`, 16)), body]),
    );
  }
  let open = 0;
  let most = 0;
  const files: Files = {
    ...diskFiles,
    async open(path, mode) {
      const file = await diskFiles.open(path, mode);
      most = Math.max(most, ++open);
      const close = file.close.bind(file);
      return Object.assign(file, { close: () => (open--, close()) });
    },
  };
  const reader = openPackReader({ dir, kind: 'own', keys }, files);
  for (let round = 0; round < 2; round++) {
    for (let pack = 0; pack < packs; pack++) {
      assert.equal((await reader.readRange({ pack, slot: 0 }, 0, 4)).readUInt32BE(), pack);
    }
  }
  assert.ok(most <= OPEN_PACKS + 1, `${most} files were open`);
  const all = await Promise.all(Array.from({ length: packs }, (_, pack) => reader.readRange({ pack, slot: 0 }, 0, 4)));
  assert.deepEqual(
    all.map((bytes) => bytes.readUInt32BE()),
    Array.from({ length: packs }, (_, pack) => pack),
  );
  await reader.close();
  assert.equal(open, 0);
});

test('a pack that is removed under its writer is not called durable, and the next cells go elsewhere', async (t) => {
  const dir = tempDir(t);
  const store = storeIn(dir, 'own');
  await store.open([]);
  await store.append([cellOf('one')]);
  await store.sync();
  fs.rmSync(`${dir}/pack-0`);
  await store.append([cellOf('two')]);
  await assert.rejects(store.sync(), (error) => isBbError(error, 'INTEGRITY'));
  const [position] = await store.append([cellOf('two')]);
  const marks = await store.sync();
  assert.deepEqual(position, { pack: 1, slot: 0 });
  await store.close();
  const again = storeIn(dir, 'own');
  await again.open(marks);
  assert.ok((await again.read({ pack: 1, slot: 0 })).equals(cellOf('two').bytes));
  await again.close();
});
