// Things that happen while something else is under way.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recheckAfterLoss, voidProof } from '../../src/daemon/answer-loss.ts';
import { peerApiOf } from '../../src/daemon/peer-api-of.ts';
import { planFor } from '../../src/daemon/plan.ts';
import { updateReplica } from '../../src/daemon/replica.ts';
import type { Offer } from '../../src/ports/peer-client.ts';
import { agree, check, DaemonWorld, noiseOf } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';

const MIB = 1024 ** 2;

const newestOf = (node: DaemonNode) => node.session.newest ?? assert.fail('no revision');

async function pair(context: Parameters<typeof DaemonWorld.ready>[0]) {
  const [owner, storer] = await DaemonWorld.ready(context, 'owner', 'storer');
  assert(owner && storer);
  await owner.api.setStorage(0, 1);
  await agree(owner, storer);
  return { owner, storer, world: owner.world };
}

test('a peer that is named during a commit gets into the next revision', async (context) => {
  const { owner, storer, world } = await pair(context);
  await world.until('all is committed', () => owner.isProvedAt(storer));
  const pause = owner.pauseAt('appendHeads', 1);
  const setting = owner.setFiles({ a: 'a' });
  await pause.reached;
  const third = await world.add('third');
  await third.init('generated');
  await owner.api.connectPeer(third.id, 'late', false);
  pause.go();
  await setting;
  assert(owner.session.node.dirty, 'what the commit did not see is still to be committed');
  const names = () => newestOf(owner).metadata.peers.map(({ name }) => name);
  await world.until('the name is in a revision', () => names().includes('late') && !owner.session.node.dirty);
});

test('a newer id that is found during an ingest stops it before it becomes a fork', async (context) => {
  const { owner, storer, world } = await pair(context);
  await owner.setFiles({ a: 'a' });
  await world.until('proved', () => owner.isProvedAt(storer));
  const { row } = newestOf(owner);
  const pause = owner.pauseAt('ingest', 1);
  const setting = owner.setFiles({ a: 'b' });
  await pause.reached;
  const newer = owner.session.keyring.sealContentId({
    generation: row.generation,
    sequence: row.sequence + 1,
    createdMs: 1,
    nonce: noiseOf('nonce', 16),
    metaBytes: 100,
    cellCount: 4,
  });
  const mark = owner.events.length;
  await storer.session.client.getContentRevision(owner.id, newer);
  owner.hooks.clear();
  pause.go();
  await assert.rejects(setting, { code: 'PUBLISH_BLOCKED' });
  // Nobody holds it, so the node goes on above it by a generation.
  await owner.hears('recovery-complete', {}, mark);
  assert.deepEqual(owner.session.node.forks, []);
  assert.equal((await owner.read('docs/a')).toString(), 'a');
  assert.equal((await owner.setFiles({ a: 'b' })).unchanged, false);
});

/** The plan is served, and nothing else until `go`. */
function pauseServing(owner: DaemonNode): { readonly reached: Promise<void>; readonly go: () => void } {
  const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  owner.answers.download = async function* (caller, request, signal) {
    if (!request.leaves) {
      reached.resolve();
      await opened.promise;
    }
    yield* peerApiOf(owner.session).download(caller, request, signal);
  };
  return { reached: reached.promise, go: opened.resolve };
}

test('an owner that commits again before anything of a revision was pulled is blamed for nothing', async (context) => {
  const { owner, storer, world } = await pair(context);
  await world.until('all is committed', () => owner.isProvedAt(storer));
  const mark = storer.events.length;
  const pause = pauseServing(owner);
  await owner.setFiles({ big: noiseOf('first', MIB) });
  await pause.reached;
  await owner.setFiles({ big: noiseOf('second', MIB) });
  const sequence = String(newestOf(owner).row.sequence);
  await world.until('the second is offered', () => owner.said('revision-offered', { sequence }).length > 0);
  pause.go();
  await storer.hears('pull-superseded', {}, mark);
  await world.until('the second is proved', () => owner.isProvedAt(storer));
  assert.deepEqual(storer.said('pull-failed', {}, mark), []);
});

/** Every offer but those of this revision waits until `go`: it is said again meanwhile. */
function pauseOffersAfter(owner: DaemonNode, contentId: Buffer) {
  const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  owner.hooks.set('setContentRevision', async (_call, args) => {
    if ((args[1] as Offer).content?.contentId.equals(contentId) === true) return;
    reached.resolve();
    await opened.promise;
  });
  return { reached: reached.promise, go: opened.resolve };
}

test('who pulls what its owner has replaced is told so, though the newer offer has not arrived', async (context) => {
  const { owner, storer, world } = await pair(context);
  await world.until('all is committed', () => owner.isProvedAt(storer));
  const mark = storer.events.length;
  const pause = pauseServing(owner);
  await owner.setFiles({ big: noiseOf('first', MIB) });
  await pause.reached;
  const offer = pauseOffersAfter(owner, newestOf(owner).row.contentId);
  await owner.setFiles({ big: noiseOf('second', MIB) });
  await offer.reached; // remembered, and not sent yet
  pause.go();
  await storer.hears('pull-superseded', {}, mark);
  assert.equal(storer.session.pullFailures.get(owner.id)?.faults ?? 0, 0);
  owner.hooks.clear();
  offer.go();
  await world.until('the second is proved', () => owner.isProvedAt(storer));
  assert.deepEqual(storer.said('pull-failed', {}, mark), []);
});

