// Publishing between whole daemons: offer, pull, acknowledgement, proof; cuts, kills and refusals on the way.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CELL_BYTES, FETCH_AHEAD_CELLS } from '../../src/core/limits.ts';
import { blobCellCount } from '../../src/core/challenge/plan.ts';
import { updateReplica } from '../../src/daemon/replica.ts';
import { agree, DaemonWorld, noiseOf } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';

const MIB = 1024 ** 2;
const NONE = Buffer.alloc(0);

async function ownerAndStorer(context: Parameters<typeof DaemonWorld.ready>[0], bytes = 64 * MIB) {
  const [owner, storer] = await DaemonWorld.ready(context, 'owner', 'storer');
  assert(owner && storer);
  await owner.api.setStorage(0, 1);
  await agree(owner, storer, bytes);
  return { owner, storer, world: owner.world };
}

const newestId = (owner: DaemonNode) => owner.session.newest?.row.contentId ?? NONE;
const cellsOf = (owner: DaemonNode) => blobCellCount(owner.session.newest?.row ?? assert.fail('no revision'));
const verdictOf = async (owner: DaemonNode) => (await owner.api.status()).verdict;

test('what is set is published, pulled, acknowledged and proved by itself; an edit moves few cells', async (context) => {
  const { owner, storer, world } = await ownerAndStorer(context);
  const files = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`f${at}`, noiseOf(`${at}`, 100_000)]));
  await owner.setFiles(files);
  assert.notEqual(await verdictOf(owner), 'PROTECTED');
  await world.until('proved', () => owner.isProvedAt(storer));
  assert.equal(await verdictOf(owner), 'PROTECTED');
  const before = { served: owner.bytes('served', storer), pulled: storer.bytes('pulled', owner) };
  assert(before.served <= before.pulled * 1.05 + 8 * CELL_BYTES, `${before.served} served, ${before.pulled} pulled`);
  await owner.setFiles({ f7: Buffer.concat([noiseOf('edit', 1000), noiseOf('7', 100_000).subarray(1000)]) });
  await world.until('not proved any more', async () => !owner.isProvedAt(storer));
  await world.until('the edit is proved', () => owner.isProvedAt(storer));
  const cells = (owner.bytes('served', storer) - before.served) / CELL_BYTES;
  assert(cells >= 3 && cells <= 8, `${cells} cells for a small edit`);
  assert.deepEqual(storer.holdsFor(owner)?.contentId, newestId(owner));
});

test('an offer that names the wrong previous revision is refused, and then put right', async (context) => {
  const { owner, storer, world } = await ownerAndStorer(context);
  await owner.setFiles({ a: 'one' });
  await world.until('proved', () => owner.isProvedAt(storer));
  const mark = owner.events.length;
  // Just before the next offer the owner forgets what the storer knows.
  owner.hooks.set('peerLeaves', async () => {
    owner.hooks.clear();
    await updateReplica(owner.session, storer.id, (replica) => ({ ...replica, latestKnown: NONE }));
  });
  await owner.setFiles({ a: 'two' });
  await world.until('the second is proved', () => owner.isProvedAt(storer));
  assert.equal(owner.said('revision-offered', { outcome: 'CAS_MISMATCH' }, mark).length, 1);
  assert.equal((await owner.api.status()).mode, 'normal');
});

test('a storer that was away gets the newest revision when it is back', async (context) => {
  const { owner, storer, world } = await ownerAndStorer(context);
  await storer.kill();
  await owner.setFiles({ a: 'while it was away' });
  await owner.hears('peer-disconnected');
  assert.equal(await verdictOf(owner), 'NOT_PROTECTED');
  await storer.start();
  await storer.unlock();
  await world.until('proved', () => owner.isProvedAt(storer));
});

test('an owner that is killed while a storer pulls goes on where it was', async (context) => {
  const { owner, storer, world } = await ownerAndStorer(context);
  const pause = owner.pauseAt('sealCell', 40);
  await owner.setFiles({ big: noiseOf('big', 8 * MIB) });
  await pause.reached;
  owner.hooks.clear();
  await owner.restart();
  pause.go();
  await world.until('proved', () => owner.isProvedAt(storer));
  const pulled = storer.bytes('pulled', owner) / CELL_BYTES;
  // The storer lived on: no cell that it kept was fetched again. The few more are those of the contract's own revision.
  assert(pulled <= cellsOf(owner) + 8, `${pulled} cells pulled of ${cellsOf(owner)}`);
});

test('a storer that is killed while it pulls keeps what was durable', async (context) => {
  const { owner, storer, world } = await ownerAndStorer(context);
  await world.until('the contract is in a revision', () => owner.isProvedAt(storer));
  const already = owner.bytes('served', storer);
  const pause = owner.pauseAt('sealCell', 160);
  await owner.setFiles({ big: noiseOf('big', 28 * MIB) });
  await pause.reached;
  await world.until('much has arrived', () => storer.bytes('pulled', owner) >= 120 * CELL_BYTES);
  owner.hooks.clear();
  await storer.kill();
  pause.go();
  await storer.start();
  await storer.unlock();
  await world.until('proved', () => owner.isProvedAt(storer));
  const cells = cellsOf(owner);
  const pulled = storer.bytes('pulled', owner) / CELL_BYTES;
  // Only what was asked for and not durable yet is fetched again.
  assert(pulled <= cells - 120 + FETCH_AHEAD_CELLS, `${pulled} cells pulled again of ${cells}`);
  const served = (owner.bytes('served', storer) - already) / CELL_BYTES;
  assert(served <= cells + FETCH_AHEAD_CELLS, `${served} cells served of ${cells}`);
});

