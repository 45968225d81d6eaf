// What persons decide about terms between whole daemons: waiting, accepting, rejecting, amending, ending, with the other
// side offline and replies lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeTerms, encodeTerms, termsDigest } from '../../src/core/contract/terms.ts';
import { NO_OLD_HOLD } from '../../src/core/contract/transition.ts';
import { onionIdFromPubkey } from '../../src/core/ids.ts';
import { PENDING_PROPOSALS } from '../../src/core/limits.ts';
import type { ContractRecord } from '../../src/core/records.ts';
import { PeerRefusal } from '../../src/core/refusal.ts';
import { planFor } from '../../src/daemon/plan.ts';
import { agree, DaemonWorld, propose } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';

const MIB = 1024 ** 2;
const DAY = 86_400;
const never = () => new AbortController().signal;

const recordAt = (node: DaemonNode, peer: DaemonNode) => node.session.registry.contract(peer.id);
const stateAt = (node: DaemonNode, peer: DaemonNode) => recordAt(node, peer)?.state;
const sizeAt = (node: DaemonNode, peer: DaemonNode) =>
  decodeTerms(recordAt(node, peer)?.terms ?? Buffer.alloc(0)).bytesProposer / MIB;

async function strangers(context: Parameters<typeof DaemonWorld.ready>[0]): Promise<[DaemonNode, DaemonNode]> {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await ann.api.connectPeer(bob.id, 'bob', true);
  assert.match((await propose(ann, bob)).at(-1) ?? '', /^PENDING_PERSON .*\(NOT_ADDED\)$/);
  return [ann, bob];
}

test('a proposal of a stranger waits for a person, who accepts it; both sides are active and the reason is kept', async (context) => {
  const [ann, bob] = await strangers(context);
  assert.equal(stateAt(bob, ann), 'PROPOSED');
  const [view] = await bob.api.contracts('');
  assert.equal(view?.open?.waitsForUs, true);
  const answer = await bob.api.answerProposal(ann.id, true, never());
  assert.equal(answer.told, true);
  assert.deepEqual([stateAt(ann, bob), stateAt(bob, ann)], ['ACTIVE', 'ACTIVE']);
  assert.equal(bob.session.registry.peer(ann.id)?.added, true, 'who was accepted is approved');
  const [step] = recordAt(ann, bob)?.transitions ?? [];
  assert.deepEqual([step?.from, step?.to, step?.event], ['PROPOSED', 'ACTIVE', 'agreed']);
  await ann.setFiles({ a: 'ann' });
  await ann.world.until('proved', () => ann.isProvedAt(bob));
});

test('nobody can accept for the person: terms that the proposer closes by itself stay open', async (context) => {
  const [ann, bob] = await strangers(context);
  const { terms } = recordAt(bob, ann) ?? {};
  assert(terms);
  const own = ann.session.keyring.sign(terms);
  await assert.rejects(ann.session.client.acceptContract(bob.id, termsDigest(terms), true, own, ''), {
    refusal: 'NO_CONTRACT',
  });
  assert.equal(stateAt(bob, ann), 'PROPOSED');
});

test('a waiting proposal promises nothing, and no more of them are kept than the bound', async (context) => {
  const [ann, bob] = await strangers(context);
  assert.equal((await bob.api.storage()).promisedBytes, 0);
  const { registry } = bob.session;
  const record = registry.contract(ann.id);
  assert(record);
  for (let index = 1; index < PENDING_PROPOSALS; index += 1) {
    const proposer = Buffer.alloc(32, index);
    const terms = encodeTerms({ ...decodeTerms(record.terms), proposer });
    await registry.updateContract(onionIdFromPubkey(proposer), () => ({
      ...record,
      peer: onionIdFromPubkey(proposer),
      terms,
    }));
  }
  const eve = await bob.world.add('eve');
  await eve.init('generated');
  await eve.api.connectPeer(bob.id, '', true);
  assert.match((await propose(eve, bob)).at(-1) ?? '', /^PEER_REFUSED .*\(BUSY\)$/);
  assert.equal(registry.contract(eve.id), undefined);
});

