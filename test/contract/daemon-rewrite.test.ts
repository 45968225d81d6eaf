// Packs of which little is needed: what is needed moves, the space comes back, and nothing is lost when that is cut at any
// step, when a cell in it is bad, or when somebody reads it meanwhile.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { BbError } from '../../src/core/errors.ts';
import { PACK_DEAD_CELLS, PACK_SLOT_BYTES } from '../../src/core/limits.ts';
import { worthRewriting } from '../../src/core/policy/packs.ts';
import { agree, check, damageCell, DaemonWorld, endHolds, noiseOf } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';

const KEPT = noiseOf('kept', 300_000);
const GONE_BYTES = 2_600_000;

/** A storer with a large older revision in its hold, of which the newest one shares a little. */
async function grown(context: TestContext) {
  const [owner, storer] = await DaemonWorld.ready(context, 'owner', 'storer');
  assert(owner && storer);
  await owner.api.setStorage(0, 1);
  await agree(owner, storer);
  await grow(owner, storer, 'gone');
  return { owner, storer, world: owner.world };
}

/** A large file comes and goes. */
async function grow(owner: DaemonNode, storer: DaemonNode, name: string): Promise<void> {
  const files = { kept: KEPT, [name]: noiseOf(name, GONE_BYTES) };
  for (const next of [files, { kept: KEPT, [name]: 'small' }]) {
    const { revision } = await owner.setFiles(next);
    const isProved = () => owner.replicaAt(storer)?.proved.equals(revision?.contentId ?? KEPT) === true;
    await owner.world.until('proved', isProved);
  }
}

function packFiles(node: DaemonNode): string[] {
  return fs.readdirSync(join(node.dir, 'peers')).toSorted();
}

/** Every cell that the storer holds is good, and the owner believes it. */
async function isWhole(owner: DaemonNode, storer: DaemonNode): Promise<void> {
  for (const { value } of storer.session.registry.heldOf(owner.id)) {
    const cells = Array.from({ length: value.cells }, (_, at) => at);
    assert.deepEqual(await storer.session.deps.workers.damagedHeld(value.list, cells), []);
  }
  assert.equal(await check(owner, storer), 'held');
}

test('what is needed moves, the old pack goes, and its space with it', async (context) => {
  const { owner, storer } = await grown(context);
  assert.equal((await storer.api.collectGarbage(false)).rewrittenPacks, 0, 'a hold keeps all of it');
  assert.deepEqual(packFiles(storer), ['pack-0']);
  const before = await storer.session.cells.diskBytes();
  await endHolds(storer);
  await storer.api.collectGarbage(false); // the background may be before it
  await storer.hears('packs-rewritten', { packs: '1' });
  assert((await storer.session.cells.diskBytes()) < before - PACK_DEAD_CELLS * PACK_SLOT_BYTES);
  assert.deepEqual(packFiles(storer), ['pack-1']);
  await isWhole(owner, storer);
  await storer.restart();
  await owner.world.until('in touch', () => owner.session.reach.isReachable(storer.id));
  await isWhole(owner, storer);
  // The owner is recovered from where the cells are now.
  await owner.wipe();
  await owner.init('recover');
  await owner.world.until('recovered', () => owner.session.node.mode === 'normal');
  assert((await owner.read('docs/kept')).equals(KEPT));
});

test('a kill at any step of it loses nothing, and the next run ends it', async (context) => {
  const { owner, storer, world } = await grown(context);
  for (const step of ['append', 'moveHeld', 'dropHeldPacks', 'removePack']) {
    if (step !== 'append') await grow(owner, storer, step);
    const cut = storer.pauseAt(step, 1);
    await endHolds(storer);
    void storer.api.collectGarbage(false).catch(() => undefined); // or the background is before it
    await cut.reached;
    await storer.kill();
    cut.go();
    storer.hooks.delete(step);
    await storer.start();
    await storer.unlock();
    await world.until('in touch', () => owner.session.reach.isReachable(storer.id));
    await isWhole(owner, storer);
    await world.until(`it has ended after ${step}`, async () => {
      await storer.api.collectGarbage(false);
      const use = await storer.session.deps.catalog.heldPackUse();
      const names = use.map(({ pack }) => `pack-${pack}`).toSorted();
      return worthRewriting(use).length === 0 && isDeepStrictEqual(packFiles(storer), names);
    });
    await isWhole(owner, storer);
  }
  assert.equal(storer.said('held-cells-lost').length, 0);
});

