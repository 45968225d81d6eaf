// A dead disk, the words, and what comes back; and everything that must not be overwritten on the way.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CELL_BYTES } from '../../src/core/limits.ts';
import { changeMode } from '../../src/daemon/change-mode.ts';
import type { RecoverArgs } from '../../src/daemon/local-api.ts';
import { planFor } from '../../src/daemon/plan.ts';
import { blobCellCount } from '../../src/core/challenge/plan.ts';
import { DaemonWorld, lieTo, noiseOf } from './daemon-world.ts';
import { family, newestOf, recoveredFully, sealed } from './family.ts';

const MIB = 1024 ** 2;
const NONE = Buffer.alloc(0);

test('from the words alone everything comes back, from both storers, and goes on as before', async (context) => {
  const { owner, one, two, world } = await family(context);
  const before = await owner.listing();
  const old = newestOf(owner);
  await owner.wipe();
  await owner.init('recover');
  await assert.rejects(owner.setFiles({ 'b/c/d': 'too early' }), { code: 'PUBLISH_BLOCKED' });
  owner.source({ 'b/c/d': 'deep' });
  await recoveredFully(world, owner);
  assert.deepEqual(await owner.listing(), before);
  assert.deepEqual(await owner.read('docs/a/big'), noiseOf('big', 5 * MIB));
  assert.match(before.get('docs/exec') ?? '', / 750 /);
  assert.match(before.get('docs/a/small') ?? '', / 12345678901229/);
  assert.match(before.get('docs/link') ?? '', new RegExp(Buffer.from('a/small').toString('hex')));
  assert.deepEqual([newestOf(owner).generation, newestOf(owner).sequence], [2, old.sequence + 1]);
  // Both gave, and nothing but what was missing: two heads and a cell as proof are all that comes twice.
  const given = [one, two].map((storer) => owner.bytes('recovered', storer) / CELL_BYTES);
  assert(
    given.every((cells) => cells > 5),
    String(given),
  );
  assert((given[0] ?? 0) + (given[1] ?? 0) <= blobCellCount(old) + 6, `${given.join()} of ${blobCellCount(old)} cells`);
  const { storageLimitBytes, minReplicas, name } = owner.session.settings;
  assert.deepEqual([storageLimitBytes, minReplicas, name], [3 * 1024 * MIB, 2, 'owner']);
  const contracts = await owner.api.contracts('');
  assert.deepEqual(
    contracts.map(({ state }) => state),
    ['ACTIVE', 'ACTIVE'],
  );
  assert.deepEqual(
    contracts.map(({ proposedByUs }) => proposedByUs).toSorted((a, b) => Number(a) - Number(b)),
    [false, true],
  );
  // It is stored again, and stores again what it owed.
  await world.until('protected', async () => (await owner.api.status()).verdict === 'PROTECTED');
  await world.until('the debt is paid', () => one.isProvedAt(owner));
  assert.deepEqual(owner.holdsFor(one)?.contentId, newestOf(one).contentId);
  assert(
    (owner.bytes('served', one) + owner.bytes('served', two)) / CELL_BYTES <= 16,
    'cells that are there moved again',
  );

  await context.test('a newer id that nobody holds is looked into and survived', async () => {
    const mark = owner.events.length;
    const id = sealed(owner, newestOf(owner).sequence + 1);
    await one.session.client.getContentRevision(owner.id, id);
    await owner.hears('recovery-complete', {}, mark);
    await world.until('protected', async () => (await owner.api.status()).verdict === 'PROTECTED');
    assert.equal(newestOf(owner).generation, 3);
    assert.deepEqual(await owner.listing(), before);
  });

  await context.test('an old id is not a fork, another one at the same place is', async () => {
    await one.session.client.getContentRevision(owner.id, old.contentId);
    await one.session.client.getContentRevision(owner.id, noiseOf('not ours', 64));
    assert.deepEqual([owner.session.node.mode, owner.session.node.forks], ['normal', []]);
    const fork = sealed(owner, newestOf(owner).sequence);
    await one.session.client.getContentRevision(owner.id, fork);
    await one.session.client.getContentRevision(owner.id, fork);
    assert.deepEqual([owner.session.node.mode, owner.session.node.forks], ['normal', [fork]]);
    const { reasons } = await owner.api.status();
    assert.equal(reasons.filter(({ code }) => code === 'FORK').length, 1);
  });
});

