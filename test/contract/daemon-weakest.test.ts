// The weakest files: what changed while a storer was away has fewer proved copies than what it holds already.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHUNK_MIN_BYTES } from '../../src/core/limits.ts';
import { agree, DaemonWorld } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';
import { newestOf } from './family.ts';
import { noise } from './noise.ts';

/**
 * Whatever the identity cuts by, each is one chunk, being of the least length of one, and fifteen fill a cell. So the last
 * one is in the third cell, the only one that is stored anew when something is added.
 */
const KEPT = Object.fromEntries(
  Array.from({ length: 31 }, (_, at) => [`kept-${at + 10}`, noise(CHUNK_MIN_BYTES, at + 1)]),
);
const FILES = 32;

async function weakestOf(node: DaemonNode): Promise<readonly unknown[]> {
  const { copies, files, names } = (await node.api.status()).weakest ?? assert.fail();
  return [copies, files, names.map(String)];
}

test('the status names the files that one storer has not proved yet, and none when all are equal', async (context) => {
  const [ann, bob, eve] = await DaemonWorld.ready(context, 'ann', 'bob', 'eve');
  assert(ann && bob && eve);
  const { world } = ann;
  assert.equal((await ann.api.status()).weakest, undefined, 'nothing is set');
  await ann.setFiles({ ...KEPT, diary: 'one page' });
  assert.deepEqual(await weakestOf(ann), [0, FILES, []], 'no copy of anything');
  await agree(ann, bob);
  await agree(ann, eve);
  await world.until('two copies', () => ann.isProvedAt(bob) && ann.isProvedAt(eve));
  assert.deepEqual(await weakestOf(ann), [2, FILES, []]);

  world.cut(ann, eve);
  await ann.setFiles({ ...KEPT, diary: 'two pages' });
  await world.until('proved at one', () => ann.isProvedAt(bob));
  assert.deepEqual(await weakestOf(ann), [1, 2, ['docs/diary', 'docs/kept-40']]);

  world.mend(ann, eve);
  await ann.api.pingPeer(eve.id, new AbortController().signal);
  await world.until('proved at both', () => ann.isProvedAt(eve));
  assert.deepEqual(await weakestOf(ann), [2, FILES, []]);
});

test('the status has an answer also when what a storer had proved is forgotten while it is asked for', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  const { world } = ann;
  await ann.setFiles({ ...KEPT, diary: 'one page' });
  await agree(ann, bob);
  await world.until('a copy', () => ann.isProvedAt(bob));
  const proved = newestOf(ann).contentId;
  world.cut(ann, bob);
  await ann.setFiles({ ...KEPT, diary: 'two pages' });
  ann.hooks.set('commonRuns', () => ann.session.deps.catalog.dropRevision(proved));
  assert.deepEqual((await weakestOf(ann)).slice(0, 2), [0, FILES]);
});
