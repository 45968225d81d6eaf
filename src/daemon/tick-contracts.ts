// Moves every contract through its state machine by the time that counted: a peer that is gone, or does not
// prove its copy, is DEGRADED first and then in GRACE, where its copy counts no more.
// Invariant: promised = kept: nothing is dropped here before the machine says that the contract is over.

import type { DegradedReason } from '../core/contract/reasons.ts';
import { degradedReasons, DEGRADED_WORDS } from '../core/contract/reasons.ts';
import { stepContract } from '../core/contract/machine.ts';
import { decodeTerms } from '../core/contract/terms.ts';
import type { Terms } from '../core/contract/terms.ts';
import { PERIODS_MS } from '../core/policy/periods.ts';
import { BbError } from '../core/errors.ts';
import type { ContractRecord } from '../core/records.ts';
import { dropReleased } from './held.ts';
import type { Session } from './session.ts';

/** A contact is written down no more often than this, in counted seconds. */
const REMEMBER_SECONDS = PERIODS_MS.tick / 1000;

export async function tickContracts(session: Session): Promise<void> {
  for (const contract of session.registry.contracts()) {
    if (contract.state !== 'RELEASED') await tickContract(session, contract);
  }
}

async function tickContract(session: Session, contract: ContractRecord): Promise<void> {
  const { peer } = contract;
  const nowSeconds = session.node.countedSeconds;
  const terms = decodeTerms(contract.terms);
  const reachedSeconds = session.reach.isReachable(peer) ? nowSeconds : contract.reachedSeconds;
  const reasons = reasonsOf({ ...contract, reachedSeconds }, terms, nowSeconds);
  const { next, actions } = stepContract(
    contract,
    {
      kind: 'tick',
      reasons,
      durationOver: isDurationOver(contract, terms, nowSeconds),
      ownerRecovering: session.recoveringPeers.has(peer),
      undiallable: false,
    },
    { nowSeconds, terms, added: session.registry.peer(peer)?.added === true },
  );
  const isSame = next.state === contract.state && next.ledger === contract.ledger && next.life === contract.life;
  if (isSame && reachedSeconds - contract.reachedSeconds < REMEMBER_SECONDS) return;
  await session.registry.updateContract(peer, (old) => {
    if (old === undefined) throw new BbError('NO_CONTRACT', 'the contract is gone');
    const { state, ledger, life } = next;
    const sinceMs = state === old.state ? old.sinceMs : session.deps.clock.nowMs();
    return { ...old, state, ledger, life, reachedSeconds, sinceMs, reason: reasonWords(reasons) };
  });
  if (next.state !== contract.state) {
    session.bus.emit('contract-state', { peer, from: contract.state, to: next.state, reason: reasonWords(reasons) });
  }
  if (actions.includes('release')) await dropReleased(session, peer);
}

/** Spans are in nominal milliseconds: counted seconds pass N times faster where periods are divided by N. */
function reasonsOf(contract: ContractRecord, terms: Terms, nowSeconds: number): DegradedReason[] {
  const { replica } = contract;
  const hasAcknowledged = replica.acknowledged.length > 0;
  return degradedReasons(
    {
      unreachableMs: (nowSeconds - contract.reachedSeconds) * 1000,
      lastJudged: hasAcknowledged && replica.lastHeldMs > 0 && replica.proved.length === 0 ? 'wrong' : 'held',
      unprovedMs: hasAcknowledged ? (nowSeconds - contract.provedSeconds) * 1000 : undefined,
      checkPeriodMs: terms.checkPeriodSeconds * 1000,
      offerOpenMs: undefined,
      hasAcknowledged,
      missingCells: 0,
      fetchedCells: 0,
      excused: false,
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