test('a bad cell is not copied: it is confessed, fetched again, and then the pack goes', async (context) => {
  const { owner, storer, world } = await grown(context);
  const list = storer.holdsFor(owner)?.list ?? assert.fail('nothing is held');
  const [position] = await storer.session.deps.catalog.heldPositions(list, 3, 1);
  storer.session.scheduler.cancel(`scrub:${storer.id}`); // the rewriting itself must see it
  damageCell(storer, 'peers', position ?? assert.fail('no such cell'));
  await endHolds(storer);
  await storer.hears('held-cells-repaired', { peer: owner.id, cells: '1' });
  await world.until('the old pack is gone', async () => {
    await storer.api.collectGarbage(false);
    return !packFiles(storer).includes('pack-0');
  });
  await isWhole(owner, storer);
});

test('on a full disk nothing moves, and what is empty goes', async (context) => {
  const { owner, storer } = await grown(context);
  for (const task of ['tick', 'rewrite']) storer.session.scheduler.cancel(`${task}:${storer.id}`);
  storer.hooks.set('append', () => {
    throw new BbError('NO_SPACE', 'the disk is full');
  });
  await endHolds(storer);
  assert.deepEqual((await storer.api.collectGarbage(false)).rewrittenPacks, 0);
  assert.deepEqual(packFiles(storer), ['pack-0']);
  await isWhole(owner, storer);
  storer.hooks.delete('append');
  await storer.api.collectGarbage(false);
  await storer.hears('packs-rewritten', { packs: '1' });
  await isWhole(owner, storer);
});

test('a cell that moves while it is read is read where it is now', async (context) => {
  const { owner, storer } = await grown(context);
  storer.session.scheduler.cancel(`scrub:${storer.id}`);
  const held = storer.holdsFor(owner) ?? assert.fail('nothing is held');
  // The owner fetches its copy; its first cell has been looked up when the pack goes.
  const reading = storer.pauseAt('read', 1);
  const request = { offset: 0, length: 0, referenceContentId: Buffer.alloc(0), repair: false, leaves: false };
  const fetched = (async () => {
    let bytes = 0;
    const stream = owner.session.client.download(storer.id, { ...request, contentId: held.contentId }, 1);
    for await (const section of stream) if (section.kind === 'raw') bytes += section.bytes.length;
    return bytes;
  })();
  await reading.reached;
  storer.hooks.delete('read');
  await endHolds(storer);
  await storer.api.collectGarbage(false);
  await storer.hears('packs-rewritten', { packs: '1' });
  reading.go();
  assert.equal(await fetched, held.cells * 131_072);
  assert.equal(storer.said('held-cells-lost').length, 0);
});

test('a catalog from before the move finds the cells where they are', async (context) => {
  const { owner, storer, world } = await grown(context);
  await storer.session.deps.catalog.backup();
  await endHolds(storer);
  await storer.api.collectGarbage(false);
  await storer.hears('packs-rewritten');
  await storer.kill();
  for (const name of ['state.db', 'state.db-wal', 'state.db-shm']) fs.rmSync(join(storer.dir, name), { force: true });
  await storer.start();
  for await (const update of storer.api.doctor({ fix: true, readData: false }, new AbortController().signal)) {
    assert(update.kind === 'finding');
  }
  await storer.unlock();
  await world.until('in touch', () => owner.session.reach.isReachable(storer.id));
  // Its owner offers it again, because the catalog is an older one; no cell has to be sent for that.
  await world.until('it is held', () => owner.isProvedAt(storer) && storer.holdsFor(owner) !== undefined);
  assert.equal(await check(owner, storer), 'held');
  assert.deepEqual([storer.bytes('pulled', owner), storer.said('held-cells-lost').length], [0, 0]);
});
