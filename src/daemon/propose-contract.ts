// `bb contracts propose` and `amend`: our terms are written down, signed and offered; when the peer has signed, the
// closing word makes the other side ACTIVE first. Whatever is cut off in between is said again at the next contact.
// Invariant: the same open proposal is repeated byte for byte, so that a lost reply does no harm.

import { isTooSmall } from '../core/contract/default-policy.ts';
import { DEFAULT_TERMS, STRANGER_GRACE_SECONDS } from '../core/contract/default-terms.ts';
import { isTermsSignature, ownSide } from '../core/contract/sides.ts';
import {
  decodeTerms,
  encodeTerms,
  TERMS_RANGES,
  termsDefect,
  termsDigest,
  termsMessage,
} from '../core/contract/terms.ts';
import type { Terms } from '../core/contract/terms.ts';
import { BbError } from '../core/errors.ts';
import { formatBytes } from '../core/format-bytes.ts';
import { pubkeyFromOnionId } from '../core/ids.ts';
import type { OnionId } from '../core/ids.ts';
import { TERMS_MIN_BYTES } from '../core/limits.ts';
import type { ContractRecord } from '../core/records.ts';
import { PeerRefusal } from '../core/refusal.ts';
import { pendingOf } from './answer-proposal.ts';
import {
  dropOpen,
  isOwnTerms,
  isStanding,
  isUnknownThere,
  keepAcceptance,
  keepOpen,
  openTerms,
  promisableBytes,
  settle,
} from './contracts.ts';
import type { ProposeArgs, ProposeUpdate } from './local-api.ts';
import { meetPeer } from './presence.ts';
import { reasonSentence } from './reason-sentences.ts';
import type { Session } from './session.ts';

type Update = Omit<ProposeUpdate, 'contract'>;

const DAY_SECONDS = 86_400;

/** Ends with success, a refusal, or waiting for a person at the peer. EXISTS, NO_CONTRACT, OVER_BUDGET, USAGE. */
export async function* proposeContract(
  session: Session,
  peer: OnionId,
  args: ProposeArgs,
  signal: AbortSignal,
): AsyncGenerator<Update> {
  requireRoomForTerms(session.registry.contract(peer), args);
  requireNothingWaits(session, peer);
  requireUsefulSizes(args);
  requireUsefulHold(args);
  yield { state: 'CONNECTING_TO_PEER', success: false, reason: '' };
  await meetPeer(session, peer, signal);
  const bytes = await session.proposalLock.run(() => ownProposal(session, peer, args));
  yield { state: 'PROPOSING_CONTRACT', success: false, reason: '' };
  yield await offerTerms(session, peer, bytes, signal);
}

/** The task: what was open when a connection or a daemon ended is said again, until the other side answered. */
export async function closeProposal(session: Session, peer: OnionId, signal: AbortSignal): Promise<void> {
  const open = openTerms(session.registry.contract(peer));
  if (open === undefined) return;
  if (open.acceptorSignature.length > 0) await sayAccepted(session, peer, open.terms, signal);
  else if (isOwnTerms(session, open.terms)) await offerTerms(session, peer, open.terms, signal);
}

/** Our closing word makes the other side take the terms first; only when it says so do we follow. */
export async function sayAccepted(session: Session, peer: OnionId, terms: Buffer, signal: AbortSignal): Promise<void> {
  const own = session.keyring.sign(termsMessage(terms));
  const answer = session.client.acceptContract(peer, termsDigest(terms), true, own, '', { signal });
  const state = await answer.then(
    ({ state }) => state,
    (error: unknown) => {
      if (isUnknownThere(session, peer, error)) return undefined;
      throw unreachedOr(error);
    },
  );
  if (state === undefined || !isStanding(state)) {
    await dropOpen(session, peer, terms, 'the peer does not stand by it any more');
    const hint = 'See bb contracts show for what stands, and propose anew.';
    throw new BbError('REFUSED_BY_PEER', 'the peer does not stand by the proposal any more', { hint });
  }
  await settle(session, peer, terms);
}

/** A peer that could not dial us back has agreed all the same, and is told again by itself. */
function unreachedOr(error: unknown): unknown {
  if (!(error instanceof PeerRefusal) || error.refusal !== 'TERMS_REJECTED') return error;
  const hint = 'Nothing is to be done: it is tried again every few minutes; see bb contracts list.';
  return new BbError(
    'PEER_UNREACHABLE',
    'both have agreed, but the peer could not reach this node at its address yet',
    {
      hint,
    },
  );
}

async function offerTerms(session: Session, peer: OnionId, bytes: Buffer, signal: AbortSignal): Promise<Update> {
  const signature = session.keyring.sign(termsMessage(bytes));
  const answer = await session.client.proposeContract(peer, bytes, signature, { signal });
  const reason = reasonSentence(answer.reason);
  if (answer.answer === 'PENDING') return { state: 'PENDING_PERSON', success: false, reason };
  if (answer.answer === 'REJECTED') {
    await dropOpen(session, peer, bytes, reason);
    return { state: 'PEER_REFUSED', success: false, reason };
  }
  if (!isTermsSignature(bytes, decodeTerms(bytes), 'acceptor', answer.signature)) {
    throw new BbError('BAD_PEER_DATA', 'the peer accepted with a wrong signature');
  }
  await keepAcceptance(session, peer, bytes, answer.signature);
  await sayAccepted(session, peer, bytes, signal);
  return { state: 'COMPLETED', success: true, reason: '' };
}

