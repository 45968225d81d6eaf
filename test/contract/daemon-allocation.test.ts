// Space between whole daemons: what goes and what never goes, a smaller limit, a rush of revisions.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ledgerAt } from '../../src/core/contract/ledger.ts';
import { PERIODS_MS } from '../../src/core/policy/periods.ts';
import { makeSpace } from '../../src/daemon/make-space.ts';
import { dropTombstones } from '../../src/daemon/tombstones.ts';
import { agree, DaemonWorld, noiseOf, propose } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';

const MIB = 1024 ** 2;
const stateAt = (node: DaemonNode, peer: DaemonNode) => node.session.registry.contract(peer.id)?.state;

/** Storer bob holds content of ann, who is gone; her contract is in `state`. */
async function heldFor(context: Parameters<typeof DaemonWorld.ready>[0], state: 'GRACE' | 'EXPIRED') {
  const [ann, bob, eve] = await DaemonWorld.ready(context, 'ann', 'bob', 'eve');
  assert(ann && bob && eve);
  await bob.api.setStorage(30 * MIB, 0);
  await agree(ann, bob, 20 * MIB);
  await ann.setFiles({ big: noiseOf('ann', 12 * MIB) });
  await ann.world.until('held', () => ann.isProvedAt(bob));
  await ann.kill();
  await bob.session.registry.updateContract(ann.id, (old) => {
    assert(old);
    return { ...old, state, ledger: ledgerAt(state === 'GRACE' ? 1e9 : 0, 0, bob.session.node.countedSeconds) };
  });
  return { ann, bob, eve };
}

test('a replica whose time is up goes when another peer needs the space, and not before', async (context) => {
  const { ann, bob, eve } = await heldFor(context, 'EXPIRED');
  assert(((await bob.api.held())[0]?.evictableBytes ?? 0) >= 12 * MIB);
  await agree(eve, bob, 25 * MIB);
  await eve.setFiles({ small: 'small' });
  await eve.world.until('held', () => eve.isProvedAt(bob));
  assert.equal(stateAt(bob, ann), 'EXPIRED', 'there was room for both');
  await eve.setFiles({ big: noiseOf('eve', 20 * MIB) });
  await eve.world.until('held', () => eve.isProvedAt(bob));
  assert.equal(stateAt(bob, ann), 'RELEASED');
  assert.equal(bob.holdsFor(ann), undefined);
  assert.equal(bob.session.registry.contract(ann.id)?.transitions.at(-1)?.event, 'evicted');

  await context.test('and whoever lost its bytes so begins anew only with the word of a person', async () => {
    await ann.start();
    await ann.unlock();
    const states = await propose(ann, bob, { giveBytes: MIB, getBytes: MIB, amend: true });
    assert.match(states.at(-1) ?? '', /^PENDING_PERSON .*FAILED_BEFORE/);
    assert.equal(stateAt(bob, ann), 'PROPOSED');
    await bob.api.answerProposal(ann.id, true, new AbortController().signal);
    assert.equal(stateAt(bob, ann), 'ACTIVE');
  });
});

test('a replica whose time is up stays when its going would not make room enough', async (context) => {
  const { ann, bob, eve } = await heldFor(context, 'EXPIRED');
  await agree(eve, bob, 25 * MIB);
  await eve.setFiles({ small: 'small' });
  await eve.world.until('nothing small is on its way any more', () => eve.isProvedAt(bob) && !eve.session.node.dirty);
  // The budget would do without ann; the disk would not.
  Object.assign(bob.session.deps.dataDir, { freeBytes: () => Promise.resolve(0) });
  await eve.setFiles({ big: noiseOf('eve', 20 * MIB) });
  await eve.hears('revision-offered', { outcome: 'NO_SPACE' });
  assert.equal(stateAt(bob, ann), 'EXPIRED');
  assert.equal(bob.holdsFor(ann)?.role, 'current');
  await bob.api.collectGarbage(true);
  assert.equal(stateAt(bob, ann), 'RELEASED', 'the user may');
});

test('while the space of a replica that went is on its way, no other one goes', async (context) => {
  const { ann, bob, eve } = await heldFor(context, 'EXPIRED');
  await agree(eve, bob, 8 * MIB);
  await eve.setFiles({ small: noiseOf('eve', 4 * MIB) });
  await eve.world.until('held', () => eve.isProvedAt(bob));
  const eveIsLater = bob.session.node.countedSeconds + 1;
  await bob.session.registry.updateContract(eve.id, (old) => {
    assert(old);
    return { ...old, state: 'EXPIRED', life: { ...old.life, enteredSeconds: eveIsLater } };
  });
  // Packs are rewritten later, so the disk is as full as before.
  Object.assign(bob.session.deps.dataDir, { freeBytes: () => Promise.resolve(0) });
  for (let time = 0; time < 3; time += 1) await makeSpace(bob.session, bob.id, MIB);
  assert.deepEqual([stateAt(bob, ann), stateAt(bob, eve)], ['RELEASED', 'EXPIRED']);
  bob.session.evictedMs = bob.session.deps.clock.monotonicMs() - 2 * bob.session.deps.periods.tick;
  await makeSpace(bob.session, bob.id, MIB);
  assert.equal(stateAt(bob, eve), 'RELEASED');
});