test('killed in the middle it goes on, without the cells that it has', async (context) => {
  const { owner, one, two, world } = await family(context);
  const before = await owner.listing();
  const cells = blobCellCount(newestOf(owner));
  await owner.wipe();
  // Cells come from the storers until a few have arrived; then the node is killed.
  const pauses = [one, two].map((storer) => storer.pauseAt('read', 14));
  await owner.init('recover');
  await world.until(
    'some came',
    () => owner.bytes('recovered', one) + owner.bytes('recovered', two) >= 16 * CELL_BYTES,
  );
  assert.equal(owner.session.node.mode, 'recovering');
  await owner.kill();
  for (const storer of [one, two]) storer.hooks.clear();
  for (const { go } of pauses) go();
  await owner.start();
  await owner.unlock();
  await recoveredFully(world, owner);
  assert.deepEqual(await owner.listing(), before);
  const again = (owner.bytes('recovered', one) + owner.bytes('recovered', two)) / CELL_BYTES;
  assert(again <= cells - 8, `${again} of ${cells} cells came again`);
});

test('killed while it seals the revision that ends it, a recovery ends after the next unlock', async (context) => {
  const { owner, world } = await family(context);
  const before = await owner.listing();
  await owner.wipe();
  // The restored revision is committed first, then the one that begins the next generation.
  const pause = owner.pauseAt('commitRevision', 2);
  await owner.init('recover');
  await pause.reached;
  await owner.kill();
  pause.go();
  await owner.start();
  await owner.unlock();
  await recoveredFully(world, owner);
  assert.deepEqual(await owner.listing(), before);
});

test('a stale storer does not win, and gets the newest afterwards', async (context) => {
  const { owner, one, two, world } = await family(context);
  world.cut(owner, two);
  await owner.setFiles({ 'a/small': 'newest' });
  await world.until('proved at one', () => owner.isProvedAt(one));
  const newest = newestOf(owner);
  assert.notDeepEqual(two.holdsFor(owner)?.contentId, newest.contentId);
  await owner.wipe();
  world.cut(owner, one);
  world.mend(owner, two);
  await owner.init('recover');
  await owner.hears('revision-found');
  world.mend(owner, one);
  await recoveredFully(world, owner);
  assert.equal((await owner.read('docs/a/small')).toString(), 'newest');
  assert.equal(newestOf(owner).sequence, newest.sequence + 1);
  await world.until('protected', async () => (await owner.api.status()).verdict === 'PROTECTED');
  assert.deepEqual(two.holdsFor(owner)?.contentId, newestOf(owner).contentId);
});

test('cells that one storer spoiled come from the other', async (context) => {
  const { owner, one, world } = await family(context);
  const before = await owner.listing();
  await owner.wipe();
  // Good enough to prove that it holds something, and then no more.
  lieTo(owner, one, 16);
  await owner.init('recover');
  await recoveredFully(world, owner);
  assert.deepEqual(await owner.listing(), before);
  assert.notEqual(owner.said('peer-fault').length, 0);
});

test('init --new by mistake overwrites nothing where somebody holds content', async (context) => {
  const { owner, one, two, world } = await family(context);
  const before = await owner.listing();
  const held = [one, two].map((storer) => storer.holdsFor(owner));
  await owner.wipe();
  await owner.init('new');
  await owner.hears('mode-changed', { to: 'recovering' });
  assert.deepEqual(
    [one, two].map((storer) => storer.holdsFor(owner)),
    held,
  );
  await recoveredFully(world, owner);
  assert.deepEqual(await owner.listing(), before);
});

