// Agreeing on terms, both sides. A contract is ACTIVE when both signatures are known and the peer was
// reached at its onion. One contract per pair: when proposals cross, that of the smaller key stands.
// Invariant: nothing is stored for an identity before both signatures are durable here.

import { acceptableBytes, decideProposal } from '../core/contract/default-policy.ts';
import { DEFAULT_TERMS } from '../core/contract/default-terms.ts';
import { STATE_EFFECTS } from '../core/contract/effects.ts';
import { newContract, stepContract } from '../core/contract/machine.ts';
import type { ContractEvent } from '../core/contract/machine.ts';
import { doesOwnProposalStand, isTermsSignature, ownSide } from '../core/contract/sides.ts';
import type { ContractState } from '../core/contract/state.ts';
import { decodeTerms, encodeTerms, termsDefect, termsDigest, termsMessage } from '../core/contract/terms.ts';
import type { Terms } from '../core/contract/terms.ts';
import { BbError } from '../core/errors.ts';
import { pubkeyFromOnionId } from '../core/ids.ts';
import type { OnionId } from '../core/ids.ts';
import type { ContractRecord } from '../core/records.ts';
import { PeerRefusal } from '../core/refusal.ts';
import type { ProposalAnswer, SignedTerms } from '../ports/peer-client.ts';
import { markDirty } from './dirty.ts';
import type { ProposeArgs, ProposeUpdate } from './local-api.ts';
import { plan, planFor } from './plan.ts';
import { meetPeer } from './presence.ts';
import { remainingOf } from './remaining.ts';
import { freshReplica } from './replica.ts';
import { reasonSentence } from './reason-sentences.ts';
import type { Session } from './session.ts';

/** States in which signed terms stand and a new proposal would be an amendment. */
const STANDING = new Set<ContractState>(['ACTIVE', 'DEGRADED', 'GRACE', 'EXPIRED', 'ENDING']);

export function isStanding(state: ContractState): boolean {
  return STANDING.has(state);
}

/** `bb contracts propose`: ends with success, a refusal, or waiting for a person at the peer. */
export async function* proposeContract(
  session: Session,
  peer: OnionId,
  args: ProposeArgs,
  signal: AbortSignal,
): AsyncGenerator<Omit<ProposeUpdate, 'contract'>> {
  const old = session.registry.contract(peer);
  if (old !== undefined && STANDING.has(old.state)) {
    throw new BbError('EXISTS', 'there is a contract with this peer already', { hint: 'See bb contracts show.' });
  }
  yield { state: 'CONNECTING_TO_PEER', success: false, reason: '' };
  await meetPeer(session, peer, signal);
  const bytes = await session.proposalLock.run(() => ownProposal(session, peer, args));
  yield { state: 'PROPOSING_CONTRACT', success: false, reason: '' };
  const signature = session.keyring.sign(termsMessage(bytes));
  const answer = await session.client.proposeContract(peer, bytes, signature, { signal });
  if (answer.answer === 'PENDING') {
    yield { state: 'PENDING_PERSON', success: false, reason: reasonSentence(answer.reason) };
    return;
  }
  if (answer.answer === 'REJECTED') {
    await step(session, peer, { kind: 'rejected' }, bytes);
    yield { state: 'PEER_REFUSED', success: false, reason: reasonSentence(answer.reason) };
    return;
  }
  await closeOwnProposal(session, peer, bytes, answer, signal);
  yield { state: 'COMPLETED', success: true, reason: '' };
}

/** The task: an acceptor that answered may have heard the closing word, or not; it is said again until it answers. */
export async function closeProposal(session: Session, peer: OnionId, signal: AbortSignal): Promise<void> {
  const contract = session.registry.contract(peer);
  if (contract?.state !== 'PROPOSED' || contract.acceptorSignature.length === 0 || !isOwn(session, contract)) return;
  await sayAccepted(session, peer, contract.terms, signal);
}

/**
 * A peer's proposal. Idempotent: the same terms get the same answer. One at a time, because each is judged by what is
 * promised to all others.
 */
export function answerProposal(
  session: Session,
  caller: OnionId,
  bytes: Buffer,
  signature: Buffer,
): Promise<ProposalAnswer> {
  return session.proposalLock.run(() => judgeProposal(session, caller, bytes, signature));
}

