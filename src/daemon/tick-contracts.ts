// Moves every contract through its state machine by the time that counted: a peer that is gone, or does not
// prove its copy, is DEGRADED first and then in GRACE, where its copy counts no more.
// Invariant: promised = kept: nothing is dropped here before the machine says that the contract is over.

import type { DegradedReason } from '../core/contract/reasons.ts';
import { degradedReasons, DEGRADED_WORDS } from '../core/contract/reasons.ts';
import { stepContract } from '../core/contract/machine.ts';
import type { ContractAction } from '../core/contract/machine.ts';
import { conductAfter } from '../core/contract/score.ts';
import { signedTermsOf } from '../core/contract/terms.ts';
import type { Terms } from '../core/contract/terms.ts';
import { tickReason, withStep } from '../core/contract/transition.ts';
import { PERIODS_MS } from '../core/policy/periods.ts';
import type { ContractRecord } from '../core/records.ts';
import { getBytes } from './agreed-bytes.ts';
import { dropReleased } from './held.ts';
import { plan } from './plan.ts';
import { needsCure } from './repull.ts';
import type { Session } from './session.ts';
import { offerFacts, progressSeconds } from './upload-progress.ts';

/** What was observed is written down no more often than this, in counted seconds. */
const REMEMBER_SECONDS = PERIODS_MS.tick / 1000;

type Moved = {
  readonly before: ContractRecord;
  readonly after: ContractRecord;
  readonly actions: readonly ContractAction[];
};

/** All contracts in one durable write. */
export async function tickContracts(session: Session): Promise<void> {
  const { registry, deps } = session;
  const moved: Moved[] = [];
  // Judged inside the write: what happened to a contract since the tick began must not be undone.
  await registry.transact(async () => {
    const records = registry.contractRecords((before) => {
      if (before.state === 'RELEASED') return before;
      const { contract: after, actions } = judgeTick(session, before);
      if (after.state !== before.state || actions.length > 0) moved.push({ before, after, actions });
      return after;
    });
    if (records.length > 0) await deps.catalog.putRecords(records);
    return records;
  });
  for (const step of moved) await hasMoved(session, step);
}

async function hasMoved(session: Session, { before, after, actions }: Moved): Promise<void> {
  const { peer, state, reason } = after;
  if (state !== before.state) {
    session.bus.emit('contract-state', { peer, from: before.state, to: state, reason });
    plan(session, 'backup', 0);
  }
  if (actions.includes('release')) await dropReleased(session, peer);
}

function judgeTick(
  session: Session,
  contract: ContractRecord,
): { readonly contract: ContractRecord; readonly actions: readonly ContractAction[] } {
  const { peer } = contract;
  const nowSeconds = session.node.countedSeconds;
  const terms = signedTermsOf(contract.terms);
  const isReachable = session.reach.isReachable(peer);
  const progress = progressSeconds(session, contract);
  const { replica } = contract;
  const observed = {
    reachedSeconds: isReachable ? nowSeconds : contract.reachedSeconds,
    conduct: conductAfter(contract.conduct, isReachable, (nowSeconds - contract.conductSeconds) * 1000, PERIODS_MS),
    conductSeconds: nowSeconds,
    replica: progress === replica.progressSeconds ? replica : { ...replica, progressSeconds: progress },
  };
  const reasons = reasonsOf(session, contract, observed, terms, nowSeconds);
  const context = { nowSeconds, terms, added: session.registry.peer(peer)?.added === true };
  const atMs = session.deps.clock.nowMs();
  if (needsCure(contract) && reasons.length === 0 && getBytes(session, contract) === 0) {
    const { next, actions } = stepContract(contract, { kind: 'cured' }, context);
    const reason = 'the peer is back, and it owes no copy that could be proved';
    const cured = withStep(contract, next, { event: 'cured', reason, atMs, nowSeconds, terms });
    return { contract: { ...cured, ...observed }, actions };
  }
  const { next, actions } = stepContract(
    contract,
    {
      kind: 'tick',
      reasons,
      durationOver: isDurationOver(contract, terms, nowSeconds),
      ownerRecovering: session.recoveringPeers.has(peer),
      undiallable: session.reach.isIncomingOnly(peer),
    },
    context,
  );
  const reason = tickReason(contract, next.state, reasonWords(reasons));
  const stepped = withStep(contract, next, { event: 'tick', reason, atMs, nowSeconds, terms });
  const isSame = stepped === contract && nowSeconds - contract.conductSeconds < REMEMBER_SECONDS;
  return { contract: isSame ? contract : { ...stepped, ...observed }, actions };
}

/** What holds against the peer at this moment, between two ticks. */
export function reasonsNow(session: Session, contract: ContractRecord): DegradedReason[] {
  const nowSeconds = session.node.countedSeconds;
  const reachedSeconds = session.reach.isReachable(contract.peer) ? nowSeconds : contract.reachedSeconds;
  const observed = { reachedSeconds, replica: contract.replica };
  return reasonsOf(session, contract, observed, signedTermsOf(contract.terms), nowSeconds);
}

/** Spans are in nominal milliseconds: counted seconds pass N times faster where periods are divided by N. */
function reasonsOf(
  session: Session,
  contract: ContractRecord,
  { reachedSeconds, replica }: Pick<ContractRecord, 'reachedSeconds' | 'replica'>,
  terms: Terms,
  nowSeconds: number,
): DegradedReason[] {
  const hasAcknowledged = replica.acknowledged.length > 0;
  return degradedReasons(
    {
      unreachableMs: (nowSeconds - reachedSeconds) * 1000,
      lastJudged: replica.lastChecked.length > 0 && replica.proved.length === 0 ? 'wrong' : undefined,
      unprovedMs: hasAcknowledged ? (nowSeconds - contract.provedSeconds) * 1000 : undefined,
      checkPeriodMs: terms.checkPeriodSeconds * 1000,
      hasAcknowledged,
      ...offerFacts(session, contract, replica),
    },
    PERIODS_MS,
  );
}

function isDurationOver({ life, state }: ContractRecord, terms: Terms, nowSeconds: number): boolean {
  const activeSeconds = life.activeSeconds + (state === 'ACTIVE' ? nowSeconds - life.enteredSeconds : 0);
  return terms.durationSeconds > 0 && activeSeconds >= terms.durationSeconds;
}

function reasonWords(reasons: readonly DegradedReason[]): string {
  return reasons.map((reason) => DEGRADED_WORDS[reason]).join('; ');
}
