// `bb contracts accept` and `reject`: the word of a person about terms that a peer proposed. The answer is durable first and
// reaches the peer now, or at the next contact.

import { termsDigest, termsMessage } from '../core/contract/terms.ts';
import { BbError } from '../core/errors.ts';
import { formatBytes } from '../core/format-bytes.ts';
import type { OnionId } from '../core/ids.ts';
import type { OpenTermsRecord } from '../core/records.ts';
import { PeerRefusal } from '../core/refusal.ts';
import { pendingOf } from './answer-proposal.ts';
import { giveBytesOf } from './agreed-bytes.ts';
import { dropOpen, isOwnTerms, keepAcceptance, openTerms, promisableBytes } from './contracts.ts';
import { markDirty } from './dirty.ts';
import { planFor } from './plan.ts';
import { sayAccepted } from './propose-contract.ts';
import type { Session } from './session.ts';

/** True when the peer knows already. NOT_FOUND when nothing waits, OVER_BUDGET. The peer counts as approved from now on. */
export async function acceptProposal(session: Session, peer: OnionId, signal: AbortSignal): Promise<boolean> {
  const open = await session.proposalLock.run(() => sign(session, peer));
  planFor(session, 'presence', peer, 0);
  return sayAccepted(session, peer, open.terms, signal).then(
    () => true,
    (error: unknown) => unlessRefused(session, peer, error),
  );
}

/**
 * Says no to the peer's terms, or takes ours back while the peer has not signed them. True when the peer knows already.
 * NOT_FOUND when nothing waits.
 */
export async function rejectProposal(session: Session, peer: OnionId, signal: AbortSignal): Promise<boolean> {
  const own = ownUnanswered(session, peer);
  const open = own ?? requirePending(session, peer);
  await dropOpen(session, peer, open.terms, own === undefined ? 'rejected by its user' : 'taken back by its user');
  const none = Buffer.alloc(0);
  const word = own === undefined ? 'REJECTED' : 'WITHDRAWN';
  return session.client.acceptContract(peer, termsDigest(open.terms), false, none, word, { signal }).then(
    () => true,
    (error: unknown) => error instanceof PeerRefusal, // who refuses has no such terms; another asks again, and is judged
  );
}

async function sign(session: Session, peer: OnionId): Promise<OpenTermsRecord> {
  const open = requirePending(session, peer);
  const budget = promisableBytes(session, peer);
  if (giveBytesOf(session, open.terms) > budget) {
    throw new BbError('OVER_BUDGET', `the storage budget has ${formatBytes(budget)} left, less than the peer asks for`);
  }
  await session.registry.updatePeer(peer, (known) => {
    if (known === undefined) throw new BbError('UNKNOWN_PEER', 'the peer is gone');
    return { ...known, added: true };
  });
  await keepAcceptance(session, peer, open.terms, session.keyring.sign(termsMessage(open.terms)));
  await markDirty(session);
  return open;
}

function ownUnanswered(session: Session, peer: OnionId): OpenTermsRecord | undefined {
  const open = openTerms(session.registry.contract(peer));
  if (open === undefined || open.acceptorSignature.length > 0) return undefined;
  return isOwnTerms(session, open.terms) ? open : undefined;
}

function requirePending(session: Session, peer: OnionId): OpenTermsRecord {
  const open = pendingOf(session, peer);
  if (open === undefined) throw new BbError('NOT_FOUND', 'no proposal of this peer waits for you');
  return open;
}

/** A peer that withdrew is an answer; one that is offline hears it at the next contact. */
async function unlessRefused(session: Session, peer: OnionId, error: unknown): Promise<boolean> {
  if (error instanceof BbError && error.code === 'REFUSED_BY_PEER') throw error;
  session.deps.log.debug('the acceptance could not be told yet', { peer, detail: String(error) });
  return false;
}
