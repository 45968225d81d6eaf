// A peer's proposal, its closing word, or its refusal of ours. What policy cannot accept by itself waits for a person, kept
// within a bound. Idempotent: the same terms get the same answer.
// Invariant: one proposal at a time, because each is judged by what is promised to all others.

import { decideProposal } from '../core/contract/default-policy.ts';
import { hasFailedBefore } from '../core/contract/failed-before.ts';
import { doesOwnProposalStand, isTermsSignature } from '../core/contract/sides.ts';
import type { ContractState } from '../core/contract/state.ts';
import { decodeTerms, termsDigest, termsMessage } from '../core/contract/terms.ts';
import type { Terms } from '../core/contract/terms.ts';
import { pubkeyFromOnionId } from '../core/ids.ts';
import type { OnionId } from '../core/ids.ts';
import { PEERS, PENDING_PROPOSALS } from '../core/limits.ts';
import type { ContractRecord, OpenTermsRecord } from '../core/records.ts';
import { PeerRefusal } from '../core/refusal.ts';
import type { ProposalAnswer } from '../ports/peer-client.ts';
import {
  decodeOrRefuse,
  dropOpen,
  isOwnTerms,
  isStanding,
  keepAcceptance,
  keepOpen,
  openTerms,
  promisedBytes,
  settle,
} from './contracts.ts';
import { newPeer } from './new-peer.ts';
import { reachPeer } from './presence.ts';
import { reasonSentence } from './reason-sentences.ts';
import type { Session } from './session.ts';

const NONE = Buffer.alloc(0);

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
  const contract = session.registry.contract(caller);
  const known = signedAlready(contract, bytes);
  if (known !== undefined) return { answer: 'ACCEPTED', signature: known, reason: '' };
  const conflict = conflictWith(session, caller, contract);
  if (conflict !== undefined) return { answer: 'REJECTED', signature: NONE, reason: conflict };
  const decision = decideProposal(terms, factsOf(session, caller, contract));
  // Asked again at every contact for as long as our user has not decided: that is no other proposal.
  const isWaiting = decision.answer === 'PENDING' && openTerms(contract)?.terms.equals(bytes) === true;
  if (!isWaiting)
    session.bus.emit('proposal-received', { peer: caller, answer: decision.answer, reason: decision.word });
  if (decision.answer === 'REJECTED') return { answer: 'REJECTED', signature: NONE, reason: decision.word };
  if (decision.answer === 'PENDING') {
    const isKept = await keepPending(session, caller, bytes, signature);
    return { answer: isKept ? 'PENDING' : 'REJECTED', signature: NONE, reason: isKept ? decision.word : 'BUSY' };
  }
  if (!(await becomesKnown(session, caller))) return { answer: 'REJECTED', signature: NONE, reason: 'BUSY' };
  const own = session.keyring.sign(termsMessage(bytes));
  await keepOpen(session, caller, { terms: bytes, proposerSignature: signature, acceptorSignature: own });
  return { answer: 'ACCEPTED', signature: own, reason: '' };
}

/** Our signature of these very terms, open or standing. */
function signedAlready(contract: ContractRecord | undefined, bytes: Buffer): Buffer | undefined {
  if (contract === undefined || contract.state === 'RELEASED') return undefined;
  for (const { terms, acceptorSignature } of [contract, contract.amendment ?? contract]) {
    if (terms.equals(bytes) && acceptorSignature.length > 0) return acceptorSignature;
  }
  return undefined;
}

/** When proposals cross, that of the smaller key stands. */
function conflictWith(session: Session, caller: OnionId, contract: ContractRecord | undefined): string | undefined {
  if (contract?.state === 'ENDING') return 'ENDING';
  const open = openTerms(contract);
  const isOwn = open !== undefined && isOwnTerms(session, open.terms);
  return isOwn && doesOwnProposalStand(session.keyring.pubkey, pubkeyFromOnionId(caller)) ? 'CROSSED' : undefined;
}

