// What a recovery waits for, and what the user says to it, is kept over a restart.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { BbError } from '../../src/core/errors.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';
import { agree, DaemonWorld } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';
import { family, isNormal, newestOf, recoveredFully } from './family.ts';

const HOUR = 3600;
const never = () => new AbortController().signal;

/** The node was awake and in touch for so long. */
async function pass(node: DaemonNode, hours: number): Promise<void> {
  await node.session.registry.updateNode((old) => {
    assert(old);
    return { ...old, countedSeconds: old.countedSeconds + hours * HOUR };
  });
}

async function say(
  node: DaemonNode,
  words: { readonly acceptSequence?: number; readonly from?: string },
): Promise<void> {
  const args = { from: '', complete: false, acceptSequence: 0, acceptLoss: false, ...words };
  for await (const { done } of node.api.recover(args, never())) if (done) break;
}

test('the 24 and the 72 hours of a recovery go on after a restart', async (context) => {
  const { owner, two, world } = await family(context);
  const before = await owner.listing();
  await two.kill();
  await owner.wipe();
  await owner.init('recover');
  await world.until('waiting for two', () => /1 more/.test(owner.session.recovery.waitingFor));
  await pass(owner, 23);
  await owner.restart();
  await world.until('waiting again', () => /1 more/.test(owner.session.recovery.waitingFor));
  await pass(owner, 1);
  await owner.hears('content-restored');
  assert.deepEqual(await owner.listing(), before);
  assert.equal(owner.session.node.mode, 'recovering');
  await pass(owner, 47);
  await owner.restart();
  await world.until('waiting for the other one', () => /remaining peers/.test(owner.session.recovery.waitingFor));
  await pass(owner, 1);
  await recoveredFully(world, owner);

  await context.test('and the next recovery begins to wait from the start', async () => {
    const { firstAnswerSeconds, acceptedSequence } = owner.session.node;
    assert.deepEqual([firstAnswerSeconds, acceptedSequence], [-1, 0]);
  });
});

/** An owner whose storer keeps three revisions of one file, which says which one it is. */
async function history(context: TestContext): Promise<{ owner: DaemonNode; storer: DaemonNode; sequences: number[] }> {
  const [owner, storer] = await DaemonWorld.ready(context, 'owner', 'storer');
  assert(owner && storer);
  await owner.api.setStorage(0, 1);
  await agree(owner, storer);
  const sequences: number[] = [];
  for (const text of ['first', 'second', 'third']) {
    // Revisions of one hour are thinned.
    await pass(storer, 2);
    await owner.setFiles({ note: text });
    await owner.world.until('proved', () => owner.isProvedAt(storer));
    sequences.push(newestOf(owner).sequence);
  }
  return { owner, storer, sequences };
}

test('a sequence that the user named is restored after a restart, too, and nothing newer in its place', async (context) => {
  const { owner, storer, sequences } = await history(context);
  await owner.wipe();
  const pause = storer.pauseAt('read', 1);
  await owner.init('recover');
  await owner.hears('holder-found');
  void say(owner, { acceptSequence: sequences[1] ?? 0 }).catch(() => undefined); // it dies with the node
  await owner.world.until('the word is kept', () => owner.session.node.acceptedSequence !== 0);
  await owner.kill();
  pause.go();
  storer.hooks.clear();
  await owner.start();
  await owner.unlock();
  await recoveredFully(owner.world, owner);
  assert.equal((await owner.read('docs/note')).toString(), 'second');

  await context.test('the newer ones are given up: no fork, and the node goes on above them', async () => {
    await owner.world.until('proved', () => owner.isProvedAt(storer));
    assert.equal(newestOf(owner).generation, 2);
    assert.deepEqual(owner.session.node.forks, []);
    assert.equal((await owner.read('docs/note')).toString(), 'second');
  });
});

test('an older revision of an older generation can be taken, and the node stays with it', async (context) => {
  const { owner, storer, sequences } = await history(context);
  await owner.wipe();
  await owner.init('recover');
  await recoveredFully(owner.world, owner);
  await owner.setFiles({ note: 'of the second generation' });
  await owner.world.until('proved', () => owner.isProvedAt(storer));
  assert.equal(newestOf(owner).generation, 2);
  await owner.wipe();
  const from = owner.events.length;
  await owner.init('recover');
  await owner.hears('holder-found', {}, from);
  await say(owner, { acceptSequence: sequences[1] ?? 0 });
  await owner.hears('recovery-complete', {}, from);
  assert.equal(newestOf(owner).generation, 3);
  await owner.world.until('proved', () => owner.isProvedAt(storer));
  assert.deepEqual([isNormal(owner), owner.session.node.forks], [true, []]);
  assert.equal((await owner.read('docs/note')).toString(), 'second');
});

