// Agreeing on terms between whole daemons: both ways, crossed, repeated, refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_TERMS } from '../../src/core/contract/default-terms.ts';
import { decodeTerms, encodeTerms, termsDigest, termsMessage } from '../../src/core/contract/terms.ts';
import { BbError } from '../../src/core/errors.ts';
import { pubkeyFromOnionId } from '../../src/core/ids.ts';
import { PeerRefusal } from '../../src/core/refusal.ts';
import { settle } from '../../src/daemon/contracts.ts';
import { noticeMessage } from '../../src/daemon/end-contract.ts';
import type { DaemonEvent } from '../../src/daemon/local-api.ts';
import { peerApiOf } from '../../src/daemon/peer-api-of.ts';
import { planFor } from '../../src/daemon/plan.ts';
import { agree, DaemonWorld, noiseOf, propose } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';

const MIB = 1024 ** 2;

const stateAt = (node: DaemonNode, peer: DaemonNode) => node.session.registry.contract(peer.id)?.state;

test('both sides become active and keep both signatures of the same terms', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await agree(ann, bob, 5 * MIB);
  assert.equal(stateAt(ann, bob), 'ACTIVE');
  assert.equal(stateAt(bob, ann), 'ACTIVE');
  const [ours, theirs] = [ann.session.registry.contract(bob.id), bob.session.registry.contract(ann.id)];
  assert(ours && theirs);
  assert.deepEqual(
    [ours.terms, ours.proposerSignature, ours.acceptorSignature],
    [theirs.terms, theirs.proposerSignature, theirs.acceptorSignature],
  );
  const [view] = await bob.api.contracts('');
  assert.equal(view?.giveBytes, 5 * MIB);
  // Each publishes to the other: a contract is mutual whoever proposed it.
  await Promise.all([ann.setFiles({ a: 'ann' }), bob.setFiles({ b: 'bob' })]);
  await ann.world.until('both proved', () => ann.isProvedAt(bob) && bob.isProvedAt(ann));
});

test('a first proposal under standing terms is refused here, and terms of no newer version there', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await agree(ann, bob);
  await assert.rejects(propose(bob, ann), { code: 'EXISTS' });
  const terms = signed(bob, ann, 1);
  const answer = await bob.session.client.proposeContract(ann.id, terms.bytes, terms.signature);
  assert.deepEqual([answer.answer, answer.reason], ['REJECTED', 'OLD_VERSION']);
  assert.equal(stateAt(ann, bob), 'ACTIVE');
  assert.equal(decodeTerms(ann.session.registry.contract(bob.id)?.terms ?? Buffer.alloc(0)).version, 1);
});

test('crossing proposals end in one contract, that of the smaller key', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await ann.api.connectPeer(bob.id, '', false);
  await bob.api.connectPeer(ann.id, '', true);
  // Each has made its own proposal before either is heard of.
  const pauses = [ann, bob].map((node) => node.pauseAt('proposeContract', 1));
  const both = [propose(ann, bob), propose(bob, ann)];
  await Promise.all(pauses.map(({ reached }) => reached));
  for (const { go } of pauses) go();
  const states = await Promise.all(both.map((ending) => ending.then((all) => all.at(-1))));
  const [smaller, larger] = [ann, bob].toSorted((a, b) =>
    Buffer.compare(pubkeyFromOnionId(a.id), pubkeyFromOnionId(b.id)),
  );
  assert(smaller && larger);
  await ann.world.until('both active', () => stateAt(ann, bob) === 'ACTIVE' && stateAt(bob, ann) === 'ACTIVE');
  assert(states.includes('COMPLETED'), states.join(' '));
  const terms = ann.session.registry.contract(bob.id)?.terms ?? Buffer.alloc(0);
  assert.deepEqual(bob.session.registry.contract(ann.id)?.terms, terms);
  assert.deepEqual(decodeTerms(terms).proposer, pubkeyFromOnionId(smaller.id));
});

test('a lost reply to a proposal does no harm', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await bob.api.connectPeer(ann.id, '', false);
  await ann.api.connectPeer(bob.id, '', true);
  loseReply(ann, 'proposeContract');
  await assert.rejects(propose(ann, bob), { code: 'PEER_UNREACHABLE' });
  assert.deepEqual([stateAt(ann, bob), stateAt(bob, ann)], ['PROPOSED', 'PROPOSED']);
  // What is open is said again at the next contact, so the contract may stand before the user asks again.
  await propose(ann, bob).catch((error: unknown) => assert.equal((error as BbError).code, 'EXISTS'));
  await ann.world.until('active', () => stateAt(ann, bob) === 'ACTIVE');
});

