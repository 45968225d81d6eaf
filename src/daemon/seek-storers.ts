// When there are too few copies the node looks for storers by itself: peers that the user knows, and strangers where the
// policy lets them in. A few are asked, then it rests, longer each time; the status says how many are missing.
// Invariant: nothing is offered beyond the user's own storage budget, and nobody is pressed who said no.

import { hasFailedBefore } from '../core/contract/failed-before.ts';
import { NEW_CONDUCT, score } from '../core/contract/score.ts';
import { isBbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import {
  CELL_BYTES,
  HINT_DIALS_PER_HOUR,
  OFFER_GROWTH,
  OFFER_MIN_BYTES,
  SEEK_TRIES,
  STRANGER_BYTES,
  TERMS_MIN_BYTES,
} from '../core/limits.ts';
import { blobCellCount } from '../core/challenge/plan.ts';
import { backOffMs } from '../core/policy/back-off.ts';
import { PERIODS_MS } from '../core/policy/periods.ts';
import { chooseStorers, decideReplicas } from '../core/policy/replicas.ts';
import type { Candidate, Storer } from '../core/policy/replicas.ts';
import type { PeerRecord } from '../core/records.ts';
import { getBytes } from './agreed-bytes.ts';
import { isStanding, openTerms, promisableBytes } from './contracts.ts';
import { copiesNow, knownForMs, scoreOf } from './copies.ts';
import { plan } from './plan.ts';
import { proposeContract } from './propose-contract.ts';
import type { Session } from './session.ts';

/** Every tick: notes since when copies are missing, and starts the search when it is time. */
export async function watchCopies(session: Session): Promise<void> {
  const { registry, node, settings, deps } = session;
  if (session.newest === undefined || node.mode !== 'normal') return;
  const { copies } = copiesNow(session);
  const isBelow = copies < settings.minReplicas;
  if (isBelow !== node.belowSeconds >= 0) {
    const belowSeconds = isBelow ? node.countedSeconds : -1;
    await registry.updateNode((old) => ({ ...(old ?? node), belowSeconds }));
    if (!isBelow) session.search.tries = 0;
  }
  const decision = decideReplicas(
    {
      copies,
      wanted: settings.minReplicas,
      belowSeconds: isBelow ? session.node.countedSeconds - session.node.belowSeconds : undefined,
      hasDefault: registry.contracts().some(({ state }) => state === 'GRACE'),
    },
    PERIODS_MS,
  );
  if (decision === 'look' && deps.clock.monotonicMs() >= session.search.nextMs) plan(session, 'seek', 0);
}

/** The task. */
export async function seekStorers(session: Session, signal: AbortSignal): Promise<void> {
  const { search, deps, settings } = session;
  search.nextMs =
    deps.clock.monotonicMs() + backOffMs(search.tries++, deps.periods.seekAgain, deps.periods.seekAgainMax);
  const storers = presentStorers(session);
  const missing = settings.minReplicas - copiesNow(session).copies - youngStorers(session);
  if (missing <= 0 || signal.aborted) return;
  const candidates = candidatesOf(session);
  const chosen = chooseStorers(candidates, storers, Math.min(missing, SEEK_TRIES), () => deps.random.fraction());
  session.bus.emit('storers-sought', { missing: String(missing), asked: String(chosen.length) });
  for (const candidate of chosen) {
    if (signal.aborted) return;
    search.askedMs.set(candidate.peer, deps.clock.monotonicMs());
    if (await ask(session, candidate, signal)) search.tries = 0;
  }
}

/** Contracts whose storer is at work on its first copy: they will count soon. */
function youngStorers(session: Session): number {
  return session.registry
    .contracts()
    .filter((contract) => contract.state === 'ACTIVE' && contract.replica.acknowledged.length === 0)
    .filter((contract) => getBytes(session, contract) > 0).length;
}

function presentStorers(session: Session): Storer[] {
  return session.registry
    .contracts()
    .filter(({ state }) => state === 'ACTIVE' || state === 'DEGRADED')
    .filter((contract) => getBytes(session, contract) > 0)
    .map(({ peer }) => storerOf(session, session.registry.peer(peer), peer));
}

function storerOf(session: Session, record: PeerRecord | undefined, peer: OnionId): Storer {
  return {
    peer,
    pinned: record?.pinned === true,
    isOld: knownForMs(session, record) >= PERIODS_MS.oldPeer,
    introducer: record?.introducer,
  };
}

function candidatesOf(session: Session): Candidate[] {
  const { registry, search, deps, settings } = session;
  const nowMs = deps.clock.monotonicMs();
  search.hintDialsMs = search.hintDialsMs.filter((ms) => nowMs - ms < deps.periods.hintWindow);
  const hintsLeft = HINT_DIALS_PER_HOUR - search.hintDialsMs.length;
  const free = registry.peers().filter((peer) => {
    const contract = registry.contract(peer.onionId);
    const askedMs = search.askedMs.get(peer.onionId);
    const isGivenUp = contract !== undefined && hasFailedBefore(contract);
    const isBusy = contract !== undefined && (isStanding(contract.state) || openTerms(contract) !== undefined);
    const isTired = askedMs !== undefined && nowMs - askedMs < deps.periods.askAgain;
    return !peer.blocked && !isGivenUp && !isBusy && !isTired && (peer.added || settings.approval === 'everyone');
  });
  const hints = free.filter((peer) => !peer.added && peer.lastReachedMs === 0).slice(hintsLeft);
  return free.filter((peer) => !hints.includes(peer)).map((peer) => candidateOf(session, peer));
}

function candidateOf(session: Session, peer: PeerRecord): Candidate {
  const contract = session.registry.contract(peer.onionId);
  return {
    ...storerOf(session, peer, peer.onionId),
    added: peer.added,
    isOwner: session.registry.heldOf(peer.onionId).length > 0,
    isReturning: contract !== undefined && contract.replica.acknowledged.length > 0,
    score:
      contract === undefined ? score(NEW_CONDUCT, knownForMs(session, peer), PERIODS_MS) : scoreOf(session, contract),
  };
}

/** True when a contract came of it. Whatever else happens is an answer, not an error. */
async function ask(session: Session, candidate: Candidate, signal: AbortSignal): Promise<boolean> {
  const { peer, added } = candidate;
  const bytes = offeredBytes(session, added);
  if (bytes === undefined) return false;
  if (!added && session.registry.peer(peer)?.lastReachedMs === 0) {
    session.search.hintDialsMs.push(session.deps.clock.monotonicMs());
  }
  const args = { peer, giveBytes: bytes, getBytes: bytes, durationSeconds: 0, holdSeconds: 0, amend: false };
  try {
    let isAgreed = false;
    for await (const { success } of proposeContract(session, peer, args, signal)) isAgreed = success;
    return isAgreed;
  } catch (error) {
    session.deps.log.debug('a candidate was not won', { code: isBbError(error) ? error.code : 'REFUSED' });
    return false;
  }
}

/** Room to grow, within our own budget and what a stranger is ever given; undefined when our content does not fit in. */
function offeredBytes(session: Session, added: boolean): number | undefined {
  const neededBytes = (session.newest === undefined ? 0 : blobCellCount(session.newest.row)) * CELL_BYTES;
  const budget = promisableBytes(session, undefined);
  const most = added ? budget : Math.min(budget, STRANGER_BYTES);
  const bytes = Math.min(most, Math.max(OFFER_MIN_BYTES, neededBytes * OFFER_GROWTH));
  return bytes < Math.max(neededBytes, TERMS_MIN_BYTES) ? undefined : bytes;
}