test('a sequence that nobody holds is refused, with those that somebody does', async (context) => {
  const { owner, storer, sequences } = await history(context);
  const isRefused = (error: { readonly code: string; readonly hint?: string }) => {
    assert.equal(error.code, 'NOT_FOUND');
    assert.match(error.hint ?? '', new RegExp(`${sequences[2]}, .*${sequences[1]}`));
    return true;
  };
  owner.world.cut(owner, storer);
  await owner.wipe();
  await owner.init('recover');
  // Said before anybody answered: judged when somebody does.
  const early = assert.rejects(say(owner, { acceptSequence: 99 }), isRefused);
  await owner.world.until('the word is kept', () => owner.session.node.acceptedSequence === 99);
  owner.world.mend(owner, storer);
  await early;
  assert.equal(owner.session.node.acceptedSequence, 0);
  await assert.rejects(say(owner, { acceptSequence: 98, from: storer.id }), isRefused);
  await recoveredFully(owner.world, owner);
  assert.equal((await owner.read('docs/note')).toString(), 'third');
});

test('what a holder gives is fetched while others are waited for: it may be gone when the wait is over', async (context) => {
  const { owner, one, two, world } = await family(context);
  const before = await owner.listing();
  await two.kill();
  await owner.wipe();
  await owner.init('recover');
  await world.until('all is here', () => owner.session.recovery.isGathered);
  assert.match(owner.session.recovery.waitingFor, /1 more/);
  assert.equal(owner.session.newest, undefined, 'nothing is taken for the newest yet');
  await owner.restart();
  await world.until('all is still here', () => owner.session.recovery.isGathered);
  const again = owner.bytes('recovered', one) / CELL_BYTES;
  assert(again <= 3, `the head and a cell as proof come again, not ${again} cells`);
  await one.kill();
  await pass(owner, 24);
  await owner.hears('content-restored');
  assert.deepEqual(await owner.listing(), before);
});

test('a storer that names the newest revision and does not give it delays a recovery, and does not end it', async (context) => {
  const { owner, one, two, world } = await family(context);
  world.cut(owner, one);
  await owner.setFiles({ 'b/c/d': 'changed' });
  await world.until('proved', () => owner.isProvedAt(two));
  world.cut(owner, two);
  owner.changes.set('download', (stream: AsyncIterable<unknown>, [peer]) => (peer === two.id ? away() : stream));
  await owner.wipe();
  world.mend(owner, two);
  await owner.init('recover');
  await owner.hears('holder-found', { peer: two.id });
  world.mend(owner, one);
  await one.session.tasks.ask(one.session, owner.id, never());
  await world.until('the former one is here', () => owner.session.recovery.isGathered);
  assert.equal(owner.session.newest, undefined, 'what is known to be older is not taken yet');
  await pass(owner, 24);
  await world.until('restored', () => owner.session.newest !== undefined);
  assert.equal((await owner.read('docs/b/c/d')).toString(), 'deep');
  assert.equal(owner.session.node.mode, 'recovering', 'and nothing is published over the newer one');
  owner.changes.clear();
  await recoveredFully(world, owner);
  assert.equal((await owner.read('docs/b/c/d')).toString(), 'changed');
});

/** A download from a peer that takes the call and sends nothing. */
function away(): AsyncIterable<never> {
  const error = new BbError('PEER_UNREACHABLE', 'nothing came');
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
}

test('that only publishing waits is said once, not at every look', async (context) => {
  const { owner, two, world } = await family(context);
  await two.kill();
  await owner.wipe();
  await owner.init('recover');
  await world.until('waiting for two', () => /1 more/.test(owner.session.recovery.waitingFor));
  await pass(owner, 24);
  await owner.hears('recovery-stuck', { cells: '0' });
  const mark = owner.events.length;
  // Who follows later is told, too, after the next look.
  for (let looks = 0; looks < 3; looks += 1) await say(owner, {});
  await world.until('three looks', () => owner.said('recovery', {}, mark).length >= 3);
  assert.equal(owner.said('recovery-stuck').length, 1);
});
