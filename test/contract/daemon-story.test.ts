// What a user is told about a contract that is not as it should be: the cause, for as long as the state lasts, and the cure.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { step } from '../../src/daemon/contracts.ts';
import { defaulted } from '../../src/daemon/repull.ts';
import { tick } from '../../src/daemon/tick.ts';
import type { DaemonNode } from './daemon-node.ts';
import { agree, DaemonWorld, propose } from './daemon-world.ts';

const DAY = 86_400;

async function later(node: DaemonNode, seconds: number): Promise<void> {
  await node.session.registry.updateNode((old) => {
    assert(old);
    return { ...old, countedSeconds: old.countedSeconds + seconds };
  });
  await tick(node.session);
}

const storyAt = async (node: DaemonNode) => (await node.api.contracts(''))[0]?.explanation ?? '';
const recordAt = (node: DaemonNode, peer: DaemonNode) => node.session.registry.contract(peer.id);

async function proved(context: Parameters<typeof DaemonWorld.ready>[0]): Promise<[DaemonNode, DaemonNode]> {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await ann.api.setStorage(0, 1);
  await agree(ann, bob);
  await ann.setFiles({ a: 'bytes' });
  await ann.world.until('proved', () => ann.isProvedAt(bob));
  return [ann, bob];
}

test('a peer that is away: paused by name, since when, until when our bytes stay, and what to do', async (context) => {
  const [ann, bob] = await proved(context);
  await bob.kill();
  await ann.world.until('noticed', () => !ann.session.reach.isReachable(bob.id));
  await later(ann, 2.4 * DAY);
  assert.equal(recordAt(ann, bob)?.state, 'DEGRADED');
  assert.match(
    await storyAt(ann),
    /^paused: bob has been unreachable for 2 days, .*your bytes there stay until \d{1,2} [A-Z]\w+, .*whether its machine is on; .* in 1\d days$/,
  );
});

test('a contract in GRACE tells why for as long as it lasts, in the sentence and in the status', async (context) => {
  const [ann, bob] = await proved(context);
  await bob.kill();
  await defaulted(ann.session, bob.id, 'its copy was wrong twice');
  await later(ann, DAY / 2);
  assert.match(await storyAt(ann), /^its copy counts no more \(its copy was wrong twice\).*proves the whole copy$/);
  const { reasons } = await ann.api.status();
  const lost = reasons.find(({ code }) => code === 'NOT_COUNTED');
  assert.match(lost?.message ?? '', /bob is GRACE \(its copy was wrong twice\)/);

  await later(ann, 31 * DAY);
  assert.equal(recordAt(ann, bob)?.state, 'EXPIRED');
  assert.equal(recordAt(ann, bob)?.transitions.at(-1)?.reason, 'its remaining seconds are used up');
});

test('who gave notice is told until the contract is over, and then why it is', async (context) => {
  const [ann, bob] = await proved(context);
  await ann.api.endContract(bob.id, 0, new AbortController().signal);
  await bob.kill();
  await later(ann, DAY);
  assert.match(await storyAt(ann), /^it ends \(we gave notice\); .*; for going on: bb contracts propose bob/);
  await later(ann, 60 * DAY);
  assert.equal(recordAt(ann, bob)?.state, 'RELEASED');
  assert.match(recordAt(ann, bob)?.transitions.at(-1)?.reason ?? '', /the notice and the remaining seconds are over/);
});

test('a user is warned when a peer is not content, though all is PROTECTED, and for no longer than it is so', async (context) => {
  const [ann, bob] = await proved(context);
  const warnings = async () => (await ann.api.status()).reasons.filter(({ code }) => code === 'PEER_WARNS');
  assert.deepEqual(await warnings(), []);
  // The session stays up all the time: nothing but the daily question tells.
  await defaulted(bob.session, ann.id, 'its copy was wrong twice');
  ann.session.metMs.set(bob.id, -Infinity);
  const mark = ann.events.length;
  await tick(ann.session);
  await ann.hears('contract-state-there', { peer: bob.id, from: 'ACTIVE', to: 'GRACE' }, mark);
  assert.equal((await ann.api.status()).verdict, 'PROTECTED');
  const [warning] = await warnings();
  assert.match(
    warning?.message ?? '',
    /^For bob its copy here counts no more, and it keeps your bytes until \d{1,2} [A-Z]\w+; .*keep this node up[:,] .*\.$/, // whole here already, or still on its way
  );
  assert.match(await storyAt(ann), /^both sides keep their promises; .*; for bob its copy here counts no more/);

  await step(bob.session, ann.id, { kind: 'cured' }, 'every cell of the copy was proved again');
  await tick(ann.session);
  await ann.hears('contract-state-there', { peer: bob.id, from: 'GRACE', to: 'ACTIVE' }, mark);
  assert.deepEqual(await warnings(), []);
});

test('a peer that owes no copy is offered nothing, is no missing copy, and is cured by coming back', async (context) => {
  const [dad, kid] = await DaemonWorld.ready(context, 'dad', 'kid');
  assert(dad && kid);
  await dad.api.setStorage(0, 1);
  await kid.api.connectPeer(dad.id, 'dad', false);
  await dad.api.connectPeer(kid.id, 'kid', true);
  assert.match((await propose(dad, kid, { getBytes: 0 })).at(-1) ?? '', /^PENDING_PERSON .*UNEQUAL/);
  await kid.api.answerProposal(dad.id, true, new AbortController().signal);
  await kid.setFiles({ a: 'bytes' });
  await kid.world.until('proved', () => kid.isProvedAt(dad));
  await dad.setFiles({ b: 'bytes' });
  await tick(dad.session);
  const codes = (await dad.api.status()).reasons.map(({ code }) => code);
  assert.deepEqual(codes, ['TOO_FEW_CONTRACTS'], 'another peer is needed, and nothing is wrong with this one');
  await later(dad, DAY);
  await dad.hears('storers-sought', { missing: '1' });

  await kid.kill();
  await dad.world.until('noticed', () => !dad.session.reach.isReachable(kid.id));
  for (const days of [2, 15]) await later(dad, days * DAY);
  assert.equal(recordAt(dad, kid)?.state, 'GRACE');
  assert.match(await storyAt(dad), /all is well again by itself when it is back$/);
  await kid.start();
  await kid.unlock();
  await dad.world.until('back', () => dad.session.reach.isReachable(kid.id));
  await later(dad, 600);
  assert.equal(recordAt(dad, kid)?.state, 'ACTIVE');
  assert.match(recordAt(dad, kid)?.transitions.at(-1)?.reason ?? '', /back, and it owes no copy/);
  assert.equal(dad.said('revision-offered', { peer: kid.id }).length, 0);
});

test('a copy of the newest revision that is not checked yet tells which older one was proved', async (context) => {
  const [ann, bob] = await proved(context);
  const { sequence } = ann.session.newest?.row ?? assert.fail();
  const pause = ann.pauseAt('challenge', 1);
  await ann.setFiles({ a: 'other bytes' });
  await pause.reached;
  const [copy] = (await ann.api.status()).replicas;
  assert.deepEqual([copy?.sequence, copy?.provedSequence, copy?.outcome], [sequence + 1, sequence, 'held']);
  assert.deepEqual([copy?.newest, copy?.verified], [true, false]);
  pause.go();
  await ann.world.until('proved', () => ann.isProvedAt(bob));
  assert.equal((await ann.api.status()).replicas[0]?.provedSequence, sequence + 1);
});
