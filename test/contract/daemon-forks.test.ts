// Two machines that went on from one history: what both made is kept, whoever wins, and whenever one of them is killed.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { judgeOwnId, mayName, rememberFork, rememberOwnFork } from '../../src/daemon/lineage.ts';
import { agree, DaemonWorld, noiseOf } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';
import { complete, gone, isNormal, newestOf, sealed } from './family.ts';

const MIB = 1024 ** 2;
const never = () => new AbortController().signal;
const text = async (node: DaemonNode, name: string) => (await node.read(name)).toString();
const isProtected = async (node: DaemonNode) => (await node.api.status()).verdict === 'PROTECTED';

/** The fork was seen, and who holds it has said so: what can be had of it can be asked for. */
async function isFound(owner: DaemonNode, fork: { readonly contentId: Buffer }): Promise<void> {
  await owner.hears('fork-found');
  const { world, session } = owner;
  await world.until('its holder answered', () => session.recovery.holdersOf(fork.contentId).length > 0);
}

/** An owner with two storers, and an image of its disk as of now. */
async function imaged(context: TestContext) {
  const [owner, one, two] = await DaemonWorld.ready(context, 'owner', 'one', 'two');
  assert(owner && one && two);
  const { world } = owner;
  await owner.api.setStorage(0, 2);
  await Promise.all([agree(owner, one), agree(owner, two)]);
  await owner.setFiles({ big: noiseOf('big', 2 * MIB), both: 'at first', kept: 'kept' });
  await world.until('protected', () => isProtected(owner));
  await owner.kill();
  const image = `${owner.dir}-image`;
  spawnSync('cp', ['-a', owner.dir, image]);
  const useImage = () => {
    fs.rmSync(owner.dir, { recursive: true });
    fs.renameSync(image, owner.dir);
  };
  return { owner, one, two, world, useImage };
}

/**
 * The first life goes on and is stored by `one` alone. Then the image lives on, and does not see `one`: its revision has the
 * same place, and is stored by `two`.
 */
async function forked(context: TestContext) {
  const { owner, one, two, world, useImage } = await imaged(context);
  world.cut(owner, two);
  await owner.start();
  await owner.unlock();
  await owner.setFiles({ both: 'of the first life', theirs: noiseOf('theirs', MIB) });
  await world.until('proved at one', () => owner.isProvedAt(one));
  const fork = newestOf(owner);
  await owner.kill();
  world.mend(owner, two);
  world.cut(owner, one);
  useImage();
  for (const name of ['both', 'theirs']) fs.rmSync(`${world.dir}/owner-source/${name}`);
  await owner.start();
  await owner.unlock();
  await owner.setFiles({ both: 'of the image', mine: 'mine' });
  await world.until('proved at two', () => owner.isProvedAt(two));
  assert.equal(newestOf(owner).sequence, fork.sequence);
  return { owner, one, two, world, fork };
}

/** Nothing of either life is lost, and no trace of the split is left. */
async function isWhole(owner: DaemonNode, sequence: number): Promise<void> {
  assert.equal(await text(owner, 'docs/both'), 'of the image');
  assert.equal(await text(owner, `docs/both.recovered-${sequence}`), 'of the first life');
  assert.equal(await text(owner, 'docs/mine'), 'mine');
  assert.deepEqual(await owner.read('docs/theirs'), noiseOf('theirs', MIB));
  assert.deepEqual(await owner.read('docs/big'), noiseOf('big', 2 * MIB));
  assert.deepEqual(owner.session.node.forks, []);
  assert.equal((await owner.api.status()).reasons.filter(({ code }) => code === 'FORK').length, 0);
}

test('a fork that two peers tell of at the same time is one, and said once', async (context) => {
  const [owner] = await DaemonWorld.ready(context, 'owner');
  assert(owner);
  await owner.setFiles({ both: 'of the image' });
  const { session } = owner;
  const fork = sealed(owner, newestOf(owner).sequence);
  await Promise.all([1, 2].map(() => judgeOwnId(session, owner.id, fork)));
  assert.deepEqual(session.node.forks, [fork]);
  const mark = owner.events.length;
  await owner.setFiles({ both: 'later' });
  await owner.hears('revision-committed', {}, mark); // which comes after all that was said of the fork
  assert.equal(owner.said('fork-found').length, 1);
});

