// A disk that lies or is full while an ingest writes: nothing is acknowledged, the old content stays, the space comes
// back. The ingest runs in this thread, so that its store can be made to fail.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import type { Entry } from '../../src/core/content/entry.ts';
import { BbError, isBbError } from '../../src/core/errors.ts';
import type { RevisionRow } from '../../src/ports/catalog.ts';
import type { CellToAppend } from '../../src/ports/cell-store.ts';
import { StagingDb, stagingPath } from '../../src/storage/catalog/staging.ts';
import { ContentBuilder } from '../../src/work/content/content-builder.ts';
import { baseContent, ingest } from '../../src/work/content/ingest.ts';
import type { IngestCall } from '../../src/work/content/ingest.ts';
import { metadataOf, newStagingId, OwnContent } from '../../src/work/content/own-content.ts';
import { readBack } from '../../src/work/content/read-back.ts';
import { readSnapshot, tableEntries } from '../../src/work/content/stored-streams.ts';
import { noise } from './noise.ts';
import { World } from './workers-world.ts';

let world: World;
let own: OwnContent;
let base: RevisionRow;

beforeEach(async () => {
  world = await World.open();
  base = await world.setPath(world.write('old', 'old bytes'), 'old');
  await world.workers.lock();
  own = await OwnContent.open(world.dataDir, world.keys());
});

afterEach(async () => {
  await own.close();
  await world.close();
});

const call: IngestCall = {
  signal: new AbortController().signal,
  input: (async function* () {})(),
  onProgress: async () => {},
};

function job() {
  const path = world.write('new', noise(3_000_000, 1));
  const change = { kind: 'path', path, name: Buffer.from('new') } as const;
  return { change, snapshotId: Buffer.alloc(16, 1), nowMs: 1 };
}

/** Lets the n-th cell that is appended go through `fault`. */
function onCell(n: number, fault: (cell: CellToAppend) => CellToAppend): void {
  const append = own.store.append.bind(own.store);
  let count = 0;
  own.store.append = async (cells) => append(cells.map((cell) => (++count === n ? fault(cell) : cell)));
}

function flipped(cell: CellToAppend): CellToAppend {
  const bytes = Buffer.from(cell.bytes);
  bytes[70_000] = (bytes[70_000] ?? 0) ^ 1;
  return { ...cell, bytes };
}

async function assertOldContentOnly(): Promise<void> {
  assert.deepEqual(fs.readdirSync(`${world.dataDir}/tmp`), []);
  const cells = world.blobCells(base);
  assert.equal(fs.statSync(`${world.dataDir}/own/pack-0`).size, 4096 + cells * 131_168);
  await own.close();
  await world.restart();
  assert.deepEqual(
    [...(await world.readAll(base)).values()].map((file) => file.bytes.toString()),
    ['old bytes'],
  );
}

for (const n of [1, 10, 24]) {
  test(`a byte that reaches the disk wrong in cell ${n} is found before anybody is told`, async () => {
    onCell(n, flipped);
    await assert.rejects(ingest(own, job(), base, call), (error) => isBbError(error, 'INTEGRITY'));
    await assertOldContentOnly();
  });

  test(`a disk that is full at cell ${n} leaves everything as it was`, async () => {
    onCell(n, () => {
      throw new BbError('NO_SPACE', 'the disk is full');
    });
    await assert.rejects(ingest(own, job(), base, call), (error) => isBbError(error, 'NO_SPACE'));
    await assertOldContentOnly();
  });
}

test('the same ingest on a sound disk goes through', async () => {
  let cells = 0;
  const append = own.store.append.bind(own.store);
  own.store.append = (given) => {
    cells += given.length;
    return append(given);
  };
  const staged = await ingest(own, job(), base, call);
  assert.equal(staged.newCells, cells);
  assert.ok(cells >= 24, 'so that the cells above are a first, a middle and a late one');
});

/** A content in which every new data cell is out of reach of new files: chunks of the old tail, and of a file that broke off. */
async function buildWithoutNewFiles(staging: StagingDb): Promise<void> {
  const builder = new ContentBuilder(own, staging, baseContent(own, base));
  const entries: Entry[] = [];
  for await (const entry of tableEntries(
    own.committed,
    await readSnapshot(own.committed, metadataOf(base).indexRoot),
  )) {
    entries.push(entry);
  }
  const broken = async function* (): AsyncGenerator<Buffer, 'unreadable'> {
    yield noise(300_000, 7);
    return 'unreadable';
  };
  await builder.start();
  await builder.addBytes(broken(), async () => {});
  for (const entry of entries) {
    builder.keepBytes(entry);
    await builder.addEntry(entry);
  }
  const snapshot = {
    id: Buffer.alloc(16, 1),
    timeMs: 1,
    set: Buffer.alloc(0),
    parent: Buffer.alloc(0),
    fileCount: base.fileCount,
    fileBytes: base.fileBytes,
    extensions: [],
  };
  const built = await builder.finish(snapshot);
  await own.store.sync();
  await readBack(builder.cells, {
    root: built.root,
    snapshot,
    dataCells: staging.listed('data'),
    written: builder.written(),
    isNew: () => false,
    onFile: async () => {},
    signal: call.signal,
  });
}

test('every cell that was written is read back, also those that no new file leads to', async () => {
  const append = own.store.append.bind(own.store);
  for (let broken = 0, count = 1; broken <= count; broken++) {
    own.store.append = append.bind(own.store);
    onCell(broken, (cell) => flipped(cell));
    const faulty = own.store.append.bind(own.store);
    let appended = 0;
    own.store.append = (cells) => {
      appended += cells.length;
      return faulty(cells);
    };
    const staging = new StagingDb(stagingPath(own.dataDir, newStagingId()), { durable: false });
    const building = buildWithoutNewFiles(staging);
    if (broken === 0) await building;
    else await assert.rejects(building, (error) => isBbError(error, 'INTEGRITY'), `cell ${broken} of ${count}`);
    staging.discard();
    await own.cutBack();
    if (broken === 0) count = appended;
    assert.ok(count >= 4, `${count} cells`);
  }
});