test('locking both sides in the middle of everything ends at once, and unlocking goes on', async (context) => {
  const { owner, storer, world } = await pair(context);
  await owner.setFiles({ big: noiseOf('big', 12 * MIB) });
  await world.until('under way', () => storer.bytes('pulled', owner) > MIB);
  const mark = owner.events.length;
  const setting = owner.setFiles({ more: noiseOf('more', 12 * MIB) }).then(
    () => 'set',
    (error: { readonly code?: string }) => error.code,
  );
  await owner.hears('progress', { kind: 'ingest' }, mark);
  await Promise.all([owner.api.lock(), storer.api.lock()]);
  const outcome = await setting;
  assert(outcome === 'set' || outcome === 'INTERRUPTED', outcome);
  await Promise.all([owner.unlock(), storer.unlock()]);
  await world.until('proved', () => owner.isProvedAt(storer));
  assert.deepEqual(await owner.read('docs/big'), noiseOf('big', 12 * MIB));
});

test('a storer that lost its disk comes back by its words, and stores again what it owed', async (context) => {
  const { owner, storer, world } = await pair(context);
  await storer.setFiles({ own: 'of the storer' });
  await owner.setFiles({ big: noiseOf('big', 2 * MIB) });
  await world.until('both proved', () => owner.isProvedAt(storer) && storer.isProvedAt(owner));
  const mark = owner.events.length;
  await storer.wipe();
  await storer.init('recover');
  await storer.hears('recovery-complete');
  assert.equal((await storer.read('docs/own')).toString(), 'of the storer');
  await owner.hears('replica-lost', {}, mark);
  await world.until(
    'held again',
    () => storer.holdsFor(owner)?.contentId.equals(newestOf(owner).row.contentId) === true,
  );
  await world.until('proved again', () => owner.isProvedAt(storer) && owner.said('check-judged', {}, mark).length > 0);
  assert.equal(await check(owner, storer), 'held');
});

test('a check of a revision that is superseded and dropped meanwhile is a check of the newer one', async (context) => {
  const { owner, storer, world } = await pair(context);
  await owner.setFiles({ a: 'a' });
  await world.until('proved', () => owner.isProvedAt(storer));
  const pause = owner.pauseAt('expectedMac', 1);
  await owner.setFiles({ a: 'b' });
  const asked = newestOf(owner).row.contentId; // not proved yet, so nothing keeps it when a newer one is acknowledged
  await pause.reached;
  await owner.setFiles({ a: 'c' });
  await world.until('dropped', async () => {
    await owner.session.tasks.ask(owner.session, storer.id, new AbortController().signal);
    return (await owner.session.deps.catalog.revision(asked)) === undefined;
  });
  pause.go();
  await world.until('the newer one proved', () => owner.isProvedAt(storer));
});

test('an owner whose disk dies while a storer talks to it is told again by the next session', async (context) => {
  const { owner, storer, world } = await pair(context);
  await owner.setFiles({ a: 'a' });
  await world.until('proved', () => owner.isProvedAt(storer));
  const answer = holdAnswer(storer, 'getContentRevision');
  unmeet(storer, owner);
  planFor(storer.session, 'presence', owner.id, 0);
  await answer.came;
  const mark = storer.events.length;
  await owner.wipe();
  await storer.hears('peer-disconnected', { peer: owner.id }, mark);
  await owner.init('recover');
  // Any call brings the next session up, while the storer still believes itself in the conversation before it.
  await storer.session.client.healthCheck(owner.id);
  answer.go();
  await owner.hears('holder-found', {});
  await owner.hears('recovery-complete', {});
});

/** What the peer answers to the next call of this method of the client is there, and is not heard before `go`. */
function holdAnswer(node: DaemonNode, method: string): { readonly came: Promise<void>; readonly go: () => void } {
  const [came, heard] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  node.changes.set(method, async (answer: Promise<unknown>) => {
    node.changes.delete(method);
    const value = await answer;
    came.resolve();
    await heard.promise;
    return value;
  });
  return { came: came.promise, go: heard.resolve };
}

/** As when the session to this peer has just come up. */
function unmeet(node: DaemonNode, peer: DaemonNode): void {
  node.session.contacts.set(peer.id, { isMet: false });
}

test('a check that is judged while its storer calls in stays judged', async (context) => {
  const { owner, storer, world } = await pair(context);
  await owner.setFiles({ a: 'a' });
  await world.until('proved', () => owner.isProvedAt(storer));
  const replica = () => owner.session.registry.contract(storer.id)?.replica ?? assert.fail();
  const { acknowledged } = replica();
  await voidProof(owner.session, storer.id, acknowledged); // as before the first check
  const judged = updateReplica(owner.session, storer.id, (old) => ({
    ...old,
    proved: acknowledged,
    lastChecked: acknowledged,
    lastOutcome: 'held',
  }));
  await Promise.all([judged, recheckAfterLoss(owner.session, storer.id, acknowledged)]);
  assert.equal(replica().lastOutcome, 'held');
});