test('what is in GRACE never goes: the other peer is told that there is no room', async (context) => {
  const { ann, bob, eve } = await heldFor(context, 'GRACE');
  await eve.api.connectPeer(bob.id, '', true);
  await bob.api.connectPeer(eve.id, '', false);
  await assert.rejects(agree(eve, bob, 25 * MIB), /OVER_BUDGET/);
  await bob.api.collectGarbage(true);
  assert.equal(bob.holdsFor(ann)?.role, 'current');
});

test('a limit below the promises is refused, unless the user names who loses its bytes', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await agree(ann, bob, 64 * MIB);
  await ann.setFiles({ a: 'bytes' });
  await ann.world.until('held', () => ann.isProvedAt(bob));
  await assert.rejects(bob.api.setStorage(32 * MIB, 0), { code: 'OVER_BUDGET' });
  assert.equal(stateAt(bob, ann), 'ACTIVE');
  const { limitBytes, promisedBytes } = await bob.api.setStorage(32 * MIB, 0, [ann.id]);
  assert.deepEqual([limitBytes, promisedBytes], [32 * MIB, 0]);
  assert.equal(stateAt(bob, ann), 'RELEASED');
  assert.equal(bob.holdsFor(ann), undefined);
  await ann.world.until('the owner hears of it', () => stateAt(ann, bob) !== 'ACTIVE');
});

test('a promise that is only proposed can be taken back by name, too', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await ann.api.connectPeer(bob.id, 'bob', true);
  assert.match((await propose(ann, bob)).at(-1) ?? '', /^PENDING_PERSON/);
  await assert.rejects(ann.api.setStorage(32 * MIB, 0), { code: 'OVER_BUDGET' });
  const { promisedBytes } = await ann.api.setStorage(32 * MIB, 0, [bob.id]);
  assert.equal(promisedBytes, 0);
  assert.equal(stateAt(ann, bob), 'RELEASED');
});

test('the memory of a contract that is over goes after 400 counted days', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await agree(ann, bob);
  await bob.api.setStorage(bob.session.settings.storageLimitBytes, 0, [ann.id]);
  const { registry } = bob.session;
  const since = registry.contract(ann.id)?.life.enteredSeconds ?? 0;
  const at = (seconds: number) =>
    registry.updateNode((node) => {
      assert(node);
      return { ...node, countedSeconds: seconds };
    });
  await ann.kill();
  await at(since + PERIODS_MS.tombstone / 1000);
  await dropTombstones(bob.session);
  assert.equal(stateAt(bob, ann), 'RELEASED');
  await at(since + PERIODS_MS.tombstone / 1000 + 1);
  await dropTombstones(bob.session);
  assert.equal(stateAt(bob, ann), undefined);
});

test('what storage show calls used is what storage held adds up to, however many older revisions share the cells', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await agree(ann, bob, 20 * MIB);
  for (const note of ['first', 'second', 'third']) {
    await ann.setFiles({ big: noiseOf('ann', 4 * MIB), note });
    await ann.world.until(note, () => ann.isProvedAt(bob));
  }
  const [held] = await bob.api.held();
  assert((held?.keptRevisions ?? 0) >= 2);
  assert((held?.chargeBytes ?? 0) < 2 * 4 * MIB, 'unchanged cells are there once');
  const used = async () => {
    const { onlineBytes, offlineBytes, expiredBytes } = await bob.api.storage();
    return { onlineBytes, offlineBytes, expiredBytes };
  };
  const chargeBytes = held?.chargeBytes ?? assert.fail();
  assert.deepEqual(await used(), { onlineBytes: chargeBytes, offlineBytes: 0, expiredBytes: 0 });
  await ann.kill();
  await bob.world.until('gone', () => !bob.session.reach.isReachable(ann.id));
  await bob.session.registry.updateContract(ann.id, (old) => ({ ...(old ?? assert.fail()), state: 'EXPIRED' }));
  assert.deepEqual(await used(), { onlineBytes: 0, offlineBytes: chargeBytes, expiredBytes: chargeBytes });
});