function requireRoomForTerms(old: ContractRecord | undefined, args: ProposeArgs): void {
  const stands = old !== undefined && isStanding(old.state);
  if (stands && !args.amend) {
    const hint = 'Change it with bb contracts amend, or see bb contracts show.';
    throw new BbError('EXISTS', 'there is a contract with this peer already', { hint });
  }
  if (!stands && args.amend) {
    const hint = 'While a proposal is open, propose anew or take it back: bb contracts reject.';
    throw new BbError('NO_CONTRACT', 'there is no contract with this peer to amend', { hint });
  }
  if (old?.state === 'ENDING') throw new BbError('CONFLICT', 'notice was given; wait for the end, then propose anew');
}

/** Our terms would take the place of those that our user has not decided about, and both could be lost. */
function requireNothingWaits(session: Session, peer: OnionId): void {
  if (pendingOf(session, peer) === undefined) return;
  const hint = 'Answer it first: bb contracts show, then accept or reject.';
  throw new BbError('EXISTS', 'a proposal of this peer waits for your answer', { hint });
}

/** Before the peer is called; it would say the same. */
function requireUsefulSizes({ giveBytes, getBytes }: ProposeArgs): void {
  const bytes = [giveBytes, getBytes].find(isTooSmall);
  if (bytes === undefined) return;
  const hint = `At least ${formatBytes(TERMS_MIN_BYTES)}, such as 20GiB; a number alone is bytes.`;
  throw new BbError('USAGE', `${formatBytes(bytes)} can hold nothing`, { hint });
}

function requireUsefulHold({ holdSeconds }: ProposeArgs): void {
  const [min, max] = TERMS_RANGES.holdSeconds;
  if (holdSeconds === 0 || (holdSeconds >= min && holdSeconds <= max)) return;
  const hint = 'Use --hold with a number of days, such as 14d.';
  throw new BbError('USAGE', `older revisions are kept for ${min / DAY_SECONDS} to ${max / DAY_SECONDS} days`, {
    hint,
  });
}

async function ownProposal(session: Session, peer: OnionId, args: ProposeArgs): Promise<Buffer> {
  requireNothingWaits(session, peer);
  const old = session.registry.contract(peer);
  const terms = ownTerms(session, peer, args, old);
  const budget = promisableBytes(session, peer);
  if (terms.bytesAcceptor > budget) {
    throw new BbError('OVER_BUDGET', `the storage budget has ${formatBytes(budget)} left, less than you want to give`);
  }
  const limit = session.registry.peer(peer)?.limitBytes ?? 0;
  if (limit > 0 && terms.bytesAcceptor > limit) {
    throw new BbError('OVER_BUDGET', `you limited this peer to ${formatBytes(limit)}`, { hint: 'See bb peers limit.' });
  }
  const defect = termsDefect(terms);
  if (defect !== undefined) throw new BbError('USAGE', `these terms cannot be offered: ${defect}`);
  const bytes = encodeTerms(terms);
  const open = openTerms(old);
  if (open !== undefined && isOwnTerms(session, open.terms) && isSameOffer(open.terms, bytes)) return open.terms;
  const proposerSignature = session.keyring.sign(termsMessage(bytes));
  await keepOpen(session, peer, { terms: bytes, proposerSignature, acceptorSignature: Buffer.alloc(0) });
  session.bus.emit('proposal-made', { peer });
  return bytes;
}

/** Zero in `args` means the default, or for an amendment what stands. */
function ownTerms(session: Session, peer: OnionId, args: ProposeArgs, old: ContractRecord | undefined): Terms {
  const last = old === undefined ? undefined : decodeTerms(old.terms);
  const standing = args.amend ? last : undefined;
  const added = session.registry.peer(peer)?.added === true;
  const base = standing ?? (added ? DEFAULT_TERMS : { ...DEFAULT_TERMS, graceInitialSeconds: STRANGER_GRACE_SECONDS });
  const sizes = standing && ownSide(standing, session.keyring.pubkey);
  return {
    ...base,
    version: (last?.version ?? 0) + 1,
    proposer: session.keyring.pubkey,
    acceptor: pubkeyFromOnionId(peer),
    bytesProposer: args.getBytes || (sizes?.getBytes ?? 0),
    bytesAcceptor: args.giveBytes || (sizes?.giveBytes ?? 0),
    durationSeconds: args.durationSeconds || base.durationSeconds,
    holdSeconds: args.holdSeconds || base.holdSeconds,
    nonce: session.deps.random.bytes(16),
  };
}

function isSameOffer(a: Buffer, b: Buffer): boolean {
  const [one, two] = [decodeTerms(a), decodeTerms(b)];
  return encodeTerms({ ...one, nonce: two.nonce, version: two.version }).equals(b);
}
