// A spot check: ask a storer for a keyed hash over blocks and cells of our content, compare with our
// own. Our own cells are verified first: a flip on our disk must not be blamed on the peer.

import { BbError } from '../core/errors.ts';
import { blobCellCount, isSweep, planChallenge } from '../core/challenge/plan.ts';
import type { CheckKind, PlannedChallenge, SweepCursor } from '../core/challenge/plan.ts';
import { judgeAnswer, shouldAskCurrent } from '../core/challenge/judge.ts';
import { cureAfter, isCured } from '../core/challenge/cure.ts';
import type { ChallengeAnswer } from '../core/challenge/judge.ts';
import { movedSweep } from '../core/challenge/move-sweep.ts';
import { newCellRanges } from '../core/challenge/new-cells.ts';
import type { ChallengeOutcome } from '../core/challenge/question.ts';
import { conductAfterTimeout, conductAfterWrong } from '../core/contract/score.ts';
import type { Conduct } from '../core/contract/score.ts';
import type { OnionId } from '../core/ids.ts';
import { nextCheck } from '../core/policy/check.ts';
import type { CheckDue } from '../core/policy/check.ts';
import { DEADLINES_MS } from '../core/policy/periods.ts';
import { withProof } from '../core/policy/repair.ts';
import { PeerRefusal } from '../core/refusal.ts';
import type { RevisionRow } from '../ports/catalog.ts';
import { voidProof } from './answer-loss.ts';
import { step } from './contracts.ts';
import { copyFacts } from './copies.ts';
import { healBlobCells } from './heal-own.ts';
import { planFor } from './plan.ts';
import { defaulted, needsCure } from './repull.ts';
import { freshReplica, updateReplica } from './replica.ts';
import type { Session } from './session.ts';
import { planDrop } from './superseded.ts';

/** A seed is drawn again so often when our own cells turn out to be damaged. */
const OWN_DAMAGE_RETRIES = 3;
/** A check is begun so often when revisions that it reads are superseded and dropped meanwhile. */
const SUPERSEDED_TRIES = 3;

export type CheckResult = {
  readonly outcome: ChallengeOutcome;
  readonly newest: boolean;
  readonly row: RevisionRow;
  readonly planned: PlannedChallenge;
  readonly kind: CheckKind['kind'];
};

/** The task: a check if one is due, and the next one planned. */
export async function checkWhenDue(session: Session, peer: OnionId, signal: AbortSignal): Promise<void> {
  const due = nextDue(session, peer);
  if (due === undefined || !session.reach.isReachable(peer)) return; // the next contact plans this again
  const waitMs = due.atMs - session.deps.clock.nowMs();
  if (waitMs > 0) return planFor(session, 'check', peer, waitMs);
  let retryMs = 0;
  try {
    await checkPeer(session, peer, due.kind, signal);
  } catch (error) {
    retryMs = session.deps.periods.challengeRefill; // the fault is ours and leaves no trace in the record
    throw error;
  } finally {
    const next = nextDue(session, peer);
    if (next !== undefined) planFor(session, 'check', peer, Math.max(retryMs, next.atMs - session.deps.clock.nowMs()));
  }
}

/** Plans the next check of a peer in reach at its time, which a change of the contract may have moved. */
export function planCheck(session: Session, peer: OnionId): void {
  const due = session.reach.isReachable(peer) ? nextDue(session, peer) : undefined;
  if (due !== undefined) planFor(session, 'check', peer, Math.max(0, due.atMs - session.deps.clock.nowMs()));
}

function nextDue(session: Session, peer: OnionId): CheckDue | undefined {
  const contract = session.registry.contract(peer);
  if (contract === undefined) return undefined;
  const { lastSweepMs } = contract.replica;
  const nowMs = session.deps.clock.nowMs();
  const failures = session.checkFailures.get(peer) ?? 0;
  return nextCheck(
    { ...contract.replica, ...copyFacts(session, contract), nowMs, failures },
    session.deps.periods,
    session.checkFraction(peer, lastSweepMs),
  );
}

