// What a storer spends on an owner stays within what was promised, whatever the owner says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { CELL_BYTES, OWN_BLOBS } from '../../src/core/limits.ts';
import { addPulling, pullTarget, setPulledList } from '../../src/daemon/held.ts';
import { OwnBlobs } from '../../src/daemon/own-blobs.ts';
import { blobCells } from '../../src/daemon/replica.ts';
import { agree, DaemonWorld, noiseOf } from './daemon-world.ts';
import type { DaemonNode } from './daemon-world.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
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

test('an owner computes the root of a blob once and reads no more leaves than a plan asks for', async (context) => {
  const { owner, storer, world } = await ownerAndStorer(context, 8 * MIB);
  const pause = storer.pauseAt('createHeldList', 1);
  await owner.setFiles({ big: noiseOf('big', 2 * MIB) });
  await pause.reached;
  const contentId = newestId(owner);
  const cells = blobCells(owner.session.newest?.row ?? assert.fail('no revision'));
  let read: number[] = [];
  owner.hooks.set('peerLeaves', (_call, args) => {
    read.push(Number(args[3]));
  });
  const request = { contentId, offset: CELL_BYTES, length: 2 * CELL_BYTES, referenceContentId: NONE, repair: false };
  const download = async (leaves: boolean) => {
    const kinds = new Set<string>();
    for await (const section of storer.session.client.download(owner.id, { ...request, leaves }, 1)) {
      kinds.add(section.kind);
    }
    return [...kinds];
  };
  assert.deepEqual(await download(false), ['head', 'raw']);
  assert.deepEqual(read, [], 'the root was known since the offer');
  assert.deepEqual(await download(true), ['head', 'leaves']);
  assert.deepEqual(read, [2]);
  await owner.restart();
  await world.until('in touch', () => storer.session.reach.isReachable(owner.id));
  read = [];
  await Promise.all(Array.from({ length: 4 }, () => download(true)));
  assert.deepEqual(
    read.toSorted((a, b) => a - b),
    [2, 2, 2, 2, cells],
    'four lanes, one root',
  );
  owner.hooks.clear();
  storer.hooks.clear();
  pause.go();
  await world.until('proved', () => owner.isProvedAt(storer));
});

test('what is remembered of own blobs is bounded, and an unknown one is asked for again', async () => {
  const blobs = new OwnBlobs();
  let computed: string[] = [];
  const get = (name: string, isKnown = true) =>
    blobs.get(name, async () => {
      computed.push(name);
      return isKnown ? { cells: 3, root: NONE } : undefined;
    });
  for (let at = 0; at < OWN_BLOBS; at += 1) await get(`${at}`);
  computed = [];
  await get('0');
  await get('one more');
  await get('0');
  await get('1');
  assert.deepEqual(computed, ['one more', '1'], 'the one that was asked for longest ago left');
  computed = [];
  await get('unknown', false);
  await get('unknown', false);
  await assert.rejects(blobs.get('failing', () => Promise.reject(new Error('once'))));
  await get('failing');
  assert.deepEqual(computed, ['unknown', 'unknown', 'failing']);
});

/** As if the disk of a node had so many bytes free of 100 GiB. */
function setFree(node: DaemonNode, freeBytes: number): void {
  Object.assign(node.session.deps.dataDir, {
    freeBytes: () => Promise.resolve(freeBytes),
    totalBytes: () => Promise.resolve(100 * GIB),
  });
}

test('the last twentieth of a disk takes no revision of a peer, until there is space again', async (context) => {
  const { owner, storer, world } = await ownerAndStorer(context, 8 * MIB);
  const before = storer.session.registry.held();
  setFree(storer, 5 * GIB);
  await owner.setFiles({ big: noiseOf('big', MIB) });
  await owner.hears('revision-offered', { outcome: 'NO_SPACE' });
  assert.equal(storer.session.registry.contract(owner.id)?.theirPull, 'NO_SPACE');
  assert.deepEqual(storer.session.registry.held(), before);
  setFree(storer, 6 * GIB);
  await world.until('proved', () => owner.isProvedAt(storer));
});