test('of more forks than are remembered none pushes out another, and one that only this disk has always stays', async (context) => {
  const [owner] = await DaemonWorld.ready(context, 'owner');
  assert(owner);
  await owner.setFiles({ both: 'of the image' });
  const { session } = owner;
  const forks = Array.from({ length: 18 }, (_, index) => noiseOf(`fork ${index}`, 64));
  for (const fork of forks) await rememberFork(session, fork);
  assert.deepEqual(session.node.forks, forks.slice(0, 16), 'their holders tell of the others again');
  const live = sealed(owner, newestOf(owner).sequence + 1);
  await rememberFork(session, live);
  assert.deepEqual(session.node.forks, [...forks.slice(0, 16), live], 'one that is alive stops publishing');
  const own = session.newest;
  assert(own);
  await rememberOwnFork(session, { ...own, row: { ...own.row, contentId: sealed(owner, own.row.sequence) } });
  assert.deepEqual(session.node.forks, [...forks.slice(0, 16), live, own.row.contentId]);
});

test('after a split nothing is published until the user says so, then the files of both are one content', async (context) => {
  const { owner, one, world, fork } = await forked(context);
  world.mend(owner, one);
  await isFound(owner, fork);
  assert.equal(await text(owner, 'docs/both'), 'of the image');
  assert.deepEqual(one.holdsFor(owner)?.contentId, fork.contentId);
  const mark = owner.events.length;
  await owner.session.tasks.publish(owner.session, one.id, never());
  assert.equal(owner.said('revision-offered', {}, mark).length, 0);

  await complete(owner);
  await isWhole(owner, fork.sequence);
  assert.equal(newestOf(owner).generation, 2);
  await world.until('protected', () => isProtected(owner));
  assert.deepEqual(one.holdsFor(owner)?.contentId, newestOf(owner).contentId);

  await context.test('what was merged is no fork for a machine that comes back from the peers, either', async () => {
    await owner.wipe();
    const from = owner.events.length;
    await owner.init('recover');
    await owner.hears('recovery-complete', {}, from);
    await world.until('protected', () => isProtected(owner));
    await isWhole(owner, fork.sequence);
    assert.equal(owner.said('fork-found', {}, from).length, 0);
  });
});

test('killed at each step of a merge, the next start ends it', async (context) => {
  const { owner, one, world, fork } = await forked(context);
  world.mend(owner, one);
  await owner.hears('fork-found');
  const killAt = async (pause: ReturnType<DaemonNode['pauseAt']>) => {
    await pause.reached;
    await owner.kill();
    pause.go();
    owner.hooks.clear();
  };
  // While the generation is raised, then while the merge is committed: each after the user's word.
  for (const step of ['raise', 'merge']) {
    const pause = owner.pauseAt('commitRevision', 1);
    void complete(owner).catch(() => undefined); // it dies with the node
    await killAt(pause);
    await owner.start();
    if (step === 'raise') await owner.unlock(); // which finds the head of the raised generation, and commits it
  }
  // From then on by itself: the head of the merged revision is in the packs, and its cells are found beside it.
  for (const method of ['startRecovery', 'appendHeads']) {
    const pause = owner.pauseAt(method, 1);
    void owner.unlock().catch(() => undefined); // so does this
    await killAt(pause);
    await owner.start();
  }
  await owner.unlock();
  await world.until('merged', () => owner.session.node.forks.length === 0);
  await isWhole(owner, fork.sequence);
  await world.until('protected', () => isProtected(owner));
});

test('what an older image made before it met anybody is kept by the recovery that follows', async (context) => {
  const { owner, one, two, world, useImage } = await imaged(context);
  await owner.start();
  await owner.unlock();
  for (const version of [1, 2]) {
    await owner.setFiles({ both: `newer, version ${version}` });
    await world.until('protected', () => isProtected(owner));
  }
  await owner.kill();
  for (const storer of [one, two]) world.cut(owner, storer);
  useImage();
  await owner.start();
  await owner.unlock();
  await owner.setFiles({ both: 'of the image', mine: 'mine' });
  const { sequence } = newestOf(owner);
  const from = owner.events.length;
  for (const storer of [one, two]) world.mend(owner, storer);
  await owner.hears('fork-merged', {}, from);
  assert.equal(await text(owner, 'docs/both'), 'newer, version 2');
  assert.equal(await text(owner, `docs/both.recovered-${sequence}`), 'of the image');
  assert.equal(await text(owner, 'docs/mine'), 'mine');
  assert.deepEqual(owner.session.node.forks, []);
  await world.until('protected', () => isProtected(owner));
  assert(isNormal(owner));
});

