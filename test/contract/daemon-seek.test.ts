// A node that has too few copies finds storers by itself; a peer that does not fetch is noticed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tick } from '../../src/daemon/tick.ts';
import { updateReplica } from '../../src/daemon/replica.ts';
import { agree, DaemonWorld, propose } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';

const DAY = 86_400;
const MIB = 1024 ** 2;
const stateAt = (node: DaemonNode, peer: DaemonNode) => node.session.registry.contract(peer.id)?.state;

async function later(node: DaemonNode, seconds: number): Promise<void> {
  await node.session.registry.updateNode((old) => {
    assert(old);
    return { ...old, countedSeconds: old.countedSeconds + seconds };
  });
  await tick(node.session);
}

/** Ann wants two copies and has one at bob; eve is reachable and without a contract. */
async function oneShort(context: Parameters<typeof DaemonWorld.ready>[0]) {
  const [ann, bob, eve] = await DaemonWorld.ready(context, 'ann', 'bob', 'eve');
  assert(ann && bob && eve);
  await ann.api.setStorage(0, 2);
  await agree(ann, bob);
  await ann.setFiles({ a: 'bytes' });
  await ann.world.until('proved', () => ann.isProvedAt(bob));
  return { ann, bob, eve };
}

test('a friend without a contract is asked when a copy has been missing for a day, not before', async (context) => {
  const { ann, eve } = await oneShort(context);
  await eve.api.connectPeer(ann.id, '', false);
  await ann.api.connectPeer(eve.id, '', true);
  await tick(ann.session);
  await later(ann, DAY - 3600);
  assert.equal(ann.said('storers-sought').length, 0);
  await later(ann, 3600);
  await ann.world.until('two copies', () => ann.isProvedAt(eve));
  assert.equal(stateAt(eve, ann), 'ACTIVE');
  await tick(ann.session);
  assert.equal(ann.session.node.belowSeconds, -1);
  assert.equal((await ann.api.status()).verdict, 'PROTECTED');
});

test('a friend that had to be given up is not asked again: that is for the user to do', async (context) => {
  const { ann, bob, eve } = await oneShort(context);
  await eve.api.connectPeer(ann.id, '', false);
  await ann.api.connectPeer(eve.id, '', true);
  const { registry } = ann.session;
  const like = registry.contract(bob.id) ?? assert.fail();
  const end = { from: 'EXPIRED', to: 'RELEASED', event: 'evicted', atMs: 1, reason: '', remainingSeconds: 0 } as const;
  await registry.updateContract(eve.id, () => ({ ...like, peer: eve.id, state: 'RELEASED', transitions: [end] }));
  await tick(ann.session);
  await later(ann, DAY);
  await ann.hears('storers-sought', { missing: '1', asked: '0' });
  assert.equal((await propose(ann, eve)).at(-1), 'COMPLETED');
});

test('who says no is left in peace, and the status says that somebody is looked for', async (context) => {
  const { ann, bob, eve } = await oneShort(context);
  await eve.api.connectPeer(ann.id, '', false);
  await ann.api.connectPeer(eve.id, '', true);
  await eve.api.setStorage(1 * MIB, 0);
  await tick(ann.session);
  await later(ann, DAY);
  await ann.hears('proposal-closed');
  assert.equal(ann.session.registry.contract(eve.id)?.state, 'RELEASED');
  await ann.world.until('proved again', () => ann.isProvedAt(bob));
  const { reasons, forecast } = await ann.api.status();
  assert.equal(reasons.filter(({ code }) => code === 'SEEKING').length, 1);
  assert.match(forecast, /no proved copy is left/);
  ann.session.search.nextMs = 0;
  await tick(ann.session);
  await ann.world.until('looked again', () => ann.said('storers-sought').length === 2);
  assert.equal(ann.said('storers-sought').at(-1)?.attributes['asked'], '0');
});

test('a stranger that a friend introduced is won when the policy lets strangers in', async (context) => {
  const { ann, bob, eve } = await oneShort(context);
  await eve.api.connectPeer(bob.id, '', false);
  await bob.api.connectPeer(eve.id, '', true);
  for (const node of [ann, eve]) await node.api.setConfig('contracts.accept', 'everyone');
  ann.session.exchangedMs.clear();
  ann.session.client.forget(bob.id);
  await ann.world.until('a hint', () => ann.session.registry.peer(eve.id) !== undefined);
  await tick(ann.session);
  await later(ann, DAY);
  await ann.world.until('two copies', () => ann.isProvedAt(eve));
  assert.equal(ann.session.registry.peer(eve.id)?.introducer, bob.id);
  assert.equal(ann.session.registry.peer(eve.id)?.added, false);
});

test('an offer that is not fetched for a week degrades the contract, and fetching it ends that', async (context) => {
  const { ann, bob } = await oneShort(context);
  const { offered } = ann.session.registry.contract(bob.id)?.replica ?? { offered: Buffer.alloc(0) };
  const open = (isOpen: boolean) =>
    updateReplica(ann.session, bob.id, (old) => ({
      ...old,
      offered: isOpen ? Buffer.alloc(64, 1) : offered,
      offerSeconds: ann.session.node.countedSeconds,
      progressSeconds: ann.session.node.countedSeconds,
    }));
  await open(true);
  // Proved and in touch all the time: only the fetching is missing.
  const pass = async (days: number): Promise<void> => {
    await ann.session.registry.updateContract(bob.id, (old) => {
      assert(old);
      const seconds = ann.session.node.countedSeconds + days * DAY;
      return { ...old, provedSeconds: seconds, reachedSeconds: seconds };
    });
    await later(ann, days * DAY);
  };
  await pass(6);
  assert.equal(stateAt(ann, bob), 'ACTIVE');
  await pass(2);
  assert.equal(stateAt(ann, bob), 'DEGRADED');
  assert.match(ann.session.registry.contract(bob.id)?.reason ?? '', /does not fetch/);
  await open(false);
  await pass(0);
  assert.equal(stateAt(ann, bob), 'ACTIVE');
});
