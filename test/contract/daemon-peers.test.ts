// Knowing peers between whole daemons: what is passed on and what is not, and what the user decides about one.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { meetPeer } from '../../src/daemon/presence.ts';
import { tick } from '../../src/daemon/tick.ts';
import { agree, DaemonWorld, propose } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const MINUTE_MS = 60_000;
const knows = (node: DaemonNode, peer: DaemonNode) => node.session.registry.peer(peer.id);
const isConnected = (node: DaemonNode, peer: DaemonNode) => node.session.client.isConnected(peer.id);
const never = () => new AbortController().signal;

async function friends(a: DaemonNode, b: DaemonNode): Promise<void> {
  await a.api.connectPeer(b.id, b.name, false);
  assert.equal((await b.api.connectPeer(a.id, a.name, true)).reached, true);
}

test('a friend of a friend becomes a hint with its introducer and without any right', async (context) => {
  const [ann, bob, eve] = await DaemonWorld.ready(context, 'ann', 'bob', 'eve');
  assert(ann && bob && eve);
  await friends(bob, eve);
  await friends(ann, bob);
  await ann.world.until('a hint', () => knows(ann, eve) !== undefined);
  assert.equal(knows(ann, eve)?.introducer, bob.id);
  assert.equal(knows(ann, eve)?.added, false);
});

test('who joins a friend whose session stays up is heard of a day later, and not at every tick', async (context) => {
  const [ann, bob, eve] = await DaemonWorld.ready(context, 'ann', 'bob', 'eve');
  assert(ann && bob && eve);
  await friends(ann, bob);
  const met = [ann.session.exchangedMs, bob.session.exchangedMs];
  await ann.world.until(
    'exchanged',
    () => met.every((times) => times.size > 0) && ann.session.client.isConnected(bob.id),
  );
  await friends(eve, bob);
  await bob.session.registry.updatePeer(eve.id, (old) => ({ ...(old ?? assert.fail()), lastReachedMs: 1 }));
  const { peerExchangeAgain } = ann.session.deps.periods;
  const last = (agoMs: number) => ann.session.exchangedMs.set(bob.id, ann.session.deps.clock.monotonicMs() - agoMs);
  last(peerExchangeAgain / 2);
  await tick(ann.session);
  assert.equal(ann.session.scheduler.isPlanned(`exchange:${bob.id}`), false);
  assert.equal(knows(ann, eve), undefined);
  last(peerExchangeAgain);
  await tick(ann.session);
  await ann.world.until('a hint', () => knows(ann, eve)?.introducer === bob.id);
});

test('who wants to be unlisted is not passed on', async (context) => {
  const [ann, bob, eve] = await DaemonWorld.ready(context, 'ann', 'bob', 'eve');
  assert(ann && bob && eve);
  await eve.api.setConfig('peers.unlisted', 'yes');
  await friends(bob, eve);
  await bob.world.until('heard', () => knows(bob, eve)?.unlisted === true);
  await friends(ann, bob);
  const shared = await ann.session.client.exchangePeers(bob.id, { peers: [], unlisted: false });
  assert.deepEqual(shared.peers, []);
  assert.equal(knows(ann, eve), undefined);
});

test('a peer that calls in is dialled anew: the dial from when it was away may lead nowhere', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await friends(ann, bob);
  await ann.world.until('connected', () => ann.session.client.isConnected(bob.id));
  const nowhere = createServer();
  const hung: Socket[] = [];
  nowhere.on('connection', (socket) => hung.push(socket.on('error', () => undefined)));
  nowhere.listen(join(ann.world.dir, 'nowhere'));
  context.after(() => {
    for (const socket of hung) socket.destroy();
    nowhere.close();
  });
  await once(nowhere, 'listening');
  const redialled: unknown[] = [];
  ann.changes.set('redial', (result, args) => {
    redialled.push(...args);
    return result;
  });
  ann.world.detours.set(bob.socketPath, join(ann.world.dir, 'nowhere'));
  const dialled = once(nowhere, 'connection');
  await bob.kill();
  ann.world.published.set(bob.id, bob); // Tor still has its old address
  await dialled;
  ann.world.detours.delete(bob.socketPath);
  await bob.start();
  await bob.unlock();
  await ann.world.until('connected again', () => ann.session.client.isConnected(bob.id));
  assert.deepEqual(redialled, [bob.id]);
});

test('a name with a line break or a control character is refused', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await assert.rejects(ann.api.connectPeer(bob.id, 'ben\nX', false), { code: 'USAGE' });
  await ann.api.connectPeer(bob.id, 'ben', false);
  await assert.rejects(ann.api.changePeer(bob.id, { kind: 'rename', name: 'ben\u001b[2J' }), { code: 'USAGE' });
});