test('a rejected proposal ends on both sides, with the word of the person', async (context) => {
  const [ann, bob] = await strangers(context);
  assert.equal((await bob.api.answerProposal(ann.id, false, never())).told, true);
  assert.deepEqual([stateAt(ann, bob), stateAt(bob, ann)], ['RELEASED', 'RELEASED']);
  assert.match(recordAt(ann, bob)?.reason ?? '', /said no/);
  await assert.rejects(bob.api.answerProposal(ann.id, true, never()), { code: 'NOT_FOUND' });
});

test('a proposal that nobody answered is taken back on both sides, and can be made anew', async (context) => {
  const [ann, bob] = await strangers(context);
  assert.equal((await ann.api.answerProposal(bob.id, false, never())).told, true);
  assert.deepEqual([stateAt(ann, bob), stateAt(bob, ann)], ['RELEASED', 'RELEASED']);
  assert.match(recordAt(bob, ann)?.reason ?? recordAt(bob, ann)?.transitions.at(-1)?.reason ?? '', /WITHDRAWN/);
  await assert.rejects(bob.api.answerProposal(ann.id, true, never()), { code: 'NOT_FOUND' });
  assert.match((await propose(ann, bob)).at(-1) ?? '', /^PENDING_PERSON/);
});

test('an acceptance while the proposer is away reaches it at the next contact', async (context) => {
  const [ann, bob] = await strangers(context);
  ann.world.cut(ann, bob);
  await bob.world.until('apart', () => !bob.session.reach.isReachable(ann.id));
  assert.equal((await bob.api.answerProposal(ann.id, true, never())).told, false);
  assert.equal(stateAt(bob, ann), 'PROPOSED');
  ann.world.mend(ann, bob);
  await ann.world.until('both active', () => stateAt(ann, bob) === 'ACTIVE' && stateAt(bob, ann) === 'ACTIVE');
});

test('policy decides who needs a person: everyone takes strangers, nobody asks for friends too', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await ann.api.connectPeer(bob.id, '', true);
  await bob.api.setConfig('contracts.accept', 'everyone');
  assert.match((await propose(ann, bob)).at(-1) ?? '', /LONG_GRACE/, 'as to a friend');
  await bob.api.answerProposal(ann.id, true, never());
  await ann.api.setConfig('contracts.accept', 'nobody');
  assert.match((await propose(bob, ann, { giveBytes: 80 * MIB, amend: true })).at(-1) ?? '', /BY_HAND/);
  await assert.rejects(ann.api.setConfig('contracts.accept', 'maybe'), { code: 'USAGE' });
  await assert.rejects(ann.api.setConfig('constructor', 'x'), { code: 'USAGE' });
});

test('an amendment changes what is named; the standing terms hold until both have signed', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await agree(ann, bob, 64 * MIB);
  assert.equal((await propose(ann, bob, { giveBytes: 96 * MIB, getBytes: 96 * MIB, amend: true })).at(-1), 'COMPLETED');
  assert.deepEqual([sizeAt(ann, bob), sizeAt(bob, ann)], [96, 96]);
  assert.deepEqual(recordAt(ann, bob)?.terms, recordAt(bob, ann)?.terms);
  assert.equal(decodeTerms(recordAt(ann, bob)?.terms ?? Buffer.alloc(0)).version, 2);
  // Less for the other side needs its person.
  const less = await propose(bob, ann, { giveBytes: 64 * MIB, getBytes: 96 * MIB, amend: true });
  assert.match(less.at(-1) ?? '', /^PENDING_PERSON .*LESS_FOR_YOU/);
  const waits = (await ann.api.status()).reasons.filter(({ code }) => code === 'TERMS_WAIT');
  assert.deepEqual(
    waits.map(({ next }) => next),
    ['bb contracts show bob'],
  );
  assert.equal(sizeAt(ann, bob), 96);
  assert.equal((await ann.api.answerProposal(bob.id, true, never())).told, true);
  const side = decodeTerms(recordAt(ann, bob)?.terms ?? Buffer.alloc(0));
  assert.equal(side.bytesAcceptor / MIB, 64);
  assert.deepEqual([stateAt(ann, bob), stateAt(bob, ann)], ['ACTIVE', 'ACTIVE']);
});

