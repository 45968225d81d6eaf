// A storer that missed the newest revision still gives every cell that did not change since.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CELL_BYTES } from '../../src/core/limits.ts';
import { splitIds } from '../../src/daemon/commit-revision.ts';
import type { DownloadRequest } from '../../src/ports/peer-client.ts';
import type { DaemonNode } from './daemon-node.ts';
import { agree, DaemonWorld, noiseOf } from './daemon-world.ts';
import { complete, family, gone, newestOf, recoveredFully } from './family.ts';

const MIB = 1024 ** 2;
const LOST_CELLS = 24;

test('what the holder of the newest revision has lost comes from a stale one, by the revision that it has', async (context) => {
  const { owner, one, two, world } = await family(context);
  world.cut(owner, two);
  await owner.setFiles({ 'a/small': 'newest' });
  await world.until('proved at one', () => owner.isProvedAt(one));
  const before = await owner.listing();
  const { contentId, headCells, indexCells, dataCells } = newestOf(owner);
  assert.notDeepEqual(two.holdsFor(owner)?.contentId, contentId);
  await owner.wipe();
  const isLost = (offset: number) => {
    const dataCell = offset / CELL_BYTES - headCells - indexCells;
    return dataCell >= 0 && dataCell < LOST_CELLS;
  };
  assert(LOST_CELLS < dataCells - 1, 'the cells that are new are not lost');
  owner.changes.set('download', (stream: AsyncIterable<unknown>, [peer, asked]) => {
    const { offset } = asked as DownloadRequest;
    return peer === one.id && isLost(offset) ? gone() : stream;
  });
  world.mend(owner, two);
  await owner.init('recover');
  await recoveredFully(world, owner);
  assert.deepEqual(await owner.listing(), before);
  assert.equal((await owner.read('docs/a/small')).toString(), 'newest');
  assert.deepEqual(await owner.read('docs/a/big'), noiseOf('big', 5 * MIB));
  const fromStale = owner.bytes('recovered', two) / CELL_BYTES;
  assert(fromStale >= LOST_CELLS, `${fromStale} cells came from the stale storer`);
  // Its index had to be read to know where they are; nothing else came twice.
  assert(fromStale <= LOST_CELLS + 8, `${fromStale} cells came from the stale storer`);
});

test('a file whose cell is lost in the newest revision comes from an older one, where it lies in another cell', async (context) => {
  const [owner, storer] = await DaemonWorld.ready(context, 'owner', 'storer');
  assert(owner && storer);
  await owner.api.setStorage(0, 1);
  await agree(owner, storer);
  await owner.setFiles({ kept: 'in both' });
  await owner.world.until('proved', () => owner.isProvedAt(storer));
  const [before, old] = [await dataCells(owner), newestOf(owner)];
  await storer.session.registry.updateNode((node) => {
    assert(node);
    return { ...node, countedSeconds: node.countedSeconds + 7200 }; // revisions of one hour are thinned
  });
  await owner.setFiles({ late: 'only in the newest' });
  await owner.world.until('proved', () => owner.isProvedAt(storer));
  const { contentId, headCells, indexCells } = newestOf(owner);
  const after = await dataCells(owner);
  assert(!after.some((id) => before.includes(id)), 'the last cell was packed anew');
  await owner.wipe();
  owner.changes.set('download', (stream: AsyncIterable<unknown>, [, asked]) => {
    const { contentId: of, offset } = asked as DownloadRequest;
    return of.equals(contentId) && offset / CELL_BYTES === headCells + indexCells ? gone() : stream;
  });
  await owner.init('recover');
  await owner.hears('recovery-stuck');
  const held = new RegExp(`Peers also hold revision [\\d, ]*\\b${old.sequence}\\b`);
  assert.match(owner.session.recovery.waitingFor, held);
  const { missingNames } = await complete(owner);
  assert.deepEqual(missingNames.map(String), ['docs/late']);
  assert.equal((await owner.read('docs/kept')).toString(), 'in both');
});

async function dataCells(node: DaemonNode): Promise<readonly string[]> {
  const { contentId, headCells, indexCells, dataCells: count } = newestOf(node);
  const packed = await node.session.deps.catalog.cellIds(contentId, headCells + indexCells, count);
  return splitIds(packed).map((id) => id.toString('hex'));
}