test('a proposer that lost the closing reply becomes active by itself at the next contact', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await bob.api.connectPeer(ann.id, '', false);
  await ann.api.connectPeer(bob.id, '', true);
  loseReply(ann, 'acceptContract');
  await assert.rejects(propose(ann, bob), { code: 'PEER_UNREACHABLE' });
  await ann.restart();
  await ann.world.until('active', () => stateAt(ann, bob) === 'ACTIVE');
});

test('a peer that cannot dial back at once has accepted all the same, and is told again by itself', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await bob.api.connectPeer(ann.id, '', false);
  await ann.api.connectPeer(bob.id, '', true);
  bob.hooks.set('healthCheck', () => {
    throw new BbError('PEER_UNREACHABLE', 'the address is not there yet');
  });
  await assert.rejects(propose(ann, bob), { code: 'PEER_UNREACHABLE', message: /both have agreed/ });
  assert.deepEqual([stateAt(ann, bob), stateAt(bob, ann)], ['PROPOSED', 'PROPOSED']);
  bob.hooks.delete('healthCheck');
  planFor(ann.session, 'tick', ann.id, 0); // the session of the two stays up
  await ann.world.until('both active', () => stateAt(ann, bob) === 'ACTIVE' && stateAt(bob, ann) === 'ACTIVE');
});

test('what else is to be told when terms are closed does not stand in the way of them', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await bob.api.connectPeer(ann.id, '', false);
  await ann.api.connectPeer(bob.id, '', true);
  bob.hooks.set('getContentRevision', () => {
    throw new PeerRefusal('RATE_LIMITED');
  });
  assert.equal((await propose(ann, bob)).at(-1), 'COMPLETED');
  const [view] = await bob.api.contracts(ann.id);
  assert.equal(view?.ourRemainingSeconds, DEFAULT_TERMS.graceInitialSeconds, 'what was signed, until it is said');
});

test('terms that are settled from several sides at once are agreed once', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await bob.api.connectPeer(ann.id, '', false);
  await bob.api.setConfig('contracts.accept', 'nobody');
  await ann.api.connectPeer(bob.id, '', true);
  await propose(ann, bob);
  const { terms } = ann.session.registry.contract(bob.id) ?? assert.fail();
  assert.equal(stateAt(ann, bob), 'PROPOSED');
  const states = await Promise.all([1, 2, 3].map(() => settle(ann.session, bob.id, terms)));
  assert.deepEqual(states, ['ACTIVE', 'ACTIVE', 'ACTIVE']);
  assert.equal(ann.events.filter(({ name }) => name === 'contract-active').length, 1);
});

test('what the budget cannot keep is refused, and promises to others count', async (context) => {
  const [ann, bob, eve] = await DaemonWorld.ready(context, 'ann', 'bob', 'eve');
  assert(ann && bob && eve);
  await bob.api.setStorage(100 * MIB, 0);
  await agree(ann, bob, 60 * MIB);
  await bob.api.connectPeer(eve.id, '', false);
  await eve.api.connectPeer(bob.id, '', true);
  const refusal = (await propose(eve, bob, { giveBytes: 60 * MIB, getBytes: 60 * MIB })).at(-1);
  assert.match(refusal ?? '', /^PEER_REFUSED .*\(OVER_BUDGET\)$/);
  assert.equal(bob.session.registry.contract(eve.id), undefined);
  assert.equal((await propose(eve, bob, { giveBytes: 30 * MIB, getBytes: 30 * MIB })).at(-1), 'COMPLETED');
  await assert.rejects(propose(bob, eve, { giveBytes: 60 * MIB }), { code: 'EXISTS' });
});

test('proposals that arrive together cannot share one free budget', async (context) => {
  const [bob, ann, eve] = await DaemonWorld.ready(context, 'bob', 'ann', 'eve');
  assert(ann && bob && eve);
  await bob.api.setStorage(100 * MIB, 0);
  for (const node of [ann, eve]) {
    await bob.api.connectPeer(node.id, '', false);
    await node.api.connectPeer(bob.id, '', true);
  }
  const pause = bob.pauseAt('putRecords', 1);
  const answers = [ann, eve].map((node) => {
    const { bytes, signature } = signed(node, bob, 1, 60 * MIB);
    return node.session.client.proposeContract(bob.id, bytes, signature);
  });
  await pause.reached;
  await bob.world.until('both were heard', () => bob.said('proposal-received').length > 0);
  pause.go();
  const words = (await Promise.all(answers)).map(({ answer }) => answer);
  assert.deepEqual(words.toSorted(), ['ACCEPTED', 'REJECTED']);
});

