// What a storer spends on an owner stays within what was promised, whatever the owner says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { addPulling, pullTarget, setPulledList } from '../../src/daemon/held.ts';
import { agree, DaemonWorld, noiseOf } from './daemon-world.ts';
import type { DaemonNode } from './daemon-world.ts';

const MIB = 1024 ** 2;
const NONE = Buffer.alloc(0);

async function ownerAndStorer(context: TestContext, bytes: number) {
  const [owner, storer] = await DaemonWorld.ready(context, 'owner', 'storer');
  assert(owner && storer);
  await owner.api.setStorage(0, 1);
  await agree(owner, storer, bytes);
  await owner.world.until('the contract is in a revision', () => owner.isProvedAt(storer));
  return { owner, storer, world: owner.world };
}

const newestId = (owner: DaemonNode) => owner.session.newest?.row.contentId ?? NONE;

const pullsFrom = (storer: DaemonNode, owner: DaemonNode) =>
  storer.session.registry.heldOf(owner.id).filter(({ value }) => value.role === 'pulling');

test('an owner whose plans never come has one unfinished pull here, not one per offer', async (context) => {
  const { owner, storer } = await ownerAndStorer(context, 8 * MIB);
  let previousContentId = newestId(owner);
  for (const seed of ['a', 'b', 'c', 'd']) {
    const content = { contentId: noiseOf(seed, 64), contentBytes: MIB, root: noiseOf(seed, 32) };
    const offer = { content, previousContentId, delete: false, newCells: 8 };
    const { outcome } = await owner.session.client.setContentRevision(storer.id, offer);
    assert.equal(outcome, 'ACCEPTED_PULLING', seed);
    previousContentId = content.contentId;
  }
  const pulls = pullsFrom(storer, owner);
  assert.deepEqual(
    pulls.map(({ value }) => value.contentId),
    [noiseOf('d', 64)],
  );
});

test('a plan that comes late does not displace a newer offer, and a newer plan gives up older pulls', async (context) => {
  const [owner, storer] = await DaemonWorld.ready(context, 'owner', 'storer');
  assert(owner && storer);
  const { session } = storer;
  const begin = async (seed: string) => {
    await addPulling(session, owner.id, { contentId: noiseOf(seed, 64), root: noiseOf(seed, 32), cells: 3 });
    return pullTarget(session, owner.id) ?? assert.fail('nothing is pulled');
  };
  const listOf = (seed: string) => session.deps.catalog.createHeldList(owner.id, noiseOf(seed, 96));
  const replaced = await begin('replaced');
  const older = await begin('older');
  const lost = await listOf('replaced');
  assert.equal(await setPulledList(session, replaced, lost), false);
  await assert.rejects(session.deps.catalog.heldMissing(lost, 0, 3), { code: 'NOT_FOUND' });
  const oldList = await listOf('older');
  assert.equal(await setPulledList(session, older, oldList), true);
  const newer = await begin('newer');
  assert.deepEqual(
    pullsFrom(storer, owner).map(({ id }) => id),
    [older.id, newer.id],
  );
  assert.equal(await setPulledList(session, newer, await listOf('newer')), true);
  assert.deepEqual(
    pullsFrom(storer, owner).map(({ id }) => id),
    [newer.id],
  );
  await assert.rejects(session.deps.catalog.heldMissing(oldList, 0, 3), { code: 'NOT_FOUND' });
});