async function judgeProposal(
  session: Session,
  caller: OnionId,
  bytes: Buffer,
  signature: Buffer,
): Promise<ProposalAnswer> {
  const terms = decodeOrRefuse(bytes);
  if (!isTermsSignature(bytes, terms, 'proposer', signature)) throw new PeerRefusal('TERMS_REJECTED');
  const old = session.registry.contract(caller);
  if (old !== undefined && old.terms.equals(bytes) && old.acceptorSignature.length > 0) {
    return { answer: 'ACCEPTED', signature: old.acceptorSignature, reason: '' };
  }
  if (
    old?.state === 'PROPOSED' &&
    isOwn(session, old) &&
    doesOwnProposalStand(session.keyring.pubkey, pubkeyFromOnionId(caller))
  ) {
    return { answer: 'REJECTED', signature: Buffer.alloc(0), reason: 'CROSSED' };
  }
  if (old !== undefined && STANDING.has(old.state)) {
    return { answer: 'REJECTED', signature: Buffer.alloc(0), reason: 'EXISTS' };
  }
  const decision = decideProposal(terms, {
    caller: pubkeyFromOnionId(caller),
    self: session.keyring.pubkey,
    lastVersion: old === undefined || old.state === 'PROPOSED' ? 0 : decodeTerms(old.terms).version,
    added: session.registry.peer(caller)?.added === true,
    limitBytes: session.settings.storageLimitBytes,
    promisedBytes: promisedBytes(session, caller, () => true),
    promisedToStrangersBytes: promisedBytes(session, caller, (peer) => session.registry.peer(peer)?.added !== true),
  });
  session.bus.emit('proposal-received', { peer: caller, answer: decision.answer, reason: decision.word });
  const none = Buffer.alloc(0);
  if (decision.answer === 'REJECTED') return { answer: 'REJECTED', signature: none, reason: decision.word };
  // Nothing is kept of what a person has to decide first: the proposer asks again once it was added.
  if (decision.answer === 'PENDING') return { answer: 'PENDING', signature: none, reason: decision.word };
  const own = session.keyring.sign(termsMessage(bytes));
  await keepProposal(session, caller, bytes, signature, own);
  return { answer: 'ACCEPTED', signature: own, reason: '' };
}

/** The proposer closes: it has our signature. We become ACTIVE first, if we can dial it back. */
export async function answerAccept(
  session: Session,
  caller: OnionId,
  digest: Buffer,
  accept: boolean,
): Promise<{ readonly state: ContractState | undefined }> {
  const contract = session.registry.contract(caller);
  if (contract === undefined || !termsDigest(contract.terms).equals(digest)) throw new PeerRefusal('NO_CONTRACT');
  if (contract.state !== 'PROPOSED') return { state: contract.state };
  if (!accept) return { state: (await step(session, caller, { kind: 'rejected' }, contract.terms)).state };
  if (contract.acceptorSignature.length === 0) throw new PeerRefusal('NO_CONTRACT');
  // No byte is stored for an identity that cannot be reached at its onion.
  await meetPeer(session, caller, session.scheduler.signal).catch(() => {
    throw new PeerRefusal('TERMS_REJECTED');
  });
  const { state } = await step(session, caller, { kind: 'agreed' }, contract.terms);
  await agreed(session, caller);
  return { state };
}

export function signedTerms(session: Session, caller: OnionId): SignedTerms | undefined {
  const contract = session.registry.contract(caller);
  if (contract === undefined) return undefined;
  return {
    terms: contract.terms,
    proposerSignature: contract.proposerSignature,
    acceptorSignature: contract.acceptorSignature,
    state: contract.state,
    remainingSeconds: remainingOf(session, contract),
  };
}

/** Bytes promised to all peers but `except`, by contracts that bind us. */
export function promisedBytes(
  session: Session,
  except: OnionId | undefined,
  counts: (peer: OnionId) => boolean,
): number {
  return session.registry
    .contracts()
    .filter((contract) => contract.peer !== except && STATE_EFFECTS[contract.state].promised && counts(contract.peer))
    .reduce((sum, contract) => sum + giveBytes(session, contract), 0);
}

/** What we promised to store under this contract. */
export function giveBytes(session: Session, contract: ContractRecord): number {
  return ownSide(decodeTerms(contract.terms), session.keyring.pubkey)?.giveBytes ?? 0;
}

function isOwn(session: Session, contract: ContractRecord): boolean {
  return ownSide(decodeTerms(contract.terms), session.keyring.pubkey)?.proposedByUs === true;
}

function decodeOrRefuse(bytes: Buffer): Terms {
  try {
    return decodeTerms(bytes);
  } catch (error) {
    if (error instanceof BbError) throw new PeerRefusal('TERMS_REJECTED');
    throw error;
  }
}