/** NO_CONTRACT, NOT_FOUND when the peer never acknowledged a revision, INTEGRITY when our own cells are damaged. */
export async function checkPeer(
  session: Session,
  peer: OnionId,
  kind: CheckKind['kind'],
  signal: AbortSignal,
): Promise<CheckResult> {
  if (session.registry.contract(peer) === undefined) {
    throw new BbError('NO_CONTRACT', 'there is no contract with this peer');
  }
  for (let attempt = 1; ; attempt += 1) {
    const row = await acknowledgedRow(session, peer);
    try {
      const result = await ask(session, peer, row, wantedKind(session, peer, kind), signal);
      await judge(session, peer, result);
      return result;
    } catch (error) {
      const isDropped = error instanceof BbError && error.code === 'NOT_FOUND';
      if (!isDropped || attempt === SUPERSEDED_TRIES) throw error;
    }
  }
}

async function acknowledgedRow(session: Session, peer: OnionId): Promise<RevisionRow> {
  const acknowledged = session.registry.contract(peer)?.replica.acknowledged ?? Buffer.alloc(0);
  const row = acknowledged.length === 0 ? undefined : await session.deps.catalog.revision(acknowledged);
  if (row === undefined) throw noCopy();
  return row;
}

function wantedKind(session: Session, peer: OnionId, kind: CheckKind['kind']): CheckKind['kind'] {
  const contract = session.registry.contract(peer);
  if (contract === undefined) throw new BbError('NO_CONTRACT', 'the contract is gone');
  if (needsCure(contract)) return 'cure';
  const { lastChecked, acknowledged } = contract.replica;
  return kind === 'daily' && !lastChecked.equals(acknowledged) ? 'first' : kind;
}

async function ask(
  session: Session,
  peer: OnionId,
  row: RevisionRow,
  kind: CheckKind['kind'],
  signal: AbortSignal,
): Promise<CheckResult> {
  const { check, sweep } = await checkOf(session, peer, row, kind);
  for (let attempt = 0; attempt < OWN_DAMAGE_RETRIES; attempt += 1) {
    const planned = planChallenge(row.contentId, row, check, sweep, session.deps.random.bytes(64));
    const { mac, damaged } = await session.deps.workers.expectedMac(planned.question, peer, blobCellCount(row));
    if (damaged.length > 0) {
      await healBlobCells(session, row.contentId, damaged, signal);
      continue;
    }
    const answer = await session.uploads.whileChallenged(peer, row.contentId, () =>
      send(session, peer, planned, signal),
    );
    if (answer.kind === 'refused' && answer.refusal === 'REPLICA_LOST') {
      await voidProof(session, peer, row.contentId); // what it lost it reports by itself
    }
    const newestId = session.newest?.row.contentId ?? Buffer.alloc(0);
    const replica = session.registry.contract(peer)?.replica;
    // The revision was superseded while the question was on its way: ask about the acknowledged one.
    if (replica !== undefined && shouldAskCurrent(answer, row.contentId, replica.acknowledged)) {
      return ask(session, peer, await acknowledgedRow(session, peer), 'first', signal);
    }
    return { outcome: judgeAnswer(mac, answer), newest: row.contentId.equals(newestId), row, planned, kind };
  }
  throw new BbError('INTEGRITY', 'cells of our own content are damaged, so this peer cannot be checked');
}

/** What is asked, and where the sweep stands in this revision. */
async function checkOf(
  session: Session,
  peer: OnionId,
  row: RevisionRow,
  kind: CheckKind['kind'],
): Promise<{ readonly check: CheckKind; readonly sweep: SweepCursor }> {
  const { catalog } = session.deps;
  const { proved, sweep } = session.registry.contract(peer)?.replica ?? freshReplica();
  if (kind !== 'first') return { check: { kind }, sweep };
  const before = proved.length === 0 ? undefined : await catalog.revision(proved);
  const common = before === undefined ? [] : await catalog.commonRuns(row.contentId, proved);
  return {
    check: { kind, newCells: newCellRanges(blobCellCount(row), common) },
    sweep: before === undefined ? sweep : movedSweep(sweep, before, row, common),
  };
}