function factsOf(session: Session, caller: OnionId, contract: ContractRecord | undefined) {
  const standing = contract !== undefined && isStanding(contract.state) ? decodeTerms(contract.terms) : undefined;
  const isStranger = (peer: OnionId): boolean => session.registry.peer(peer)?.added !== true;
  return {
    caller: pubkeyFromOnionId(caller),
    self: session.keyring.pubkey,
    lastVersion: contract === undefined || contract.state === 'PROPOSED' ? 0 : decodeTerms(contract.terms).version,
    standing,
    added: !isStranger(caller),
    approval: session.settings.approval,
    hasFailed: contract !== undefined && hasFailedBefore(contract),
    limitBytes: session.settings.storageLimitBytes,
    peerLimitBytes: session.registry.peer(caller)?.limitBytes ?? 0,
    promisedBytes: promisedBytes(session, caller, () => true),
    promisedToStrangersBytes: promisedBytes(session, caller, isStranger),
  };
}

/** False when as many proposals wait for a person as are kept. */
async function keepPending(session: Session, caller: OnionId, terms: Buffer, signature: Buffer): Promise<boolean> {
  const { registry } = session;
  const isRepeat = openTerms(registry.contract(caller)) !== undefined;
  const waiting = registry.contracts().filter(({ peer }) => peer !== caller && pendingOf(session, peer) !== undefined);
  if (!isRepeat && waiting.length >= PENDING_PROPOSALS) return false;
  if (!(await becomesKnown(session, caller))) return false;
  await keepOpen(session, caller, { terms, proposerSignature: signature, acceptorSignature: NONE });
  return true;
}

/** Whoever has terms with us can be named by our user. False when no more peers can be known. */
async function becomesKnown(session: Session, caller: OnionId): Promise<boolean> {
  const { registry } = session;
  if (registry.peer(caller) !== undefined) return true;
  if (registry.peers().length >= PEERS) return false;
  await registry.updatePeer(caller, (old) => old ?? newPeer(session, caller));
  return true;
}

/** A peer's terms that wait for a word of our user. */
export function pendingOf(session: Session, peer: OnionId): OpenTermsRecord | undefined {
  const open = openTerms(session.registry.contract(peer));
  if (open === undefined || open.acceptorSignature.length > 0) return undefined;
  return isOwnTerms(session, open.terms) ? undefined : open;
}

/**
 * The other side closes: the proposer says that it has our signature, or the acceptor brings its own after a person
 * decided. We take the terms first, if we can dial it back. NO_CONTRACT for other terms than the open or standing ones.
 */
export async function answerAccept(
  session: Session,
  caller: OnionId,
  word: { readonly digest: Buffer; readonly accept: boolean; readonly signature: Buffer; readonly reason: string },
): Promise<{ readonly state: ContractState | undefined }> {
  const contract = session.registry.contract(caller);
  const open = openTerms(contract);
  if (contract === undefined || open === undefined || !termsDigest(open.terms).equals(word.digest)) {
    if (contract !== undefined && termsDigest(contract.terms).equals(word.digest)) return { state: contract.state };
    throw new PeerRefusal('NO_CONTRACT');
  }
  if (!word.accept) {
    await dropOpen(session, caller, open.terms, reasonSentence(word.reason));
    return { state: session.registry.contract(caller)?.state };
  }
  await takeSignature(session, caller, open, word.signature);
  // No byte is stored for an identity that cannot be reached at its onion.
  await reachPeer(session, caller, session.scheduler.signal).catch(() => {
    throw new PeerRefusal('TERMS_REJECTED');
  });
  return { state: await settle(session, caller, open.terms) };
}

async function takeSignature(
  session: Session,
  caller: OnionId,
  open: OpenTermsRecord,
  signature: Buffer,
): Promise<void> {
  if (open.acceptorSignature.length > 0) return;
  const terms: Terms = decodeTerms(open.terms);
  const isOurs = isOwnTerms(session, open.terms);
  if (!isOurs) throw new PeerRefusal('NO_CONTRACT'); // its own terms, and our user has not accepted them
  if (!isTermsSignature(open.terms, terms, 'acceptor', signature)) throw new PeerRefusal('TERMS_REJECTED');
  await keepAcceptance(session, caller, open.terms, signature);
}
