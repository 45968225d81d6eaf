// A life of a catalog, one transaction after the other: transaction n depends on the seed and n alone, so that any process
// can go on with it, and two adapters that did as many of them say the same of themselves.

import { blobCellCount } from '../../src/core/challenge/plan.ts';
import type { CatalogRecord, RecordId } from '../../src/core/records.ts';
import type { Catalog, RevisionRow } from '../../src/ports/catalog.ts';
import { commitOf } from '../contract/catalog-suite.ts';
import type { CatalogDisk, StagedName } from '../contract/catalog-suite.ts';
import { bytesOf, peerOf } from '../contract/storage-fixture.ts';

/** What a step works on. */
export type Stage = { readonly catalog: Catalog; readonly disk: CatalogDisk; readonly seed: string };
type Step = (stage: Stage, number: number) => Promise<unknown>;

const LEAF_BYTES = 32;
const NEW_CELLS = 24;
const KEPT_CELLS = 12;
const LIST_CELLS = 64;
const MANY_RECORDS = 40;
/** Revisions whose cells have places of their own in one pack. */
const ROOM = 16;
const MOVED_CELLS = 3;
const STORER = peerOf('storer');
const OWNER = peerOf('owner');

const idOf = (name: string): RecordId => bytesOf(name, 16).toString('hex') as RecordId;
/** Says how far the life has come. */
const settingsOf = (number: number): CatalogRecord => ({
  id: idOf('settings'),
  kind: 'settings',
  value: { name: `step ${number}`, storageLimitBytes: number, minReplicas: 2, approval: 'nobody', unlisted: false },
});
const recordOf = (number: number, index: number): CatalogRecord => ({
  ...settingsOf(number),
  id: idOf(`record ${index}`),
});

const someRecords: Step = ({ catalog, seed }, number) => {
  const gone = bytesOf(`${seed} ${number}`, 1).readUInt8() % MANY_RECORDS;
  return catalog.putRecords([settingsOf(number)], [idOf(`record ${gone}`)]);
};

/** Many pages in one transaction. */
const manyRecords: Step = ({ catalog }, number) =>
  catalog.putRecords([
    settingsOf(number),
    ...Array.from({ length: MANY_RECORDS }, (_, index) => recordOf(number, index)),
  ]);

/** Some cells of the last revision and some new ones, with a record in the same transaction. */
const commit: Step = async ({ catalog, disk, seed }, number) => {
  const before = await catalog.newestRevision();
  const sequence = (before?.sequence ?? 0) + 1;
  const base = (sequence % ROOM) * (NEW_CELLS + 3); // the places of long dropped revisions are used again
  const data = Array.from({ length: NEW_CELLS }, (_, at): StagedName => {
    const name = `${seed} d${sequence} ${at}`;
    return { name, slot: base + at, chunks: [`${name} chunk`] };
  });
  const kept = Array.from({ length: before === undefined ? 0 : KEPT_CELLS }, (_, at) => ({
    name: `${seed} d${sequence - 1} ${at}`,
  }));
  const index = [{ name: `${seed} i${sequence}`, slot: base + NEW_CELLS }];
  return catalog.commitRevision(
    commitOf(disk, sequence, index, [...kept, ...data], base + NEW_CELLS + 3, [settingsOf(number)]),
  );
};

const leavesForStorer: Step = async ({ catalog, seed }, number) => {
  const newest = await catalog.newestRevision();
  if (newest === undefined) return;
  const cells = await catalog.unknownLeaves(STORER, newest.contentId);
  const leaves = bytesOf(`${seed} leaves ${number}`, cells.length * LEAF_BYTES);
  return catalog.putLeaves(STORER, newest.contentId, cells, leaves);
};

const moveCells: Step = async ({ catalog }, number) => {
  const newest = await catalog.newestRevision();
  if (newest === undefined) return;
  const ids = await catalog.cellIds(newest.contentId, newest.headCells, MOVED_CELLS);
  const base = (number % ROOM) * MOVED_CELLS;
  const cells = Array.from({ length: MOVED_CELLS }, (_, at) => ({
    cellId: ids.subarray(at * LEAF_BYTES, (at + 1) * LEAF_BYTES),
    position: { pack: 1, slot: base + at },
  }));
  return catalog.moveOwn({ cells, heads: [], marks: [{ pack: 1, slots: base + MOVED_CELLS }] });
};

