// `bb storage verify`: every own and held cell is read once, what is bad is named, healed or confessed, and the reading is
// a job that others join and that goes on when nobody looks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { blobCellCount } from '../../src/core/challenge/plan.ts';
import type { VerifiedView } from '../../src/daemon/local-api.ts';
import { agree, damageCell, DaemonWorld, losePacks, noiseOf } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';

const FIRST = { big: noiseOf('big', 1_500_000), small: 'small' };
const NEXT = { big: FIRST.big, small: 'other' };

/** An owner whose two revisions a storer keeps; nothing reads in the background. */
async function proved(context: TestContext) {
  const [owner, storer] = await DaemonWorld.ready(context, 'owner', 'storer');
  assert(owner && storer);
  await owner.api.setStorage(0, 1);
  await agree(owner, storer);
  for (const files of [FIRST, NEXT]) {
    await owner.setFiles(files);
    await owner.world.until('proved', () => owner.isProvedAt(storer));
  }
  for (const { session } of [owner, storer]) session.scheduler.cancel(`scrub:${session.self}`);
  return { owner, storer, world: owner.world };
}

async function verify(node: DaemonNode, signal = new AbortController().signal): Promise<VerifiedView | undefined> {
  let result: VerifiedView | undefined;
  for await (const update of node.api.verifyStorage(signal)) {
    if (update.kind === 'result') result = update.result;
  }
  return result;
}

async function rotOwn(node: DaemonNode): Promise<void> {
  const row = node.session.newest?.row ?? assert.fail('no content');
  const cell = row.headCells + row.indexCells; // the first data cell
  const [position] = await node.session.deps.catalog.cellPositions(row.contentId, cell, 1);
  damageCell(node, 'own', position ?? assert.fail('no such cell'));
}

test('all of it is read, each cell once, and counted for each owner', async (context) => {
  const { owner, storer } = await proved(context);
  const lists = storer.session.registry.heldOf(owner.id).map(({ value }) => value);
  assert(lists.length > 1, 'an older revision is kept');
  const distinct = await storer.session.deps.catalog.heldDistinctCells(lists.map(({ list }) => list));
  assert(distinct < lists.reduce((sum, { cells }) => sum + cells, 0), 'they share cells');
  const seen = await verify(storer);
  assert.deepEqual(seen?.peers, [{ peer: owner.id, name: 'owner', cells: distinct, damaged: 0 }]);
  const own = await verify(owner);
  const newest = owner.session.newest?.row ?? assert.fail('no content');
  assert((own?.ownCells ?? 0) >= blobCellCount(newest));
  assert.deepEqual([own?.ownDamaged, own?.ownLost], [0, 0]);
});

test('a bad own cell comes back before it ends; one that nobody has is told with its file', async (context) => {
  const { owner, storer, world } = await proved(context);
  await rotOwn(owner);
  const healed = await verify(owner);
  assert.deepEqual([healed?.ownDamaged, healed?.ownLost], [1, 0]);
  assert.deepEqual([(await verify(owner))?.ownDamaged, owner.said('own-cells-healed').length], [0, 1]);

  world.cut(owner, storer);
  await world.until('out of reach', () => !owner.session.reach.isReachable(storer.id));
  await rotOwn(owner);
  const lost = await verify(owner);
  assert.deepEqual([lost?.ownDamaged, lost?.ownLost, lost?.damagedFiles], [1, 1, 1]);
  assert.deepEqual(lost?.damagedNames.map(String), ['docs/big']);
});

test('a bad held cell is confessed and fetched again, and the pack that is gone is counted', async (context) => {
  const { owner, storer } = await proved(context);
  const list = storer.holdsFor(owner)?.list ?? assert.fail('nothing is held');
  const [position] = await storer.session.deps.catalog.heldPositions(list, 4, 1);
  damageCell(storer, 'peers', position ?? assert.fail('no such cell'));
  const found = await verify(storer);
  assert.deepEqual(
    found?.peers.map(({ damaged }) => damaged),
    [1],
  );
  await storer.hears('held-cells-repaired', { peer: owner.id, cells: '1' });
  assert.equal(owner.said('loss-reported', { peer: storer.id, cells: '1' }).length, 1);
  assert.equal((await verify(storer))?.peers[0]?.damaged, 0);

  losePacks(storer, 'peers');
  await storer.session.deps.workers.lock(); // its open files would outlive the names
  await storer.restart();
  storer.session.scheduler.cancel(`scrub:${storer.id}`);
  const [gone] = (await verify(storer))?.peers ?? [];
  assert(gone !== undefined && gone.damaged === gone.cells && gone.cells > 0);
});

test('who asks while it reads joins it, who leaves does not end it, a lock does', async (context) => {
  const { storer } = await proved(context);
  const reading = storer.pauseAt('damagedHeld', 1);
  const leaving = new AbortController();
  const left = verify(storer, leaving.signal);
  await reading.reached;
  leaving.abort();
  assert.equal(await left, undefined);
  const joined = verify(storer);
  assert((await storer.api.status()).jobs.some(({ job }) => job.startsWith('verify-')));
  reading.go();
  assert((await joined)?.peers.length === 1);
  assert.equal(storer.said('job-ended', { kind: 'verify', outcome: 'done' }).length, 1);

  const again = storer.pauseAt('damagedHeld', 1);
  const stopped = verify(storer);
  await again.reached;
  const locked = storer.api.lock();
  again.go();
  await assert.rejects(stopped, { code: 'INTERRUPTED' });
  await locked;
});
