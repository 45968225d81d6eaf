// What a storer spends on an owner stays within what was promised, whatever the owner says.

import assert from 'node:assert/strict';
import { readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { BbError } from '../../src/core/errors.ts';
import { CELL_BYTES, OWN_BLOBS, PACK_HEADER_BYTES, PACK_SLOT_BYTES, PULL_FAULTS } from '../../src/core/limits.ts';
import { addPulling, pullTarget, setPulledList } from '../../src/daemon/held.ts';
import { OwnBlobs } from '../../src/daemon/own-blobs.ts';
import { blobCellCount } from '../../src/core/challenge/plan.ts';
import type { ContentInfo, Offer } from '../../src/ports/peer-client.ts';
import { agree, DaemonWorld, noiseOf } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';

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
  const cells = blobCellCount(owner.session.newest?.row ?? assert.fail('no revision'));
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
  const told = async () => (await storer.api.status()).reasons.filter(({ code }) => code === 'NO_SPACE_FOR_PEER');
  assert.match((await told())[0]?.message ?? '', /too full for the newest revision of owner\.$/);
  setFree(storer, 6 * GIB);
  await world.until('proved', () => owner.isProvedAt(storer));
  assert.deepEqual(await told(), []);
});

/** The owner says that nothing of its next revision is new. */
function denyNewCells(owner: DaemonNode): void {
  owner.hooks.set('setContentRevision', (_call, args) => {
    Object.assign(args[1] as Offer, { newCells: 0 });
  });
}

test('an owner that denies that its cells are new gets not a byte more than was promised', async (context) => {
  const { owner, storer, world } = await ownerAndStorer(context, 4 * MIB);
  await owner.setFiles({ big: noiseOf('one', 2.5 * MIB) });
  await world.until('proved', () => owner.isProvedAt(storer) && storer.holdsFor(owner)?.reported === true);
  const before = storer.session.registry.heldOf(owner.id);
  const pulled = storer.bytes('pulled', owner);
  const list = Math.max(...before.map(({ value }) => value.list));
  denyNewCells(owner);
  await owner.setFiles({ big: noiseOf('two', 2.5 * MIB) });
  await storer.hears('offer-received', { outcome: 'ACCEPTED_PULLING' });
  await storer.hears('pull-dropped', { reason: 'QUOTA' });
  owner.hooks.clear();
  await world.until(
    'the honest offer is refused',
    () => owner.said('revision-offered', { outcome: 'QUOTA' }).length > 0,
  );
  assert.equal(storer.bytes('pulled', owner), pulled);
  assert.deepEqual(storer.session.registry.heldOf(owner.id), before);
  assert.equal(storer.session.registry.contract(owner.id)?.theirPull, 'QUOTA');
  owner.hooks.set('setContentRevision', () => Promise.reject(new BbError('PEER_UNREACHABLE', 'offers are lost')));
  await owner.restart();
  await world.until('a restarted owner is told of the refusal at the first contact', async () => {
    return (await owner.api.status()).replicas[0]?.state === 'refused';
  });
  await assert.rejects(storer.session.deps.catalog.heldMissing(list + 1, 0, 1), { code: 'NOT_FOUND' });
});

test('cells that were denied do not fill the disk either, and come when there is space', async (context) => {
  const { owner, storer, world } = await ownerAndStorer(context, 8 * MIB);
  await owner.setFiles({ big: noiseOf('one', 2 * MIB) });
  await world.until('proved', () => owner.isProvedAt(storer));
  const pulled = storer.bytes('pulled', owner);
  setFree(storer, 5 * GIB + 4 * CELL_BYTES);
  denyNewCells(owner);
  await owner.setFiles({ big: noiseOf('two', 2 * MIB) });
  await storer.hears('pull-dropped', { reason: 'NO_SPACE' });
  assert.equal(storer.bytes('pulled', owner), pulled);
  assert.deepEqual(pullsFrom(storer, owner), []);
  setFree(storer, 6 * GIB);
  await world.until('the second is proved', () => owner.isProvedAt(storer));
});

