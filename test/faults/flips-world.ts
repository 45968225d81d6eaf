// A small data directory with everything in it: a header in its copies, a catalog with its copy and a journal, two revisions of
// own content, a blob held for somebody, records of every kind that a flip must not change.

import * as fs from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { leafHash } from '../../src/core/content/merkle.ts';
import { packKeys } from '../../src/core/crypto/dir-keys.ts';
import type { CatalogRecord, RecordId } from '../../src/core/records.ts';
import { SqliteCatalog } from '../../src/storage/catalog/sqlite-catalog.ts';
import { DiskDataDir } from '../../src/storage/data-dir.ts';
import { PackCellStore } from '../../src/storage/packs/pack-cell-store.ts';
import { bytesOf, cellOf, countingRandom, peerOf } from '../contract/storage-fixture.ts';
import { World, WRAP_KEY } from '../contract/workers-world.ts';

/** Files of the directory by name, at two moments. */
export type Specimen = {
  /** While the daemon ran: the last changes are in the journal. */
  readonly running: ReadonlyMap<string, Buffer>;
  /** After a clean end: there is no journal. */
  readonly closed: ReadonlyMap<string, Buffer>;
  /** The journal of `running` without its last transaction. */
  readonly beforeLast: Buffer;
  readonly keys: ReturnType<World['keys']>;
};

export const OWNER = peerOf('owner');
export const STORER = peerOf('storer');
const NAMES = ['header.json', 'header.bak', 'state.db', 'state.db-wal', 'state.bak', 'own/pack-0', 'peers/pack-0'];
const HELD_CELLS = 3;

const id = (seed: string): RecordId => bytesOf(seed, 16).toString('hex') as RecordId;

/** Settings stand for all records: each is one sealed row. */
const RECORDS: readonly CatalogRecord[] = ['first', 'second', 'third'].map((name) => ({
  id: id(name),
  kind: 'settings',
  value: { name, storageLimitBytes: 5, minReplicas: 2, approval: 'added', unlisted: false },
}));

/** The smallest pages that SQLite has: as many kinds of pages and bytes, an eighth of the length. */
function smallPages(dataDir: string): void {
  const empty = new DatabaseSync(`${dataDir}/state.db`);
  empty.exec('PRAGMA page_size = 512; VACUUM');
  empty.close();
}

/** What the journal holds goes into the catalog, so that a short journal is left. */
function emptyJournal(dataDir: string): void {
  const database = new DatabaseSync(`${dataDir}/state.db`);
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
}

/** `small`: a catalog of small pages and a short journal, so that every byte of them can be flipped. */
export async function makeSpecimen(small = false): Promise<Specimen> {
  const world = await World.open(7, small ? smallPages : undefined);
  try {
    await new DiskDataDir(world.dataDir).writeHeader({
      format: 1,
      createdMs: 1_790_000_000_000,
      mode: 'phrase',
      account: '',
      verify: bytesOf('verify', 16),
      wrappedWrapKey: bytesOf('wrapped', 48),
      wrappedRowKey: bytesOf('wrapped row', 48),
    });
    await world.setPath(world.write('tree/a.txt', 'the first words\n'.repeat(50)), 'docs/a');
    await world.catalog.backup();
    const row = await world.setPath(world.write('tree/b.bin', bytesOf('noise', 20_000)), 'docs/b');
    await holdBlob(world);
    await world.catalog.putRecords(RECORDS);
    const cells = Array.from({ length: world.blobCells(row) }, (_, cell) => cell);
    const leaves = await world.workers.sealLeaves(STORER, row.contentId, cells);
    await world.catalog.putLeaves(STORER, row.contentId, cells, leaves);
    if (small) emptyJournal(world.dataDir);
    await world.catalog.putRecords(RECORDS);
    const beforeLast = fs.readFileSync(`${world.dataDir}/state.db-wal`);
    await world.catalog.putRecords([], [id('third')]);
    const running = filesOf(world.dataDir);
    return { running, beforeLast, closed: await closedCleanly(world.dir, running), keys: world.keys() };
  } finally {
    await world.close();
  }
}

async function holdBlob(world: World): Promise<void> {
  const options = { dir: `${world.dataDir}/peers`, kind: 'peers', keys: packKeys(WRAP_KEY) } as const;
  const store = new PackCellStore(options, countingRandom());
  await store.open([]);
  const cells = Array.from({ length: HELD_CELLS }, (_, cell) => cellOf(`held ${cell}`));
  const leaves = Buffer.concat(cells.map(({ bytes }) => leafHash(bytes)));
  await world.catalog.createHeldList(OWNER, leaves);
  const positions = await store.append(cells);
  const marks = await store.sync();
  const added = cells.map(({ leaf }, index) => ({ leaf, position: positions[index] ?? { pack: 0, slot: 0 } }));
  await world.catalog.addHeldCells(OWNER, added, marks);
  await store.close();
}

/** A connection that is the last to close writes the journal into the catalog. */
async function closedCleanly(dir: string, files: ReadonlyMap<string, Buffer>): Promise<Map<string, Buffer>> {
  const copy = `${dir}/closed`;
  layOut(copy, files);
  const catalog = new SqliteCatalog(copy, countingRandom());
  await catalog.open();
  await catalog.close();
  return filesOf(copy);
}

/** Makes `dir` hold these files and no others beside packs; a pack of the right length is believed to be the right one. */
export function layOut(dir: string, files: ReadonlyMap<string, Buffer>): void {
  for (const name of ['own', 'peers', 'tmp']) fs.mkdirSync(`${dir}/${name}`, { recursive: true });
  for (const name of fs.readdirSync(dir)) {
    if (!files.has(name) && fs.statSync(`${dir}/${name}`).isFile()) fs.rmSync(`${dir}/${name}`);
  }
  for (const [name, bytes] of files) {
    const isPack = name.includes('/');
    if (isPack && fs.statSync(`${dir}/${name}`, { throwIfNoEntry: false })?.size === bytes.length) continue;
    fs.writeFileSync(`${dir}/${name}`, bytes);
  }
}

function filesOf(dir: string): Map<string, Buffer> {
  return new Map(
    NAMES.filter((name) => fs.existsSync(`${dir}/${name}`)).map((name) => [name, fs.readFileSync(`${dir}/${name}`)]),
  );
}