test('terms that are not between the two, or signed by somebody else, are refused', async (context) => {
  const [ann, bob, eve] = await DaemonWorld.ready(context, 'ann', 'bob', 'eve');
  assert(ann && bob && eve);
  await bob.api.connectPeer(ann.id, '', false);
  await ann.api.connectPeer(bob.id, '', true);
  const good = signed(ann, bob, 1);
  const foreign = signed(eve, bob, 1);
  const { client } = ann.session;
  await assert.rejects(client.proposeContract(bob.id, good.bytes, foreign.signature), { refusal: 'TERMS_REJECTED' });
  const answer = await client.proposeContract(bob.id, foreign.bytes, foreign.signature);
  assert.equal(answer.answer, 'REJECTED');
  await assert.rejects(client.acceptContract(bob.id, noiseOf('digest', 32), true, Buffer.alloc(64), ''), {
    refusal: 'NO_CONTRACT',
  });
  assert.equal(bob.session.registry.contracts().length, 0);
});

/** The call arrives and is answered, but the answer never comes back. */
function loseReply(node: DaemonNode, method: string): void {
  node.afterHooks.set(method, () => {
    node.afterHooks.delete(method);
    throw new BbError('PEER_UNREACHABLE', 'the reply got lost');
  });
}

function signed(from: DaemonNode, to: DaemonNode, version: number, sizeBytes = MIB) {
  const bytes = encodeTerms({
    ...DEFAULT_TERMS,
    version,
    proposer: from.session.keyring.pubkey,
    acceptor: pubkeyFromOnionId(to.id),
    bytesProposer: sizeBytes,
    bytesAcceptor: sizeBytes,
    nonce: noiseOf(`nonce ${from.id}`, 16),
  });
  return { bytes, signature: from.session.keyring.sign(termsMessage(bytes)) };
}

test('a signed notice ends a contract by its terms; a forged one changes nothing', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await agree(ann, bob);
  const api = peerApiOf(bob.session);
  const { terms } = bob.session.registry.contract(ann.id) ?? { terms: Buffer.alloc(0) };
  const digest = termsDigest(terms);
  const signature = ann.session.keyring.sign(noticeMessage(digest, 0));
  await assert.rejects(api.endContract(ann.id, digest, 1, signature), { refusal: 'TERMS_REJECTED' });
  await assert.rejects(api.endContract(ann.id, Buffer.alloc(32), 0, signature), { refusal: 'NO_CONTRACT' });
  assert.equal(bob.session.registry.contract(ann.id)?.state, 'ACTIVE');
  assert.deepEqual(await api.endContract(ann.id, digest, 0, signature), { state: 'ENDING' });
  assert.deepEqual(await api.endContract(ann.id, digest, 0, signature), { state: 'ENDING' });
  const { life } = bob.session.registry.contract(ann.id) ?? {};
  assert((life?.noticeEndSeconds ?? 0) >= decodeTerms(terms).noticeSeconds, 'the notice of the terms is kept');
});

test('each change of a contract is in the copy of the catalog soon', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  let copies = 0;
  ann.afterHooks.set('backup', () => {
    copies += 1;
    ann.world.notify();
  });
  await agree(ann, bob);
  await ann.world.until('the contract is copied', () => copies > 0);
  await ann.session.deps.catalog.backup(); // whatever was begun before is over
  const before = copies;
  await ann.api.endContract(bob.id, 0, new AbortController().signal);
  await ann.world.until('the notice is copied', () => copies > before);
});

test('a storer that confesses a loss is proved no more, and checked again', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await agree(ann, bob);
  await ann.setFiles({ a: 'bytes' });
  await ann.world.until('proved', () => ann.isProvedAt(bob));
  const api = peerApiOf(ann.session);
  const contentId = ann.session.newest?.row.contentId ?? Buffer.alloc(0);
  await assert.rejects(api.reportLoss(bob.id, { contentId: Buffer.alloc(64), ranges: [] }), {
    refusal: 'UNKNOWN_CONTENT',
  });
  const judged = ann.said('check-judged').length;
  await api.reportLoss(bob.id, { contentId, ranges: [{ startCell: 0, cells: 1 }] });
  await ann.hears('loss-reported');
  await ann.world.until('checked again', () => ann.said('check-judged').length > judged && ann.isProvedAt(bob));
});

test('who reads the events is told the name of a peer beside its id, and that a proposal came once', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await bob.api.setConfig('contracts.accept', 'nobody');
  await bob.api.connectPeer(ann.id, 'annie', false);
  await ann.api.connectPeer(bob.id, '', true);
  for (const sizeBytes of [MIB, MIB, 3 * MIB]) {
    const { bytes, signature } = signed(ann, bob, 1, sizeBytes);
    assert.equal((await ann.session.client.proposeContract(bob.id, bytes, signature)).answer, 'PENDING');
  }
  const told: DaemonEvent[] = [];
  for await (const event of bob.api.events(false, new AbortController().signal, true)) {
    if (event.name === 'subscribed') break;
    told.push(event);
  }
  const proposals = told.filter(({ name }) => name === 'proposal-received');
  assert.equal(proposals.length, 2, 'one for each of two different terms');
  assert.deepEqual([proposals[0]?.attributes['peer'], proposals[0]?.attributes['name']], [ann.id, 'annie']);
});
