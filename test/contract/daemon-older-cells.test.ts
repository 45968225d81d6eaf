// A storer that missed the newest revision still gives every cell that did not change since.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CELL_BYTES } from '../../src/core/limits.ts';
import type { DownloadRequest } from '../../src/ports/peer-client.ts';
import { noiseOf } from './daemon-world.ts';
import { family, gone, newestOf, recoveredFully } from './family.ts';

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
