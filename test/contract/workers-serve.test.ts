// Sealing for a peer and challenges, between an owner and a storer with real packs and catalogs on both sides.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import * as fs from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import type { ChallengeQuestion } from '../../src/core/challenge/question.ts';
import { leafHash, rootOfLeaves } from '../../src/core/content/merkle.ts';
import { openCell } from '../../src/core/crypto/cell-seal.ts';
import { packKeys } from '../../src/core/crypto/dir-keys.ts';
import { isBbError } from '../../src/core/errors.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';
import type { RevisionRow } from '../../src/ports/catalog.ts';
import { PackCellStore } from '../../src/storage/packs/pack-cell-store.ts';
import { noise } from './noise.ts';
import { WRAP_KEY, World } from './workers-world.ts';

let owner: World;
let storer: World;
let row: RevisionRow;
let cells: number;

beforeEach(async () => {
  owner = await World.open(7);
  storer = await World.open(8);
  owner.write('t/a', noise(1_000_000, 1));
  row = await owner.setPath(Buffer.from(`${owner.dir}/t`), 't');
  cells = owner.blobCells(row);
});

afterEach(async () => {
  await owner.close();
  await storer.close();
});

const allCells = (): number[] => Array.from({ length: cells }, (_, cell) => cell);

async function blob(): Promise<Buffer[]> {
  const sealed: Buffer[] = [];
  for (const cell of allCells()) {
    const bytes = await owner.workers.sealCell(storer.keyring.onionId, row.contentId, cell);
    assert.ok(bytes !== undefined);
    sealed.push(bytes);
  }
  return sealed;
}

/** What a storer does at the end of a pull. */
async function hold(sealed: readonly Buffer[]): Promise<number> {
  const leaves = Buffer.concat(sealed.map((bytes) => leafHash(bytes)));
  const list = await storer.catalog.createHeldList(owner.keyring.onionId, leaves);
  const store = new PackCellStore(
    { dir: `${storer.dataDir}/peers`, kind: 'peers', keys: packKeys(WRAP_KEY) },
    { bytes: (count) => Buffer.alloc(count, 3) },
  );
  await store.open([]);
  const positions = await store.append(
    sealed.map((bytes) => ({ kind: 1, address: owner.keyring.pubkey, leaf: leafHash(bytes), bytes })),
  );
  const marks = await store.sync();
  const held = positions.map((position, index) => ({ leaf: leafHash(sealed[index] as Buffer), position }));
  await storer.catalog.addHeldCells(owner.keyring.onionId, held, marks);
  await store.close();
  return list;
}

function question(change: Partial<ChallengeQuestion> = {}): ChallengeQuestion {
  return {
    contentId: row.contentId,
    nonce: Buffer.alloc(32, 1),
    seed: Buffer.alloc(32, 2),
    count: 100,
    blockBytes: 4096,
    ranges: [
      { startCell: 0, cells: 2 },
      { startCell: cells - 1, cells: 1 },
    ],
    ...change,
  };
}

