// What a contract of this node says and how it moves: the standing terms, the terms that are still open, the promises
// that follow. Proposing, answering and ending are use cases of their own (propose-contract, answer-proposal,
// decide-proposal, end-contract).
// Invariant: nothing is stored for an identity before both signatures are durable here.

import { acceptableBytes } from '../core/contract/default-policy.ts';
import { STATE_EFFECTS } from '../core/contract/effects.ts';
import { newContract, stepContract } from '../core/contract/machine.ts';
import type { ContractEvent } from '../core/contract/machine.ts';
import { ownSide } from '../core/contract/sides.ts';
import type { ContractState } from '../core/contract/state.ts';
import { decodeTerms, signedTermsOf } from '../core/contract/terms.ts';
import type { Terms } from '../core/contract/terms.ts';
import { oldHoldAfter, withStep } from '../core/contract/transition.ts';
import { BbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import type { ContractRecord, OpenTermsRecord } from '../core/records.ts';
import { PeerRefusal } from '../core/refusal.ts';
import type { SignedTerms } from '../ports/peer-client.ts';
import { giveBytes, giveBytesOf } from './agreed-bytes.ts';
import { markDirty } from './dirty.ts';
import { newContractRecord } from './new-contract.ts';
import { plan, planFor } from './plan.ts';
import { remainingOf } from './remaining.ts';
import type { Session } from './session.ts';
import { planDrop } from './superseded.ts';

/** States in which signed terms stand and a new proposal is an amendment. */
const STANDING = new Set<ContractState>(['ACTIVE', 'DEGRADED', 'GRACE', 'EXPIRED', 'ENDING']);

export function isStanding(state: ContractState): boolean {
  return STANDING.has(state);
}

/**
 * The terms that wait for a signature or a closing word: a first proposal, or an amendment of standing ones, which ends with
 * these.
 */
export function openTerms(contract: ContractRecord | undefined): OpenTermsRecord | undefined {
  if (contract === undefined || contract.state === 'RELEASED') return undefined;
  if (contract.state !== 'PROPOSED') return contract.amendment;
  const { terms, proposerSignature, acceptorSignature, sinceMs } = contract;
  return { terms, proposerSignature, acceptorSignature, sinceMs };
}

/** The peer knows of no such terms, and is not one that rebuilds itself and will know of them again. */
export function isUnknownThere(session: Session, peer: OnionId, error: unknown): boolean {
  return error instanceof PeerRefusal && error.refusal === 'NO_CONTRACT' && !session.recoveringPeers.has(peer);
}

/** An acceptance or a notice that the peer has not answered: no person there has to be asked. */
export function isWordDue(contract: ContractRecord): boolean {
  const accepted = openTerms(contract)?.acceptorSignature.length ?? 0;
  return accepted > 0 || contract.noticeGivenSeconds >= 0;
}

/**
 * Writes down open terms, in place of older ones. A first proposal is a new contract: the peer holds nothing of ours under
 * it, and what it held under one that ended is no copy that it could lose. What it was given once more stays counted.
 */
export async function keepOpen(session: Session, peer: OnionId, open: Omit<OpenTermsRecord, 'sinceMs'>): Promise<void> {
  const sinceMs = session.deps.clock.nowMs();
  let ended: readonly Buffer[] = [];
  await session.registry.updateContract(peer, (old) => {
    if (old !== undefined && isStanding(old.state)) return { ...old, amendment: { ...open, sinceMs } };
    const fresh = newContractRecord(session, peer, open, newContract(session.node.countedSeconds));
    if (old === undefined) return fresh;
    const { replica, theirLatestKnown, transitions, conduct } = old;
    ended = [...replica.lists, replica.proved];
    return { ...fresh, replica: { ...fresh.replica, loss: replica.loss }, theirLatestKnown, transitions, conduct };
  });
  if (ended.length > 0) planDrop(session, ended);
}

/** The acceptor's signature of open terms, verified by the caller; CONFLICT when other terms are open by now. */
export function keepAcceptance(
  session: Session,
  peer: OnionId,
  terms: Buffer,
  acceptorSignature: Buffer,
): Promise<unknown> {
  return session.registry.updateContract(peer, (contract) => {
    const open = openTerms(contract);
    if (contract === undefined || open?.terms.equals(terms) !== true) {
      throw new BbError('CONFLICT', 'a proposal of the peer crossed ours');
    }
    if (contract.state === 'PROPOSED') return { ...contract, acceptorSignature };
    return { ...contract, amendment: { ...open, acceptorSignature } };
  });
}

/** Both signatures are known and the other side stands by them: the open terms are the terms. Idempotent. */
export async function settle(session: Session, peer: OnionId, terms: Buffer): Promise<ContractState> {
  let agreed: 'first' | 'again' | undefined;
  const { state } = await session.registry.updateContract(peer, (contract) => {
    if (contract === undefined) throw new BbError('CONFLICT', 'the contract is gone');
    if (openTerms(contract)?.terms.equals(terms) !== true) return contract;
    agreed = contract.state === 'PROPOSED' ? 'first' : 'again';
    if (agreed === 'first') return begun(session, contract);
    return amended(session, contract);
  });
  if (agreed === undefined) return state;
  session.bus.emit(agreed === 'first' ? 'contract-active' : 'contract-amended', { peer });
  session.peerStates.delete(peer); // what it said of a contract before this one
  await markDirty(session);
  plan(session, 'backup', 0);
  planFor(session, session.client.isConnected(peer) ? 'ask' : 'presence', peer, 0);
  planFor(session, 'publish', peer, session.deps.periods.publishDebounce);
  return state;
}

/** Open terms that will not be agreed: a first proposal ends, an amendment leaves the standing terms as they are. */
export async function dropOpen(session: Session, peer: OnionId, terms: Buffer, reason: string): Promise<void> {
  await session.registry.updateContract(peer, (contract) => {
    if (contract === undefined) throw new BbError('CONFLICT', 'the contract is gone');
    if (openTerms(contract)?.terms.equals(terms) !== true) return contract;
    if (contract.state === 'PROPOSED') return stepped(session, contract, { kind: 'rejected' }, reason);
    return { ...contract, amendment: undefined };
  });
  session.bus.emit('proposal-closed', { peer, reason });
  plan(session, 'backup', 0);
}

/** Until the peer says what it keeps for us, it is what it has just signed. */
function begun(session: Session, contract: ContractRecord): ContractRecord {
  const ourRemainingSeconds = decodeTerms(contract.terms).graceInitialSeconds;
  return { ...stepped(session, contract, { kind: 'agreed' }, ''), ourRemainingSeconds };
}

function amended(session: Session, contract: ContractRecord): ContractRecord {
  const { amendment } = contract;
  if (amendment === undefined) return contract;
  const { terms, proposerSignature, acceptorSignature } = amendment;
  const oldHold = oldHoldAfter(contract, decodeTerms(contract.terms), decodeTerms(terms), session.node.countedSeconds);
  return { ...contract, terms, proposerSignature, acceptorSignature, amendment: undefined, oldHold };
}

/** Moves the contract by an event between the two sides; time is the business of the tick. */
export async function step(
  session: Session,
  peer: OnionId,
  event: Exclude<ContractEvent, { kind: 'tick' }>,
  reason: string,
): Promise<ContractRecord> {
  let from: ContractState = 'RELEASED';
  const after = await session.registry.updateContract(peer, (contract) => {
    if (contract === undefined) throw new BbError('CONFLICT', 'the contract is gone');
    from = contract.state;
    return stepped(session, contract, event, reason);
  });
  if (after.state !== from) session.bus.emit('contract-state', { peer, from, to: after.state, reason });
  plan(session, 'backup', 0);
  return after;
}

function stepped(session: Session, contract: ContractRecord, event: ContractEvent, reason: string): ContractRecord {
  const nowSeconds = session.node.countedSeconds;
  const terms = signedTermsOf(contract.terms);
  const added = session.registry.peer(contract.peer)?.added === true;
  const { next } = stepContract(contract, event, { nowSeconds, terms, added });
  return withStep(contract, next, { event: event.kind, reason, atMs: session.deps.clock.nowMs(), nowSeconds, terms });
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
    .filter(({ peer }) => peer !== except && counts(peer))
    .reduce((sum, contract) => sum + promisedTo(session, contract), 0);
}

/** Bytes that the user's limit still lets us promise, with what is promised to `except` not counted. */
export function promisableBytes(session: Session, except: OnionId | undefined): number {
  return acceptableBytes(
    session.settings.storageLimitBytes,
    promisedBytes(session, except, () => true),
  );
}

/** An amendment that we signed binds as well: the larger of the two is promised until it is settled. */
function promisedTo(session: Session, contract: ContractRecord): number {
  if (!STATE_EFFECTS[contract.state].promised) return 0;
  const open = openTerms(contract);
  const isSigned = open !== undefined && (isOwnTerms(session, open.terms) || open.acceptorSignature.length > 0);
  const opened = isSigned ? giveBytesOf(session, open.terms) : 0;
  return contract.state === 'PROPOSED' ? opened : Math.max(giveBytes(session, contract), opened);
}

/** We proposed these terms. */
export function isOwnTerms(session: Session, terms: Buffer): boolean {
  return ownSide(decodeTerms(terms), session.keyring.pubkey)?.proposedByUs === true;
}

export function decodeOrRefuse(bytes: Buffer): Terms {
  try {
    return decodeTerms(bytes);
  } catch (error) {
    if (error instanceof BbError) throw new PeerRefusal('TERMS_REJECTED');
    throw error;
  }
}