test('a link that is cut in mid-pull costs little', async (context) => {
  const { owner, storer, world } = await ownerAndStorer(context);
  const pause = owner.pauseAt('sealCell', 60);
  await owner.setFiles({ big: noiseOf('big', 16 * MIB) });
  await pause.reached;
  world.cut(owner, storer);
  owner.hooks.clear();
  pause.go();
  await storer.hears('pull-failed');
  world.mend(owner, storer);
  await world.until('proved', () => owner.isProvedAt(storer));
});

test('a newer revision waits for a pull that progresses, and follows it at once', async (context) => {
  const { owner, storer, world } = await ownerAndStorer(context);
  await world.until('the contract is in a revision', () => owner.isProvedAt(storer));
  const pause = owner.pauseAt('sealCell', 10);
  await owner.setFiles({ big: noiseOf('big', 4 * MIB) });
  await pause.reached;
  const first = newestId(owner);
  await owner.setFiles({ more: 'more' });
  await world.until('the second is due', () => owner.session.scheduler.isPlanned(`publish:${storer.id}`));
  owner.hooks.clear();
  pause.go();
  await world.until('proved', () => owner.isProvedAt(storer));
  const kept = storer.session.registry.heldOf(owner.id).map(({ value }) => value.contentId);
  assert(
    kept.some((id) => id.equals(first)),
    'the first was pulled to its end and is kept by its hold',
  );
});

test('content above the allowance is refused, and nothing of it is kept', async (context) => {
  const { owner, storer, world } = await ownerAndStorer(context, 2 * MIB);
  await world.until('the contract is in a revision', () => owner.isProvedAt(storer));
  const before = storer.session.registry.held();
  await owner.setFiles({ big: noiseOf('big', 4 * MIB) });
  await owner.hears('revision-offered', { outcome: 'QUOTA' });
  assert.equal(storer.bytes('pulled', owner), owner.bytes('served', storer));
  assert.deepEqual(storer.session.registry.held(), before);
  assert.equal(storer.session.registry.contract(owner.id)?.theirPull, 'QUOTA');
  const { verdict, reasons, replicas } = await owner.api.status();
  assert.notEqual(verdict, 'PROTECTED');
  assert.deepEqual(
    reasons.map(({ code }) => code),
    ['PEER_QUOTA'],
  );
  assert.deepEqual(
    replicas.map(({ state }) => state),
    ['refused'],
  );
  assert.match((await storer.api.contracts(''))[0]?.explanation ?? '', /refused: more than we promised/);
  const ours = /does not take our newest revision, because .* than the contract allows: bb contracts amend /;
  assert.match((await owner.api.contracts(''))[0]?.explanation ?? '', ours);
  await owner.api.removeFile(Buffer.from('docs/big'), false);
  await world.until('what fits is proved', () => owner.isProvedAt(storer));
  assert.deepEqual(
    (await owner.api.status()).replicas.map(({ state }) => state),
    ['acknowledged'],
  );
  assert.doesNotMatch((await storer.api.contracts(''))[0]?.explanation ?? '', /refused/);
});

test('offers that arrive together are judged one after the other', async (context) => {
  const { owner, storer } = await ownerAndStorer(context, 8 * MIB);
  await owner.world.until('the contract is in a revision', () => owner.isProvedAt(storer));
  const pause = storer.pauseAt('createHeldList', 1);
  const previousContentId = newestId(owner);
  const offers = ['x', 'y', 'z'].map((seed) =>
    owner.session.client.setContentRevision(storer.id, {
      content: { contentId: noiseOf(seed, 64), contentBytes: 4 * MIB, root: noiseOf(seed, 32) },
      previousContentId,
      delete: false,
      newCells: 4,
    }),
  );
  const outcomes = (await Promise.all(offers)).map(({ outcome }) => outcome);
  pause.go();
  assert.deepEqual(outcomes.toSorted(), ['ACCEPTED_PULLING', 'CAS_MISMATCH', 'CAS_MISMATCH']);
});

test('an offer that is said again is not pulled again when its pull ends while it is judged', async (context) => {
  const { owner, storer, world } = await ownerAndStorer(context, 8 * MIB);
  await world.until('the contract is in a revision', () => owner.isProvedAt(storer));
  const pull = storer.pauseAt('createHeldList', 1);
  await owner.setFiles({ a: 'a' });
  await pull.reached;
  const mark = storer.events.length;
  const judged = pauseFirst(storer, 'heldDistinctCells');
  await judged.reached;
  pull.go();
  await storer.hears('revision-held', {}, mark);
  judged.go();
  await storer.hears('offer-received', { outcome: 'ACCEPTED_PULLING' }, mark);
  const held = storer.session.registry.heldOf(owner.id).map(({ value }) => value);
  assert.deepEqual(
    held.filter(({ contentId }) => contentId.equals(newestId(owner))).map(({ role }) => role),
    ['current'],
  );
});

/** Only the first call from now on waits for `go`. */
function pauseFirst(node: DaemonNode, method: string): { readonly reached: Promise<void>; readonly go: () => void } {
  const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  node.hooks.set(method, () => {
    node.hooks.delete(method);
    reached.resolve();
    return opened.promise;
  });
  return { reached: reached.promise, go: opened.resolve };
}

test('a storer that is offered what it holds says again that it holds it', async (context) => {
  const { owner, storer, world } = await ownerAndStorer(context);
  await world.until('proved', () => owner.isProvedAt(storer));
  const mark = owner.events.length;
  await updateReplica(owner.session, storer.id, (replica) => ({ ...replica, acknowledged: NONE }));
  await owner.session.tasks.publish(owner.session, storer.id, new AbortController().signal);
  await owner.hears('revision-acknowledged', {}, mark);
  assert.deepEqual(owner.replicaAt(storer)?.acknowledged, newestId(owner));
});