/** Flips one bit in each of the own packs' slots given. */
function damageOwn(...slots: readonly number[]): void {
  const handle = fs.openSync(`${owner.dataDir}/own/pack-0`, 'r+');
  for (const slot of slots) {
    const at = 4096 + slot * (CELL_BYTES + 96) + 77;
    const byte = Buffer.alloc(1);
    fs.readSync(handle, byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ 4;
    fs.writeSync(handle, byte, 0, 1, at);
  }
  fs.closeSync(handle);
}

test('a blob for a peer is its heads and its cells under its key, and the leaves are those of the bytes', async () => {
  const sealed = await blob();
  const leaves = await owner.workers.sealLeaves(storer.keyring.onionId, row.contentId, allCells());
  assert.deepEqual(leaves, Buffer.concat(sealed.map((bytes) => leafHash(bytes))));
  assert.equal(rootOfLeaves(leaves).length, 32);
  assert.deepEqual(sealed[0], owner.keyring.sealHead(row.contentId, 0, row.metadata));
  assert.deepEqual(sealed.at(-1), owner.keyring.sealHead(row.contentId, 1, row.metadata));
  const keys = owner.keyring.cellKeys();
  const [id] = [await owner.catalog.cellIds(row.contentId, row.headCells, 1)];
  assert.ok(openCell(keys, storer.keyring.pubkey, 2, id, sealed[row.headCells] as Buffer) !== undefined);
  const other = await owner.workers.sealCell(owner.keyring.onionId, row.contentId, row.headCells);
  assert.notDeepEqual(other, sealed[row.headCells]);
});

test('the storer that holds the bytes gives the mac that the owner expects', async () => {
  const list = await hold(await blob());
  for (const asked of [
    question(),
    question({ count: 0, ranges: [{ startCell: 0, cells }] }),
    question({ count: 1024, ranges: [] }),
    question({ count: 1, ranges: [] }),
  ]) {
    const expected = await owner.workers.expectedMac(asked, storer.keyring.onionId, cells);
    const proof = await storer.workers.proveMac(asked, owner.keyring.onionId, list, cells);
    assert.deepEqual(expected.damaged, []);
    assert.deepEqual(proof.mac, expected.mac);
    const rangeCells = asked.ranges.reduce((sum, range) => sum + range.cells, 0);
    assert.equal(proof.blocksRead, asked.count + 32 * rangeCells);
  }
});

test('the mac is the one of the specification', async () => {
  const sealed = Buffer.concat(await blob());
  const asked = question({ count: 3 });
  const numbers = Buffer.alloc(12);
  numbers.writeUInt32BE(3, 0);
  numbers.writeUInt32BE(4096, 4);
  numbers.writeUInt32BE(2, 8);
  const mac = createHmac('sha256', asked.nonce)
    .update('bb1/chal\0')
    .update(owner.keyring.pubkey)
    .update(storer.keyring.pubkey)
    .update(row.contentId)
    .update(asked.seed)
    .update(numbers);
  const u64 = (value: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(value));
    return bytes;
  };
  for (const range of asked.ranges) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(range.cells);
    mac.update(u64(range.startCell)).update(count);
  }
  mac.update(u64(sealed.length));
  for (let i = 0; i < 3; i++) {
    const counter = Buffer.from([0, 0, 0, i]);
    const draw = BigInt(`0x${createHmac('sha256', asked.seed).update(counter).digest('hex')}`);
    const block = Number(draw % BigInt(sealed.length / 4096));
    mac.update(sealed.subarray(block * 4096, (block + 1) * 4096));
  }
  mac.update(sealed.subarray(0, 2 * CELL_BYTES)).update(sealed.subarray(-CELL_BYTES));
  const expected = await owner.workers.expectedMac(asked, storer.keyring.onionId, cells);
  assert.deepEqual(expected.mac, mac.digest());
});

test('a storer with one missing or one wrong cell gives another mac', async () => {
  const sealed = await blob();
  const asked = question({ count: 0, ranges: [{ startCell: 0, cells }] });
  const { mac } = await owner.workers.expectedMac(asked, storer.keyring.onionId, cells);
  const wrong = sealed.map((bytes) => Buffer.from(bytes));
  wrong[2] = Buffer.concat([(sealed[2] as Buffer).subarray(1), Buffer.of(0)]);
  const list = await hold(wrong);
  assert.notDeepEqual((await storer.workers.proveMac(asked, owner.keyring.onionId, list, cells)).mac, mac);
  const leaves = Buffer.concat([leafHash(Buffer.from('never pulled')), Buffer.alloc((cells - 1) * 32, 9)]);
  const empty = await storer.catalog.createHeldList(owner.keyring.onionId, leaves);
  const proof = await storer.workers.proveMac(asked, owner.keyring.onionId, empty, cells);
  assert.notDeepEqual(proof.mac, mac);
  assert.equal(proof.blocksRead, 32 * cells);
});

test('an own damaged cell is named and never sealed for a peer', async () => {
  const positions = await owner.catalog.cellPositions(row.contentId, 0, cells);
  const at = (cell: number): number => positions[cell]?.slot ?? 0;
  damageOwn(at(0), at(3));
  const peer = storer.keyring.onionId;
  assert.equal(await owner.workers.sealCell(peer, row.contentId, 0), undefined);
  assert.equal(await owner.workers.sealCell(peer, row.contentId, 3), undefined);
  assert.ok((await owner.workers.sealCell(peer, row.contentId, 2)) !== undefined);
  await assert.rejects(owner.workers.sealLeaves(peer, row.contentId, [2, 3]), (error) => isBbError(error, 'INTEGRITY'));
  const asked = question({ count: 0, ranges: [{ startCell: 0, cells }] });
  assert.deepEqual((await owner.workers.expectedMac(asked, peer, cells)).damaged, [0, 3]);
});

test('challenges and uploads go on while an ingest runs', async () => {
  const path = owner.write('n', noise(30_000_000, 1));
  let isDone = false;
  const ingest = owner.change({ kind: 'path', path, name: Buffer.from('n') }).finally(() => {
    isDone = true;
  });
  await owner.workers.sealCell(storer.keyring.onionId, row.contentId, 0);
  assert.equal(isDone, false);
  await owner.workers.discard(await ingest);
});