test('init --new looks first, and is normal when nobody holds anything', async (context) => {
  const world = await DaemonWorld.open(context, 'alone', 'words');
  const [alone, words] = [world.node('alone'), world.node('words')];
  await words.init('generated');
  await words.kill();
  await alone.init('new', words.words);
  assert.equal(alone.session.node.mode, 'blocked');
  await assert.rejects(alone.setFiles({ a: 'a' }), { code: 'PUBLISH_BLOCKED' });
  await alone.restart(); // the look goes on
  await alone.hears('mode-changed', { from: 'blocked', to: 'normal' });
  await alone.setFiles({ a: 'a' });
});

test('two holders that answer at once change the mode once', async (context) => {
  const [ann] = await DaemonWorld.ready(context, 'ann');
  assert(ann);
  await Promise.all([1, 2].map(() => changeMode(ann.session, 'newer-id-found')));
  await ann.hears('mode-changed');
  assert.deepEqual(
    ann.said('mode-changed').map(({ attributes }) => attributes),
    [{ from: 'normal', to: 'recovering' }],
  );
});

test('init --recover with nobody to ask stays blocked, and says what would help', async (context) => {
  const world = await DaemonWorld.open(context, 'alone', 'words');
  const [alone, words] = [world.node('alone'), world.node('words')];
  await words.init('generated');
  await words.kill();
  await alone.init('recover', words.words);
  const complete: RecoverArgs = { from: '', complete: true, acceptSequence: 0, acceptLoss: false };
  await assert.rejects(
    async () => {
      for await (const update of alone.api.recover(complete, new AbortController().signal))
        assert.equal(update.done, false);
    },
    { code: 'PUBLISH_BLOCKED' },
  );
  assert.equal((await alone.api.status()).mode, 'blocked');
});

test('with one of two storers gone for good, the word of the user goes on', async (context) => {
  const { owner, one, two, world } = await family(context);
  const { sequence } = newestOf(owner);
  const before = await owner.listing();
  await two.kill();
  await owner.wipe();
  await owner.init('recover');
  await owner.hears('revision-found');
  await world.until('waiting for two', () => /1 more/.test(owner.session.recovery.waitingFor));
  const accept: RecoverArgs = { from: one.id, complete: false, acceptSequence: sequence, acceptLoss: false };
  for await (const { done } of owner.api.recover(accept, new AbortController().signal)) if (done) break;
  await recoveredFully(world, owner);
  assert.deepEqual(await owner.listing(), before);
  await world.until('proved at the one that is left', () => owner.isProvedAt(one));

  await context.test('and that word is not taken for the next recovery', async () => {
    await two.start();
    await two.unlock();
    await owner.setFiles({ 'a/small': 'after the recovery' });
    await world.until('protected', async () => (await owner.api.status()).verdict === 'PROTECTED');
    const mark = owner.events.length;
    await one.session.client.getContentRevision(owner.id, sealed(owner, newestOf(owner).sequence + 1));
    await owner.hears('recovery-complete', {}, mark);
    assert.equal((await owner.read('docs/a/small')).toString(), 'after the recovery');
  });
});

test('a second machine under the same words stops all publishing', async (context) => {
  const { owner, one, world } = await family(context);
  const twin = await world.add('twin');
  await twin.init('recover', owner.words);
  const mark = owner.events.length;
  // A lonely node dials itself at every tick; here that would use up the calls that its service takes from its own key.
  twin.hooks.set('healthCheck', () => new Promise(() => undefined));
  planFor(owner.session, 'selfDial', owner.id, 0);
  await owner.hears('twin-found', {}, mark);
  const { reasons, verdict } = await owner.api.status();
  assert.equal(reasons.filter(({ code }) => code === 'TWIN').length, 1);
  assert.equal(verdict, 'PROTECTED');
  const held = one.holdsFor(owner)?.contentId ?? NONE;
  await owner.setFiles({ 'a/small': 'of a twin' });
  await owner.session.tasks.publish(owner.session, one.id, new AbortController().signal);
  await owner.session.tasks.tick(owner.session, owner.id, new AbortController().signal);
  assert.equal(owner.said('revision-offered', {}, mark).length, 0);
  assert.deepEqual(one.holdsFor(owner)?.contentId, held);
});