async function send(
  session: Session,
  peer: OnionId,
  planned: PlannedChallenge,
  signal: AbortSignal,
): Promise<ChallengeAnswer> {
  const deadlineMs = DEADLINES_MS.challenge + DEADLINES_MS.challengeSlack;
  try {
    const { mac } = await session.client.challenge(peer, planned.question, { signal, deadlineMs });
    return { kind: 'mac', mac };
  } catch (error) {
    if (signal.aborted) throw error;
    if (error instanceof PeerRefusal) return { kind: 'refused', refusal: error.refusal };
    return { kind: 'silent', reachable: session.reach.isReachable(peer) };
  }
}

async function judge(session: Session, peer: OnionId, result: CheckResult): Promise<void> {
  const nowMs = session.deps.clock.nowMs();
  const { outcome, row, planned } = result;
  const isSilent = outcome === 'late' || outcome === 'unreachable';
  session.checkFailures.set(peer, isSilent ? (session.checkFailures.get(peer) ?? 0) + 1 : 0);
  const isSwept = outcome === 'wrong' || (outcome === 'held' && isSweep(result.kind, planned.question));
  let provedBefore = row.contentId;
  await session.registry.updateContract(peer, (contract) => {
    if (contract === undefined) throw new BbError('NO_CONTRACT', 'the contract is gone');
    const { replica } = contract;
    provedBefore = replica.proved;
    const judged = {
      ...replica,
      lastCheckMs: nowMs,
      lastOutcome: outcome,
      // Silence is no answer: the storer is asked about the new cells again.
      lastChecked: isSilent ? replica.lastChecked : row.contentId,
      lastHeldMs: outcome === 'held' ? nowMs : replica.lastHeldMs,
      proved: provedBy(outcome, row.contentId, replica.proved),
      sweep: outcome === 'held' ? planned.sweep : replica.sweep,
      lastSweepMs: isSwept || (!isSilent && replica.lastSweepMs === 0) ? nowMs : replica.lastSweepMs,
    };
    const provedSeconds = outcome === 'held' ? session.node.countedSeconds : contract.provedSeconds;
    return { ...contract, replica: judged, provedSeconds, conduct: CONDUCT_AFTER[outcome](contract.conduct) };
  });
  if (!isSilent) session.judged.add(peer);
  if (!provedBefore.equals(row.contentId)) planDrop(session, [provedBefore]);
  if (!isSilent) await moveContract(session, peer, result);
  session.bus.emit('check-judged', { peer, outcome, sequence: String(row.sequence), newest: String(result.newest) });
}

/** What the score remembers: a wrong proof, or silence of a peer that is in reach. */
const CONDUCT_AFTER: { readonly [outcome in ChallengeOutcome]: (before: Conduct) => Conduct } = {
  held: (before) => before,
  wrong: conductAfterWrong,
  late: conductAfterTimeout,
  unreachable: (before) => before,
};

/** Two wrong proofs are a default; every cell proved again is its cure. */
async function moveContract(
  session: Session,
  peer: OnionId,
  { outcome, row, planned, kind }: CheckResult,
): Promise<void> {
  let isDefault = false;
  const contract = await updateReplica(session, peer, (replica) => {
    const proof = withProof(replica.loss, outcome === 'held', session.node.countedSeconds);
    ({ isDefault } = proof);
    const { cure } = proof.loss;
    return {
      ...replica,
      loss: { ...proof.loss, cure: kind === 'cure' ? cureAfter(cure, planned.question, outcome, row) : cure },
    };
  });
  if (isDefault) await defaulted(session, peer, 'its copy was wrong twice');
  if (needsCure(contract) && isCured(contract.replica.loss.cure, row)) {
    await step(session, peer, { kind: 'cured' }, 'every cell of the copy was proved again');
  }
}

/** Only a judged answer changes what is proved: silence keeps it. */
function provedBy(outcome: ChallengeOutcome, contentId: Buffer, before: Buffer): Buffer {
  if (outcome === 'held') return contentId;
  return outcome === 'wrong' ? Buffer.alloc(0) : before;
}

function noCopy(): BbError {
  return new BbError('NOT_FOUND', 'this peer holds no revision of ours yet', {
    hint: 'See bb contracts show PEER for what it waits for.',
  });
}
