// Peers that make contracts which are none, or bring crowds that do not exist.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { DEFAULT_TERMS } from '../../src/core/contract/default-terms.ts';
import { encodeTerms, termsDigest, termsMessage } from '../../src/core/contract/terms.ts';
import { onionIdFromPubkey, pubkeyFromOnionId } from '../../src/core/ids.ts';
import { ed25519Pair } from '../../src/core/crypto/ed25519.ts';
import { PEER_EXCHANGE_PEERS } from '../../src/core/limits.ts';
import { PeerRefusal } from '../../src/core/refusal.ts';
import type { DaemonNode } from '../contract/daemon-node.ts';
import { DaemonWorld, noiseOf } from '../contract/daemon-world.ts';
import type { Adversary, Ending } from './adversary.ts';
import { MIB, NONE, proved, stateAt } from './stage.ts';

/** Two nodes that know each other, without a contract. */
async function strangersMet(context: TestContext) {
  const [victim, liar] = await DaemonWorld.ready(context, 'victim', 'liar');
  assert(victim && liar);
  await victim.api.connectPeer(liar.id, '', false);
  await liar.api.connectPeer(victim.id, '', true);
  return { victim, liar, world: victim.world };
}

function termsOf(from: DaemonNode, to: DaemonNode, seed = 'nonce'): Buffer {
  return encodeTerms({
    ...DEFAULT_TERMS,
    version: 1,
    proposer: from.session.keyring.pubkey,
    acceptor: pubkeyFromOnionId(to.id),
    bytesProposer: 8 * MIB,
    bytesAcceptor: 8 * MIB,
    nonce: noiseOf(seed, 16),
  });
}

const signatureOf = (node: DaemonNode, bytes: Buffer): Buffer => node.session.keyring.sign(termsMessage(bytes));

async function propose(from: DaemonNode, to: DaemonNode, bytes: Buffer, signature: Buffer): Promise<string> {
  try {
    const { answer, reason } = await from.session.client.proposeContract(to.id, bytes, signature);
    return reason === '' ? answer : `${answer} ${reason}`;
  } catch (error) {
    return error instanceof PeerRefusal ? error.refusal : 'refused';
  }
}

/** Where in the bytes of terms each number lies that is made absurd, and what it becomes. */
const ABSURD: readonly ((terms: Buffer) => unknown)[] = [
  (terms) => terms.writeBigUInt64BE(2n ** 63n, 69),
  (terms) => terms.writeBigInt64BE(-1n, 77),
  (terms) => terms.writeBigUInt64BE(2n ** 63n, 85),
  (terms) => terms.writeUInt32BE(0, 93),
  (terms) => terms.writeUInt32BE(0, 97), // no hold: what is replaced is gone at once
  (terms) => terms.writeUInt32BE(0xffff_ffff, 109),
];

async function absurd(context: TestContext): Promise<Ending> {
  const { victim, liar } = await strangersMet(context);
  const answers = new Set<string>();
  let accepted = 0;
  for (const spoil of ABSURD) {
    const bytes = termsOf(liar, victim);
    spoil(bytes);
    const answer = await propose(liar, victim, bytes, signatureOf(liar, bytes));
    if (answer === 'ACCEPTED') accepted += 1;
    else answers.add(answer);
  }
  return { answers: [...answers].join(), accepted: accepted > 0, state: stateAt(victim, liar) };
}

async function twoFaced(context: TestContext): Promise<Ending> {
  const { victim, liar } = await strangersMet(context);
  const shown = termsOf(liar, victim, 'shown');
  const signed = termsOf(liar, victim, 'signed');
  const answer = await propose(liar, victim, shown, signatureOf(liar, signed));
  const closing = liar.session.client.acceptContract(victim.id, termsDigest(shown), true, NONE, '');
  const state = await closing.then(
    (closed) => closed.state ?? 'none',
    (error: unknown) => (error instanceof PeerRefusal ? error.refusal : 'refused'),
  );
  return { answer, state };
}

