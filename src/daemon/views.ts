// Plain views of what the daemon knows, as every surface shows them.

import { blobCellCount } from '../core/challenge/plan.ts';
import { copyOf } from '../core/contract/copy.ts';
import { decodeTerms } from '../core/contract/terms.ts';
import { ownSide } from '../core/contract/sides.ts';
import type { OnionId } from '../core/ids.ts';
import { CELL_BYTES } from '../core/limits.ts';
import type { ContractRecord, PeerRecord } from '../core/records.ts';
import type { RevisionRow } from '../ports/catalog.ts';
import { pendingOf } from './answer-proposal.ts';
import { isStanding, openTerms } from './contracts.ts';
import { copyFacts } from './copies.ts';
import { explainContract } from './explain.ts';
import { currentHeld, pullTarget } from './held.ts';
import type { ContractView, OpenTermsView, PeerView, ReplicaView, RevisionView, TransferView } from './local-api.ts';
import { openOwnId } from './own-id.ts';
import { remainingOf } from './remaining.ts';
import type { Session } from './session.ts';

export function revisionView(row: RevisionRow): RevisionView {
  return {
    contentId: row.contentId,
    generation: row.generation,
    sequence: row.sequence,
    createdMs: row.createdMs,
    contentBytes: blobCellCount(row) * CELL_BYTES,
    fileCount: row.fileCount,
    fileBytes: row.fileBytes,
  };
}

export function peerName(session: Session, peer: OnionId): string {
  const name = session.registry.peer(peer)?.name ?? '';
  return name === '' ? peer.slice(0, 8) : name;
}

export function peerView(session: Session, peer: PeerRecord): PeerView {
  const connected = session.reach.isReachable(peer.onionId);
  const lastReachedMs = Math.max(peer.lastReachedMs, session.reach.lastMs(peer.onionId));
  const isRecent = session.deps.clock.nowMs() - lastReachedMs < session.deps.periods.tick;
  return {
    onionId: peer.onionId,
    name: peer.name,
    added: peer.added,
    connected,
    online: connected || (isRecent && session.reach.failures(peer.onionId) === 0),
    lastReachedMs,
    group: session.reach.group(peer.onionId),
    introducer: peer.introducer ?? '',
    contractState: session.registry.contract(peer.onionId)?.state ?? '',
    addedMs: peer.addedMs,
    pinned: peer.pinned,
    blocked: peer.blocked,
    unlisted: peer.unlisted,
    limitBytes: peer.limitBytes,
  };
}

export function replicaView(session: Session, contract: ContractRecord): ReplicaView {
  const { replica, peer } = contract;
  const newestId = session.newest?.row.contentId;
  // While we recover nothing is acknowledged: what counts is what the holder reports.
  const reported = session.node.mode === 'normal' ? undefined : session.recovery.holders.get(peer)?.found[0];
  const held = reported?.contentId ?? replica.acknowledged;
  const newest = newestId !== undefined && held.equals(newestId);
  return {
    peer,
    name: peerName(session, peer),
    newest,
    verified: copyOf(copyFacts(session, contract), newestId) === 'newest',
    outcome: replica.lastOutcome ?? '',
    checkedMs: replica.lastCheckMs,
    heldMs: replica.lastHeldMs,
    state: replicaState(session, contract, newest),
    sequence: sequenceOf(session, held),
    provedSequence: sequenceOf(session, replica.proved),
  };
}

function sequenceOf(session: Session, contentId: Buffer): number {
  return contentId.length === 0 ? 0 : (openOwnId(session, contentId)?.sequence ?? 0);
}

function replicaState(session: Session, contract: ContractRecord, newest: boolean): ReplicaView['state'] {
  if (newest) return 'acknowledged';
  const newestId = session.newest?.row.contentId;
  if (newestId === undefined) return 'idle';
  if (session.uploads.refusal(contract.peer, newestId) !== undefined) return 'refused';
  if (session.uploads.offers(contract.peer, newestId) === undefined) return 'idle';
  return session.uploads.serving(contract.peer, newestId) === undefined ? 'offering' : 'pulling';
}

export function contractView(session: Session, contract: ContractRecord): ContractView {
  const terms = decodeTerms(contract.terms);
  const side = ownSide(terms, session.keyring.pubkey);
  const current = currentHeld(session, contract.peer)?.value;
  const target = pullTarget(session, contract.peer)?.value;
  const replica = replicaView(session, contract);
  return {
    peer: contract.peer,
    name: peerName(session, contract.peer),
    synced: replica.newest,
    ourRemainingSeconds: isStanding(contract.state) ? contract.ourRemainingSeconds : 0,
    theirRemainingSeconds: remainingOf(session, contract),
    theirContentBytes: (current?.cells ?? 0) * CELL_BYTES,
    online: session.reach.isReachable(contract.peer),
    state: contract.state,
    explanation: explainContract(session, contract, peerName(session, contract.peer)),
    giveBytes: side?.giveBytes ?? 0,
    getBytes: side?.getBytes ?? 0,
    durationSeconds: terms.durationSeconds,
    holdSeconds: terms.holdSeconds,
    checkPeriodSeconds: terms.checkPeriodSeconds,
    noticeSeconds: terms.noticeSeconds,
    replica,
    termsVersion: terms.version,
    proposedByUs: side?.proposedByUs ?? false,
    pullingBytes: (target?.cells ?? 0) * CELL_BYTES,
    open: openTermsView(session, contract),
    endedBy: contract.endedBy,
    noticeUnanswered: contract.noticeGivenSeconds >= 0,
    transitions: contract.transitions,
  };
}

function openTermsView(session: Session, contract: ContractRecord): OpenTermsView | undefined {
  const open = openTerms(contract);
  if (open === undefined) return undefined;
  const terms = decodeTerms(open.terms);
  const side = ownSide(terms, session.keyring.pubkey);
  return {
    proposedByUs: side?.proposedByUs ?? false,
    waitsForUs: pendingOf(session, contract.peer) !== undefined,
    giveBytes: side?.giveBytes ?? 0,
    getBytes: side?.getBytes ?? 0,
    durationSeconds: terms.durationSeconds,
    holdSeconds: terms.holdSeconds,
    sinceMs: open.sinceMs,
  };
}

export function transferViews(session: Session): TransferView[] {
  return [...session.transfers.all()].map(([peer, counts]) => ({
    peer,
    name: peerName(session, peer),
    servedBytes: counts.served,
    pulledBytes: counts.pulled,
    recoveredBytes: counts.recovered,
    returnedBytes: counts.returned,
  }));
}