test('what an image made is kept, too, when of the newer revision only a part comes back', async (context) => {
  const { owner, one, two, world, useImage } = await imaged(context);
  await owner.start();
  await owner.unlock();
  for (const both of ['newer', 'newest']) {
    await owner.setFiles({ both, late: noiseOf('late', MIB) });
    await world.until('protected', () => isProtected(owner));
  }
  const { headCells, indexCells } = newestOf(owner);
  await owner.kill();
  for (const storer of [one, two]) world.cut(owner, storer);
  useImage();
  fs.rmSync(`${world.dir}/owner-source/late`);
  await owner.start();
  await owner.unlock();
  await owner.setFiles({ both: 'of the image', mine: 'mine' });
  owner.changes.set('download', (stream: AsyncIterable<unknown>, [, request]) => {
    const { offset } = request as { readonly offset: number };
    const cell = offset / 131_072;
    return cell >= headCells + indexCells && cell < headCells + indexCells + 30 ? gone() : stream;
  });
  const from = owner.events.length;
  for (const storer of [one, two]) world.mend(owner, storer);
  await owner.hears('recovery-stuck', {}, from);
  await complete(owner);
  await owner.hears('fork-merged', {}, from);
  assert.equal(await text(owner, 'docs/both'), 'of the image');
  assert.equal(await text(owner, 'docs/mine'), 'mine');
  assert.deepEqual(await owner.read('docs/big'), noiseOf('big', 2 * MIB));
});

test('of a fork that its holder has lost in part the rest is taken when the user says so', async (context) => {
  const { owner, one, world, fork } = await forked(context);
  // The last data cell, which has the new files; head and index are whole.
  owner.changes.set('download', (stream: AsyncIterable<unknown>, [peer, request]) => {
    const { offset } = request as { readonly offset: number };
    return peer === one.id && offset >= 131_072 * (fork.headCells + fork.indexCells + 16) ? gone() : stream;
  });
  world.mend(owner, one);
  await isFound(owner, fork);
  const mark = owner.events.length;
  const { session } = owner;
  const lock = Promise.withResolvers<void>();
  void session.forkLock.run(() => lock.promise);
  // It waits for the word, and finds out what is missing before the word is looked at.
  const attempt = session.tasks.merge(session, owner.id, never());
  const word = complete(owner);
  await owner.hears('revision-committed', { generation: '2' }, mark);
  lock.resolve();
  await Promise.all([attempt, word]);
  assert.equal(session.node.forks.length, 1, 'what was found out after the word, and not shown, was accepted');
  assert.equal(mayName(session, one.id, fork.contentId), false);
  assert.equal(owner.said('revision-offered', { peer: one.id }, mark).length, 0);
  assert.deepEqual(one.holdsFor(owner)?.contentId, fork.contentId, 'the only copy of the fork was replaced');
  await complete(owner);
  assert.deepEqual(owner.session.node.forks, []);
  assert.equal(await text(owner, 'docs/mine'), 'mine');
  await world.until('protected', () => isProtected(owner));
});

test('who accepts the loss of a fork keeps the files of it that are whole', async (context) => {
  const { owner, one, world, fork } = await forked(context);
  // In the middle of the large new file; the small one is elsewhere.
  const lost = 131_072 * (fork.headCells + fork.indexCells + fork.dataCells - 4);
  owner.changes.set('download', (stream: AsyncIterable<unknown>, [peer, request]) => {
    const { offset, length } = request as { readonly offset: number; readonly length: number };
    return peer === one.id && offset <= lost && lost < offset + length ? gone() : stream;
  });
  world.mend(owner, one);
  await isFound(owner, fork);
  const { missingNames } = await complete(owner, true);
  assert.deepEqual(owner.session.node.forks, []);
  assert.equal(await text(owner, `docs/both.recovered-${fork.sequence}`), 'of the first life');
  assert.deepEqual(missingNames.map(String), ['docs/theirs']);
});

test('a fork that nobody gives is given up by a word of its own', async (context) => {
  const { owner, one, world, fork } = await forked(context);
  owner.changes.set('download', (stream: AsyncIterable<unknown>, [peer]) => (peer === one.id ? gone() : stream));
  world.mend(owner, one);
  await isFound(owner, fork);
  await complete(owner);
  await complete(owner);
  assert.equal(owner.session.node.forks.length, 1);
  await complete(owner, true);
  assert.deepEqual(owner.session.node.forks, []);
  await world.until('protected', () => isProtected(owner));
  assert.equal(await text(owner, 'docs/both'), 'of the image');
});