/** The same open proposal is repeated byte for byte, so that a lost reply does no harm. */
async function ownProposal(session: Session, peer: OnionId, args: ProposeArgs): Promise<Buffer> {
  const budget = acceptableBytes(
    session.settings.storageLimitBytes,
    promisedBytes(session, peer, () => true),
  );
  if (args.giveBytes > budget) {
    throw new BbError('OVER_BUDGET', `the storage budget has ${budget} bytes left, less than you want to give`);
  }
  const old = session.registry.contract(peer);
  const terms: Terms = {
    ...DEFAULT_TERMS,
    version: (old === undefined ? 0 : decodeTerms(old.terms).version) + 1,
    proposer: session.keyring.pubkey,
    acceptor: pubkeyFromOnionId(peer),
    bytesProposer: args.getBytes,
    bytesAcceptor: args.giveBytes,
    durationSeconds: args.durationSeconds,
    holdSeconds: args.holdSeconds === 0 ? DEFAULT_TERMS.holdSeconds : args.holdSeconds,
    nonce: session.deps.random.bytes(16),
  };
  const defect = termsDefect(terms);
  if (defect !== undefined) throw new BbError('USAGE', `these terms cannot be offered: ${defect}`);
  const bytes = encodeTerms(terms);
  const repeated = old?.state === 'PROPOSED' && isOwn(session, old) && isSameOffer(old.terms, bytes);
  if (repeated) return old.terms;
  await keepProposal(session, peer, bytes, session.keyring.sign(termsMessage(bytes)), Buffer.alloc(0));
  return bytes;
}

function isSameOffer(a: Buffer, b: Buffer): boolean {
  const [one, two] = [decodeTerms(a), decodeTerms(b)];
  return encodeTerms({ ...one, nonce: two.nonce, version: two.version }).equals(b);
}

async function closeOwnProposal(
  session: Session,
  peer: OnionId,
  bytes: Buffer,
  answer: ProposalAnswer,
  signal: AbortSignal,
): Promise<void> {
  const terms = decodeTerms(bytes);
  if (!isTermsSignature(bytes, terms, 'acceptor', answer.signature)) {
    throw new BbError('BAD_PEER_DATA', 'the peer accepted with a wrong signature');
  }
  await session.registry.updateContract(peer, (contract) => {
    if (contract?.terms.equals(bytes) !== true) throw new BbError('CONFLICT', 'a proposal of the peer crossed ours');
    return { ...contract, acceptorSignature: answer.signature };
  });
  await sayAccepted(session, peer, bytes, signal);
}

/** Our closing word makes the acceptor ACTIVE first; only when it says so do we follow. */
async function sayAccepted(session: Session, peer: OnionId, bytes: Buffer, signal: AbortSignal): Promise<void> {
  const own = session.keyring.sign(termsMessage(bytes));
  const { state } = await session.client.acceptContract(peer, termsDigest(bytes), true, own, '', { signal });
  if (state === undefined || !STANDING.has(state)) {
    throw new BbError('REFUSED_BY_PEER', 'the peer does not stand by the proposal any more');
  }
  if (session.registry.contract(peer)?.state !== 'PROPOSED') return;
  await step(session, peer, { kind: 'agreed' }, bytes);
  await agreed(session, peer);
}

async function agreed(session: Session, peer: OnionId): Promise<void> {
  session.bus.emit('contract-active', { peer });
  await markDirty(session);
  plan(session, 'backup', 0);
  planFor(session, 'presence', peer, 0);
  planFor(session, 'publish', peer, session.deps.periods.publishDebounce);
}

function keepProposal(
  session: Session,
  peer: OnionId,
  terms: Buffer,
  proposerSignature: Buffer,
  acceptorSignature: Buffer,
): Promise<ContractRecord> {
  return session.registry.updateContract(peer, (old) => ({
    peer,
    terms,
    proposerSignature,
    acceptorSignature,
    ...newContract(session.node.countedSeconds),
    reason: '',
    sinceMs: session.deps.clock.nowMs(),
    replica: old?.replica ?? freshReplica(),
    theirLatestKnown: old?.theirLatestKnown ?? Buffer.alloc(0),
    theirPull: 'NONE',
    ourRemainingSeconds: 0,
    reachedSeconds: session.node.countedSeconds,
    provedSeconds: session.node.countedSeconds,
  }));
}

/** `only`: nothing changes if other terms than these stand there by now. */
/** Moves the contract by an event of the two sides; time is the business of the tick. */
export function step(
  session: Session,
  peer: OnionId,
  event: Extract<ContractEvent, { kind: 'agreed' | 'rejected' | 'ended' }>,
  only: Buffer,
): Promise<ContractRecord> {
  return session.registry.updateContract(peer, (contract) => {
    if (contract === undefined) throw new BbError('CONFLICT', 'the contract is gone');
    if (!contract.terms.equals(only)) return contract;
    const { next } = stepContract(contract, event, {
      nowSeconds: session.node.countedSeconds,
      terms: decodeTerms(contract.terms),
      added: session.registry.peer(peer)?.added === true,
    });
    const changed = next.state !== contract.state;
    return { ...contract, ...next, sinceMs: changed ? session.deps.clock.nowMs() : contract.sinceMs };
  });
}