test('an offer that never comes true is let go after some tries, and a good one is taken', async (context) => {
  const { owner, storer, world } = await ownerAndStorer(context, 8 * MIB);
  owner.hooks.set('setContentRevision', (_call, args) => {
    const offer = args[1] as { content: ContentInfo };
    offer.content = { ...offer.content, root: noiseOf('another root', 32) };
  });
  await owner.setFiles({ big: noiseOf('big', MIB) });
  await storer.hears('pull-dropped', { reason: 'BAD_PEER_DATA' });
  const tries = storer.events.slice(
    0,
    storer.events.findIndex(({ name }) => name === 'pull-dropped'),
  );
  assert.equal(tries.filter(({ name }) => name === 'pull-failed').length, PULL_FAULTS);
  owner.hooks.clear();
  await world.until('proved', () => owner.isProvedAt(storer));
});

test('a bad offer that is said again and again is not tried sooner', async (context) => {
  const { owner, storer } = await ownerAndStorer(context, 8 * MIB);
  const say = fakeOffer(owner, storer);
  storer.session.pullFailures.set(owner.id, { tries: 20, faults: 1 }); // the next pause is the longest
  await say();
  await storer.hears('pull-failed', { reason: 'UNKNOWN_CONTENT' });
  for (let time = 0; time < 10; time += 1) assert.equal(await say(), 'ACCEPTED_PULLING');
  assert.equal(storer.said('pull-failed', { reason: 'UNKNOWN_CONTENT' }).length, 1);
});

test('what is still being pulled is neither served nor proved', async (context) => {
  const { owner, storer, world } = await ownerAndStorer(context, 8 * MIB);
  const pause = storer.pauseAt('addHeldCells', 1);
  await owner.setFiles({ big: noiseOf('big', MIB) });
  await pause.reached;
  const contentId = newestId(owner);
  const question = {
    contentId,
    nonce: noiseOf('n', 32),
    seed: noiseOf('s', 32),
    count: 0,
    blockBytes: 4096,
    ranges: [{ startCell: 0, cells: 1 }],
  };
  await assert.rejects(owner.session.client.challenge(storer.id, question), { refusal: 'UNKNOWN_CONTENT' });
  await assert.rejects(downloadAll(owner, storer, contentId), { refusal: 'UNKNOWN_CONTENT' });
  pause.go();
  await world.until('proved', () => owner.isProvedAt(storer));
  assert((await downloadAll(owner, storer, contentId)) > 8 * CELL_BYTES);
});

test('a storer whose disk lost cells says that the replica is lost, after the cells that it has', async (context) => {
  const { owner, storer } = await ownerAndStorer(context, 8 * MIB);
  await owner.setFiles({ big: noiseOf('big', MIB) });
  await owner.world.until('proved', () => owner.isProvedAt(storer));
  const folder = join(storer.dir, 'peers');
  for (const name of readdirSync(folder)) truncateSync(join(folder, name), PACK_HEADER_BYTES + PACK_SLOT_BYTES);
  await assert.rejects(downloadAll(owner, storer, newestId(owner)), { refusal: 'REPLICA_LOST' });
});

/** Bytes of a whole blob. */
async function downloadAll(from: DaemonNode, at: DaemonNode, contentId: Buffer): Promise<number> {
  const request = { contentId, offset: 0, length: 0, referenceContentId: NONE, repair: false, leaves: false };
  let bytes = 0;
  for await (const section of from.session.client.download(at.id, request, 1)) {
    if (section.kind === 'raw') bytes += section.bytes.length;
  }
  return bytes;
}

/** Offers a revision that does not exist, always the same. */
function fakeOffer(owner: DaemonNode, storer: DaemonNode): () => Promise<string> {
  const content = { contentId: noiseOf('fake', 64), contentBytes: MIB, root: noiseOf('fake', 32) };
  const offer = { content, previousContentId: newestId(owner), delete: false, newCells: 8 };
  return async () => (await owner.session.client.setContentRevision(storer.id, offer)).outcome;
}