const dropOldRevision: Step = async ({ catalog }, number) => {
  const rows = await revisionsOf(catalog);
  const [oldest] = rows;
  return rows.length < 3 || oldest === undefined
    ? catalog.putRecords([settingsOf(number)])
    : catalog.dropRevision(oldest.contentId);
};

const newList: Step = ({ catalog, seed }, number) =>
  catalog.createHeldList(OWNER, bytesOf(`${seed} list ${number}`, LIST_CELLS * LEAF_BYTES));

const cellsOfList: Step = async ({ catalog }, number) => {
  const list = (await listsOf(catalog)).at(-1);
  if (list === undefined) return;
  const leaves = await catalog.heldLeaves(list, 0, LIST_CELLS);
  const cells = Array.from({ length: LIST_CELLS }, (_, at) => ({
    leaf: leaves.subarray(at * LEAF_BYTES, (at + 1) * LEAF_BYTES),
    position: { pack: number, slot: at },
  }));
  return catalog.addHeldCells(OWNER, cells, [{ pack: number, slots: LIST_CELLS }]);
};

const dropOldList: Step = async ({ catalog }, number) => {
  const [oldest, ...others] = await listsOf(catalog);
  return others.length < 2 || oldest === undefined
    ? catalog.putRecords([settingsOf(number)])
    : catalog.dropHeldList(oldest);
};

/** In this order, again and again. */
const STEPS = [
  manyRecords,
  commit,
  leavesForStorer,
  newList,
  cellsOfList,
  someRecords,
  moveCells,
  dropOldRevision,
  dropOldList,
] as const;

export async function runStep(stage: Stage, number: number): Promise<void> {
  await STEPS[number % STEPS.length]?.(stage, number);
}

/** All that a catalog says of itself through its port, as one text. */
export async function everythingOf(catalog: Catalog): Promise<string> {
  const records = (await catalog.records()).toSorted((a, b) => a.id.localeCompare(b.id));
  const rows = await revisionsOf(catalog);
  const lists = await listsOf(catalog);
  const seen = {
    records,
    newest: (await catalog.newestRevision())?.sequence,
    own: await catalog.marks('own'),
    peers: await catalog.marks('peers'),
    revisions: await Promise.all(rows.map((row) => revisionOf(catalog, row))),
    lists: await Promise.all(lists.map((list) => listOf(catalog, list))),
  };
  return JSON.stringify(seen, (_key, value: unknown) => (Buffer.isBuffer(value) ? value.toString('hex') : value));
}

async function revisionOf(catalog: Catalog, row: RevisionRow): Promise<unknown> {
  const { contentId } = row;
  const cells = blobCellCount(row);
  const unknown = await catalog.unknownLeaves(STORER, contentId);
  return {
    row,
    ids: (await catalog.cellIds(contentId, 0, cells)).toString('hex'),
    positions: await catalog.cellPositions(contentId, 0, cells),
    unknown,
    leaves: unknown.length === 0 ? (await catalog.peerLeaves(STORER, contentId, 0, cells))?.toString('hex') : '',
  };
}

async function listOf(catalog: Catalog, list: number): Promise<unknown> {
  return {
    leaves: (await catalog.heldLeaves(list, 0, LIST_CELLS)).toString('hex'),
    missing: await catalog.heldMissing(list, 0, LIST_CELLS),
    positions: await catalog.heldPositions(list, 0, LIST_CELLS),
  };
}

/** Oldest first. */
async function revisionsOf(catalog: Catalog): Promise<RevisionRow[]> {
  const { revisions } = await catalog.inventory();
  const rows = await Promise.all(revisions.map((id) => catalog.revision(id)));
  return rows.filter((row) => row !== undefined).toSorted((a, b) => a.sequence - b.sequence);
}

/** Oldest first. */
async function listsOf(catalog: Catalog): Promise<number[]> {
  return (await catalog.inventory()).heldLists.toSorted((a, b) => a - b);
}