test('a shorter hold counts only when the old one has passed since it was signed', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await agree(ann, bob);
  const args = { peer: bob.id, giveBytes: 0, getBytes: 0, durationSeconds: 0, holdSeconds: DAY, amend: true };
  const states: string[] = [];
  for await (const { state } of ann.api.propose(args, never())) states.push(state);
  assert.equal(states.at(-1), 'PENDING_PERSON', 'nobody gives up a hold without being asked');
  assert.equal((await bob.api.answerProposal(ann.id, true, never())).told, true);
  const now = bob.session.node.countedSeconds;
  const { oldHold } = recordAt(bob, ann) ?? { oldHold: NO_OLD_HOLD };
  assert.equal(oldHold.holdSeconds, 7 * DAY);
  assert(oldHold.untilSeconds >= now + 6 * DAY, 'the old hold runs on');
  await ann.setFiles({ a: 'first' });
  await ann.world.until('held', () => ann.isProvedAt(bob));
  await ann.setFiles({ a: 'second' });
  await ann.world.until('kept', () => bob.session.registry.heldOf(ann.id).some(({ value }) => value.role === 'kept'));
  const kept = bob.session.registry.heldOf(ann.id).find(({ value }) => value.role === 'kept');
  assert((kept?.value.holdEndSeconds ?? 0) >= now + 7 * DAY, 'a revision superseded now is kept for the old hold');
});

test('notice reaches a peer that is away later; the second notice ends the contract at once', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await agree(ann, bob);
  ann.world.cut(ann, bob);
  await ann.world.until('apart', () => !ann.session.reach.isReachable(bob.id));
  assert.equal((await ann.api.endContract(bob.id, 0, never())).told, false);
  assert.equal(stateAt(ann, bob), 'ACTIVE', 'an unanswered notice changes nothing');
  ann.world.mend(ann, bob);
  await ann.world.until('both ending', () => stateAt(ann, bob) === 'ENDING' && stateAt(bob, ann) === 'ENDING');
  await assert.rejects(ann.api.endContract(bob.id, 0, never()), { code: 'CONFLICT' });
  await assert.rejects(propose(ann, bob, { amend: true }), { code: 'CONFLICT' });
  await bob.api.endContract(ann.id, 0, never());
  await ann.world.until('over', () => stateAt(ann, bob) === 'RELEASED' && stateAt(bob, ann) === 'RELEASED');
  assert.equal(recordAt(bob, ann)?.transitions.at(-1)?.event, 'ended-by-both');
});

test('an amendment that is open when its contract ends is over, too, and a new contract can be made', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await agree(ann, bob);
  await bob.api.setConfig('contracts.accept', 'nobody');
  assert.match(
    (await propose(ann, bob, { giveBytes: 80 * MIB, getBytes: 80 * MIB, amend: true })).at(-1) ?? '',
    /BY_HAND/,
  );
  await ann.api.endContract(bob.id, 0, never());
  await bob.api.endContract(ann.id, 0, never());
  await ann.world.until('over', () => stateAt(ann, bob) === 'RELEASED' && stateAt(bob, ann) === 'RELEASED');
  for (const [node, peer] of [[ann, bob] as const, [bob, ann] as const]) {
    assert.equal((await node.api.contracts(peer.id))[0]?.open, undefined, 'nothing waits for an answer');
  }
  assert.equal((await propose(bob, ann)).at(-1), 'COMPLETED');
  assert.deepEqual([stateAt(ann, bob), stateAt(bob, ann)], ['ACTIVE', 'ACTIVE']);
  assert.deepEqual(recordAt(ann, bob)?.terms, recordAt(bob, ann)?.terms);
});

test('a new contract after one that ended begins with nothing: what was let go by agreement is no lost copy', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await agree(ann, bob);
  await ann.setFiles({ a: 'ann' });
  await ann.world.until('proved', () => ann.isProvedAt(bob));
  await ann.api.endContract(bob.id, 0, never());
  await bob.api.endContract(ann.id, 0, never());
  await ann.world.until('over', () => stateAt(ann, bob) === 'RELEASED' && stateAt(bob, ann) === 'RELEASED');
  assert.equal((await propose(bob, ann)).at(-1), 'COMPLETED');
  await ann.setFiles({ a: 'ann', b: 'more' });
  await ann.world.until('proved anew', () => ann.isProvedAt(bob));
  assert.deepEqual([ann.said('replica-lost').length, stateAt(ann, bob)], [0, 'ACTIVE']);
  const states = recordAt(ann, bob)?.transitions.map(({ to }) => to);
  assert.deepEqual(states?.slice(-2), ['RELEASED', 'ACTIVE']);
});

