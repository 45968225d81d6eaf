// A peer offers a new revision of its content. Accepted means: we will pull it, and until it is
// complete, verified and durable the old one is served. A refusal still remembers the id, which helps
// the owner to find out later how new its newest revision was.
// Invariant: peer byte = hostile: every number was range-checked at the edge and is judged here
// against what was promised.

import { chargeBytes } from '../core/contract/charge.ts';
import { STATE_EFFECTS } from '../core/contract/effects.ts';
import { ownSide } from '../core/contract/sides.ts';
import { decodeTerms } from '../core/contract/terms.ts';
import type { OnionId } from '../core/ids.ts';
import { BALLAST_BYTES, CELL_BYTES, CONTENT_CELLS, MIN_BLOB_CELLS } from '../core/limits.ts';
import type { ContractRecord } from '../core/records.ts';
import { PeerRefusal } from '../core/refusal.ts';
import type { ContentInfo, Offer, OfferOutcome } from '../ports/peer-client.ts';
import { addPulling, currentHeld, pullTarget, retireCurrent } from './held.ts';
import { planPull } from './pull.ts';
import type { Session } from './session.ts';

type Answer = { readonly outcome: OfferOutcome; readonly latestKnown: Buffer };

export async function answerOffer(session: Session, caller: OnionId, offer: Offer): Promise<Answer> {
  const contract = session.registry.contract(caller);
  if (contract === undefined || STATE_EFFECTS[contract.state].accept === 'none') throw new PeerRefusal('NO_CONTRACT');
  const { content } = offer;
  if (content !== undefined && isHere(session, caller, content.contentId)) {
    planPull(session, caller, 0);
    return { outcome: 'ACCEPTED_PULLING', latestKnown: content.contentId };
  }
  if (!contract.theirLatestKnown.equals(offer.previousContentId)) {
    return { outcome: 'CAS_MISMATCH', latestKnown: contract.theirLatestKnown };
  }
  if (content === undefined) return deleteContent(session, caller, contract, offer.delete);
  const outcome = await judgeOffer(session, contract, content, offer.newCells);
  if (outcome === 'ACCEPTED_PULLING') {
    const cells = content.contentBytes / CELL_BYTES;
    await addPulling(session, caller, { contentId: content.contentId, root: content.root, cells });
    session.challengeBuckets.credit(caller, session.deps.clock.monotonicMs());
  }
  await rememberOffer(session, caller, content.contentId, outcome);
  session.bus.emit('offer-received', { peer: caller, outcome });
  if (outcome === 'ACCEPTED_PULLING') planPull(session, caller, 0);
  return { outcome, latestKnown: content.contentId };
}

/** What a peer's content costs of its allowance now. */
export async function chargeOf(session: Session, owner: OnionId): Promise<number> {
  const held = session.registry.heldOf(owner).filter(({ value }) => value.list >= 0);
  const kept = held.filter(({ value }) => value.role === 'kept');
  return chargeBytes({
    distinctCells: await session.deps.catalog.heldDistinctCells(held.map(({ value }) => value.list)),
    keptEntries: kept.reduce((sum, { value }) => sum + value.cells, 0),
  });
}

/** Bytes that the terms let this peer store here. */
export function allowanceOf(session: Session, contract: ContractRecord): number {
  return ownSide(decodeTerms(contract.terms), session.keyring.pubkey)?.giveBytes ?? 0;
}

function isHere(session: Session, owner: OnionId, contentId: Buffer): boolean {
  const current = currentHeld(session, owner);
  const target = pullTarget(session, owner);
  return (
    current?.value.contentId.equals(contentId) === true || target?.value.contentId.equals(contentId) === true
  );
}

async function deleteContent(
  session: Session,
  caller: OnionId,
  contract: ContractRecord,
  isDelete: boolean,
): Promise<Answer> {
  if (!isDelete) return { outcome: 'REFUSED', latestKnown: contract.theirLatestKnown };
  await retireCurrent(session, caller);
  const none = Buffer.alloc(0);
  await rememberOffer(session, caller, none, 'REFUSED');
  return { outcome: 'ACCEPTED_PULLING', latestKnown: none };
}

async function judgeOffer(
  session: Session,
  contract: ContractRecord,
  content: ContentInfo,
  newCells: number,
): Promise<OfferOutcome> {
  const cells = content.contentBytes / CELL_BYTES;
  if (!Number.isInteger(cells) || cells < MIN_BLOB_CELLS || cells > CONTENT_CELLS) return 'REFUSED';
  const current = currentHeld(session, contract.peer);
  const noLarger = STATE_EFFECTS[contract.state].accept === 'no-larger';
  if (noLarger && cells > (current?.value.cells ?? 0)) return 'REFUSED';
  // The owner's word on new cells is only a hint: nothing smaller than the growth is believed.
  const fresh = Math.min(cells, Math.max(newCells, cells - (current?.value.cells ?? 0)));
  const charge = (await chargeOf(session, contract.peer)) + fresh * CELL_BYTES;
  if (charge > allowanceOf(session, contract)) return 'QUOTA';
  const free = await session.deps.dataDir.freeBytes();
  return fresh * CELL_BYTES + BALLAST_BYTES > free ? 'NO_SPACE' : 'ACCEPTED_PULLING';
}

function rememberOffer(
  session: Session,
  peer: OnionId,
  contentId: Buffer,
  outcome: OfferOutcome,
): Promise<ContractRecord> {
  const pull =
    outcome === 'ACCEPTED_PULLING' ? 'PULLING' : outcome === 'QUOTA' || outcome === 'NO_SPACE' ? outcome : 'NONE';
  return session.registry.updateContract(peer, (contract) => {
    if (contract === undefined) throw new PeerRefusal('NO_CONTRACT');
    return { ...contract, theirLatestKnown: contentId, theirPull: pull };
  });
}
