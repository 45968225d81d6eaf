// A peer offers a new revision of its content. Accepted means: we will pull it, and until it is
// complete, verified and durable the old one is served. A refusal still remembers the id, which helps
// the owner to find out later how new its newest revision was.
// Invariant: peer byte = hostile: every number was range-checked at the edge and is judged here
// against what was promised.

import { STATE_EFFECTS } from '../core/contract/effects.ts';
import type { OnionId } from '../core/ids.ts';
import { CELL_BYTES } from '../core/limits.ts';
import { decideOffer, offeredBytes } from '../core/policy/offer.ts';
import type { OfferDecision, OfferFacts } from '../core/policy/offer.ts';
import type { ContractRecord } from '../core/records.ts';
import { PeerRefusal } from '../core/refusal.ts';
import type { Offer, OfferOutcome } from '../ports/peer-client.ts';
import { chargeOf, freeForPeers } from './allowance.ts';
import { giveBytes } from './agreed-bytes.ts';
import { addPulling, currentHeld, pullTarget, retireCurrent } from './held.ts';
import { makeSpace } from './make-space.ts';
import { planFor } from './plan.ts';
import type { Session } from './session.ts';

type Answer = { readonly outcome: OfferOutcome; readonly latestKnown: Buffer };

/** One at a time: the facts an offer is judged by must not change before its answer is durable. */
export function answerOffer(session: Session, caller: OnionId, offer: Offer): Promise<Answer> {
  return session.offerLock.run(() => judgeOffer(session, caller, offer));
}

async function judgeOffer(session: Session, caller: OnionId, offer: Offer): Promise<Answer> {
  const contract = session.registry.contract(caller);
  if (contract === undefined || STATE_EFFECTS[contract.state].accept === 'none') throw new PeerRefusal('NO_CONTRACT');
  const decision = decideOffer(await offerFacts(session, contract, offer));
  const { content } = offer;
  const id = content?.contentId ?? Buffer.alloc(0);
  if (decision.effect === 'delete') await retireCurrent(session, caller);
  if (decision.effect === 'pull' && content !== undefined) {
    await addPulling(session, caller, { contentId: id, root: content.root, cells: content.contentBytes / CELL_BYTES });
    session.challengeBuckets.credit(caller, session.deps.clock.monotonicMs());
    session.offerCounts.add(caller, session.deps.clock.monotonicMs());
  }
  if (decision.recordsLatest) await rememberOffer(session, caller, id, decision);
  session.bus.emit('offer-received', { peer: caller, outcome: decision.outcome });
  // To say a bad offer again does not make it tried sooner.
  const isPulled = decision.effect === 'none' && pullTarget(session, caller) !== undefined;
  const isTriedAlready = isPulled && (session.pullFailures.get(caller)?.faults ?? 0) > 0;
  if (decision.outcome === 'ACCEPTED_PULLING' && !isTriedAlready) planFor(session, 'pull', caller, 0);
  return { outcome: decision.outcome, latestKnown: decision.recordsLatest ? id : contract.theirLatestKnown };
}

/**
 * Of one moment: pulls go on beside this, and what one has just completed would seem neither held nor pulled, so that it
 * would be pulled once more. So facts are gathered again when another revision became the current one.
 */
async function offerFacts(session: Session, contract: ContractRecord, offer: Offer): Promise<OfferFacts> {
  const owner = contract.peer;
  const held = currentHeld(session, owner);
  const current = held?.value;
  const chargeBytes = await chargeOf(session, owner, ({ role }) => role !== 'pulling');
  const allowanceBytes = giveBytes(session, contract);
  const currentBytes = (current?.cells ?? 0) * CELL_BYTES;
  const neededBytes = offeredBytes(offer.newCells, offer.content?.contentBytes ?? 0, currentBytes);
  if (chargeBytes + neededBytes <= allowanceBytes) await makeSpace(session, owner, neededBytes);
  const freeBytes = await freeForPeers(session);
  if (currentHeld(session, owner)?.id !== held?.id) return offerFacts(session, contract, offer);
  const target = pullTarget(session, owner)?.value;
  const none = Buffer.alloc(0);
  return {
    contentId: offer.content?.contentId ?? none,
    contentBytes: offer.content?.contentBytes ?? 0,
    previousId: offer.previousContentId,
    delete: offer.delete,
    newCells: offer.newCells,
    state: contract.state,
    latestKnown: contract.theirLatestKnown,
    currentId: current?.contentId ?? none,
    pullingId: target?.contentId ?? none,
    currentBytes,
    largestAcknowledgedBytes: (current?.cells ?? 0) * CELL_BYTES,
    chargeBytes,
    allowanceBytes,
    freeBytes,
    revisionsToday: session.offerCounts.recent(
      owner,
      session.deps.clock.monotonicMs(),
      session.deps.periods.revisionsWindow,
    ),
  };
}

function rememberOffer(
  session: Session,
  peer: OnionId,
  contentId: Buffer,
  { outcome, effect }: OfferDecision,
): Promise<ContractRecord> {
  const refused = outcome === 'QUOTA' || outcome === 'NO_SPACE' ? outcome : 'NONE';
  const pull = effect === 'pull' ? 'PULLING' : refused;
  return session.registry.updateContract(peer, (contract) => {
    if (contract === undefined) throw new PeerRefusal('NO_CONTRACT');
    return { ...contract, theirLatestKnown: contentId, theirPull: pull };
  });
}