test('a blocked peer is not answered, and is an ordinary stranger after that', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await friends(ann, bob);
  await ann.api.changePeer(bob.id, { kind: 'block' });
  await assert.rejects(bob.session.client.healthCheck(ann.id), { refusal: 'NO_CONTRACT' });
  await ann.api.changePeer(bob.id, { kind: 'unblock' });
  assert.equal((await bob.session.client.healthCheck(ann.id)).serverOnion, ann.id);
  assert.equal(knows(ann, bob)?.added, false);
});

test('a contract stands in the way of blocking and removing; a pin counts as adding', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await agree(ann, bob);
  for (const kind of ['block', 'remove'] as const) {
    await assert.rejects(ann.api.changePeer(bob.id, { kind }), { code: 'CONFLICT' });
  }
  assert.equal((await ann.api.changePeer(bob.id, { kind: 'pin' }))?.pinned, true);
  await assert.rejects(ann.api.changePeer(bob.id, { kind: 'limit', limitBytes: MIB }), { code: 'CONFLICT' });
  assert((await ann.api.pingPeer(bob.id, never())) >= 0);
});

test('a limit of its own bounds what a peer can be promised, from both sides', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await friends(ann, bob);
  await ann.api.changePeer(bob.id, { kind: 'limit', limitBytes: GIB });
  assert.match((await propose(bob, ann, { giveBytes: 2 * GIB, getBytes: 2 * GIB })).at(-1) ?? '', /OVER_BUDGET/);
  await assert.rejects(propose(ann, bob, { giveBytes: 2 * GIB, getBytes: 2 * GIB }), { code: 'OVER_BUDGET' });
  assert.equal((await propose(bob, ann, { giveBytes: GIB, getBytes: GIB })).at(-1), 'COMPLETED');
});

test('a removed peer is forgotten, its name is free again', async (context) => {
  const [ann, bob, eve] = await DaemonWorld.ready(context, 'ann', 'bob', 'eve');
  assert(ann && bob && eve);
  await ann.api.connectPeer(bob.id, 'pal', false);
  await ann.api.connectPeer(eve.id, 'other', false);
  await assert.rejects(ann.api.changePeer('other', { kind: 'rename', name: 'pal' }), { code: 'EXISTS' });
  assert.equal(await ann.api.changePeer('pal', { kind: 'remove' }), undefined);
  assert.equal((await ann.api.changePeer('other', { kind: 'rename', name: 'pal' }))?.name, 'pal');
  await ann.restart();
  assert.equal(knows(ann, bob), undefined);
});

test('a peer that is removed while it answers a call stays removed', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await friends(bob, ann);
  const { registry } = ann.session;
  await registry.updatePeer(bob.id, (old) => ({ ...(old ?? assert.fail()), lastReachedMs: 0 }));
  const peer = registry.peer.bind(registry);
  let removal: Promise<void> | undefined;
  registry.peer = (id) => {
    const known = peer(id);
    removal ??= registry.deletePeer(bob.id); // its answer is here, and is about to be written down
    return known;
  };
  await meetPeer(ann.session, bob.id, never()).catch(() => undefined);
  await removal;
  assert.equal(peer(bob.id), undefined);
});

test('a peer that answered lately is online until a call to it fails, and not for longer than a divided tick', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  const presence = async () => {
    const { connected, online } = (await ann.api.peers())[0] ?? assert.fail();
    return { connected, online };
  };
  const reached = (agoMs: number) =>
    ann.session.registry.updatePeer(bob.id, (old) => ({
      ...(old ?? assert.fail()),
      lastReachedMs: ann.session.deps.clock.nowMs() - agoMs,
    }));
  await ann.api.connectPeer(bob.id, 'bob', false);
  await friends(bob, ann);
  await ann.world.until('both dialled', () => isConnected(ann, bob) && isConnected(bob, ann));
  assert.deepEqual(await presence(), { connected: true, online: true });

  await bob.kill();
  await ann.world.until('gone', () => !ann.session.reach.isReachable(bob.id));
  await reached(-MINUTE_MS);
  assert.deepEqual(await presence(), { connected: false, online: false });

  ann.session.reach.forget(bob.id); // as after a start of ours: nobody has called it yet
  assert.deepEqual(await presence(), { connected: false, online: true });
  await reached(MINUTE_MS);
  ann.session.reach.forget(bob.id);
  assert.deepEqual(await presence(), { connected: false, online: false });
});

test('bb recover --from takes a known peer by its name, and one that is not known by its id only', async (context) => {
  const [ann, bob, eve] = await DaemonWorld.ready(context, 'ann', 'bob', 'eve');
  assert(ann && bob && eve);
  await friends(ann, bob);
  const recover = async (from: string) => {
    const words = { from, complete: false, acceptSequence: 0, acceptLoss: false };
    for await (const { done } of ann.api.recover(words, never())) if (done) return;
  };
  await ann.setFiles({ a: '1' });
  await recover('bo');
  await assert.rejects(recover('eve'), { code: 'BAD_ONION_ID' });
  await recover(`bb:${eve.id}`);
  assert.deepEqual([knows(ann, bob)?.name, knows(ann, eve)?.added], ['bob', true]);
});