test('a peer that broke its promise by name is not said to have lost its copy', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await agree(ann, bob);
  await ann.setFiles({ a: 'ann' });
  await ann.world.until('proved', () => ann.isProvedAt(bob));
  await bob.api.setStorage(32 * MIB, 0, [ann.id]);
  await ann.world.until('ending', () => stateAt(ann, bob) === 'ENDING');
  planFor(ann.session, 'ask', bob.id, 0);
  await ann.world.until('ann knows', () => recordAt(ann, bob)?.replica.acknowledged.length === 0);
  assert.doesNotMatch(recordAt(ann, bob)?.reason ?? '', /lost/);
  assert.match(recordAt(ann, bob)?.reason ?? '', /the peer gave notice/);
});

test('a proposal that waits for our user is answered before we make one of our own: neither throws the other away', async (context) => {
  const [ann, bob] = await strangers(context);
  const { terms } = recordAt(bob, ann) ?? {};
  const counter = propose(bob, ann);
  await assert.rejects(counter, { code: 'EXISTS', message: /waits for your answer/, hint: /accept or reject/ });
  assert.deepEqual(recordAt(bob, ann)?.terms, terms);
  assert.equal((await bob.api.answerProposal(ann.id, true, never())).told, true);
  assert.deepEqual([stateAt(ann, bob), stateAt(bob, ann)], ['ACTIVE', 'ACTIVE']);
});

test('a peer that has no such proposal any more was told: it is not called offline', async (context) => {
  const [ann, bob] = await strangers(context);
  bob.hooks.set('acceptContract', () => {
    throw new PeerRefusal('NO_CONTRACT');
  });
  assert.equal((await bob.api.answerProposal(ann.id, false, never())).told, true);
});

test('who accepts what the peer does not stand by any more is told so, and it is not open for ever', async (context) => {
  const [ann, bob] = await strangers(context);
  bob.hooks.set('acceptContract', () => {
    throw new PeerRefusal('NO_CONTRACT');
  });
  await assert.rejects(bob.api.answerProposal(ann.id, true, never()), { code: 'REFUSED_BY_PEER' });
  assert.equal(stateAt(bob, ann), 'RELEASED');
});

test('where the contract is over for the peer, notice ends it here at once, and a new one is not called over', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await agree(ann, bob);
  const released = (record: ContractRecord | undefined): ContractRecord => ({
    ...(record ?? assert.fail()),
    state: 'RELEASED',
  });
  await bob.session.registry.updateContract(ann.id, released); // as after an eviction, of which nobody tells
  planFor(ann.session, 'ask', bob.id, 0);
  await ann.hears('contract-state-there', { to: 'RELEASED' });
  assert.match((await ann.api.contracts(bob.id))[0]?.explanation ?? '', /to begin anew, bb contracts end bob/);
  assert.equal((await ann.api.endContract(bob.id, 0, never())).told, true);
  assert.equal(stateAt(ann, bob), 'RELEASED');
  assert.equal((await propose(bob, ann)).at(-1), 'COMPLETED');
  assert.doesNotMatch((await ann.api.contracts(bob.id))[0]?.explanation ?? '', /is over/);
  assert.doesNotMatch((await bob.api.contracts(ann.id))[0]?.explanation ?? '', /is over/);
});

test('a notice to a peer that knows of no contract begins: it is told, and its bytes stay for the notice', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await agree(ann, bob);
  // What the peer says of itself is noted at each meeting, so it is set at the moment of the call.
  const { recoveringPeers } = ann.session;
  const refuse = (isRecovering: boolean) => () => {
    if (isRecovering) recoveringPeers.add(bob.id);
    else recoveringPeers.delete(bob.id);
    throw new PeerRefusal('NO_CONTRACT');
  };
  ann.hooks.set('endContract', refuse(true));
  assert.equal(
    (await ann.api.endContract(bob.id, 0, never())).told,
    false,
    'who rebuilds itself will know of it again',
  );
  assert.equal(stateAt(ann, bob), 'ACTIVE');
  ann.hooks.set('endContract', refuse(false));
  assert.equal((await ann.api.endContract(bob.id, 0, never())).told, true);
  assert.equal(stateAt(ann, bob), 'ENDING');
});