/** Its own dials work; nobody can dial it. */
async function neverDialled(context: TestContext): Promise<Ending> {
  const { victim, liar, world } = await strangersMet(context);
  world.published.delete(liar.id);
  world.breakStreams(({ to }) => to === liar.id);
  await world.until('it is not reached any more', () => !victim.session.client.isConnected(liar.id));
  const bytes = termsOf(liar, victim);
  const answer = await propose(liar, victim, bytes, signatureOf(liar, bytes));
  const closing = liar.session.client.acceptContract(victim.id, termsDigest(bytes), true, NONE, '');
  const closed = await closing.then(
    ({ state }) => state ?? 'none',
    (error: unknown) => (error instanceof PeerRefusal ? error.refusal : 'refused'),
  );
  return { answer, closed, holds: victim.session.registry.heldOf(liar.id).length };
}

/** A stranger passes on 64 onions that nobody has, and one of them is ours. */
async function gossips(context: TestContext): Promise<Ending> {
  const { owner, world } = await proved(context, 1000, 'storer');
  const liar = await world.add('liar');
  await liar.init('generated');
  const before = owner.session.registry.peers().length;
  for (let call = 0; call < 4; call += 1) {
    const fakes = Array.from({ length: PEER_EXCHANGE_PEERS - 1 }, (_, index) =>
      onionIdFromPubkey(ed25519Pair(noiseOf(`fake ${call} ${index}`, 32)).pubkey),
    );
    await liar.session.client.exchangePeers(owner.id, { peers: [owner.id, ...fakes], unlisted: false });
  }
  const peers = owner.session.registry.peers();
  return {
    remembered: peers.length - before,
    ourselves: peers.some(({ onionId }) => onionId === owner.id),
    contracts: owner.session.registry.contracts().length,
  };
}

export const PEERS: readonly Adversary[] = [
  {
    number: 21,
    name: 'contract terms with absurd numbers',
    does: 'proposes 2^63 bytes, minus one byte, no hold, endless grace',
    play: absurd,
    expected: { answers: 'TERMS_REJECTED', accepted: false, state: 'none' },
    defence: 'every number of terms has a range, and terms outside do not decode',
    without: [{ file: 'core/contract/terms.ts', find: 'if (defect !== undefined) throw bad(defect);', put: '' }],
    succeeds: { answers: 'TERMS_REJECTED', accepted: true, state: 'PROPOSED' },
  },
  {
    number: 22,
    name: 'signs different terms to each side',
    does: 'shows terms with a signature of other ones, and closes',
    play: twoFaced,
    expected: { answer: 'TERMS_REJECTED', state: 'NO_CONTRACT' },
    defence: 'a signature is verified over the very bytes that are kept',
    without: [
      {
        file: 'daemon/answer-proposal.ts',
        find: "if (!isTermsSignature(bytes, terms, 'proposer', signature)) throw",
        put: 'if (signature.length === 0) throw',
      },
    ],
    succeeds: { answer: 'ACCEPTED', state: 'ACTIVE' },
  },
  {
    number: 26,
    name: '64 fake onions per call, and our own',
    does: 'a stranger that gossips onions which nobody has',
    play: gossips,
    expected: { remembered: 0, ourselves: false, contracts: 1 },
    defence: 'hints of strangers are not kept',
    without: [{ file: 'daemon/exchange-peers.ts', find: 'if (!isTrusted(session, introducer)) return;', put: '' }],
    succeeds: { remembered: 127, ourselves: false, contracts: 1 },
  },
  {
    number: 27,
    name: 'never accepts a dial-back',
    does: 'proposes and closes a contract from an onion that cannot be dialled',
    play: neverDialled,
    expected: { answer: 'ACCEPTED', closed: 'TERMS_REJECTED', holds: 0 },
    defence: 'a proposer is dialled back before its contract stands',
    without: [
      {
        file: 'daemon/answer-proposal.ts',
        find: "catch(() => {\n    throw new PeerRefusal('TERMS_REJECTED');\n  });",
        put: 'catch(() => undefined);',
      },
    ],
    succeeds: { answer: 'ACCEPTED', closed: 'ACTIVE', holds: 0 },
  },
];
