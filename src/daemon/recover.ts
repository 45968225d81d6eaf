// Recovery: an identity that lost its disk comes online, its storers call in or are asked, the newest
// revision is chosen, its cells come back from all holders at once, and only when no listed storer can
// surprise us any more does the node publish again (docs/protocol.md, "Recovery").
// Invariant: typed secret = never overwrite: a node that is not `normal` offers nothing to anybody.

import { compareRevisions } from '../core/content/revision-order.ts';
import { BbError, isBbError } from '../core/errors.ts';
import { backOffMs } from '../core/policy/back-off.ts';
import { PERIODS_MS } from '../core/policy/periods.ts';
import { chooseRevision } from '../core/recovery/choose.ts';
import { judgeFreshness } from '../core/recovery/freshness.ts';
import type { Freshness } from '../core/recovery/freshness.ts';
import { changeMode } from './change-mode.ts';
import { isRestored, tryComplete, tryCompletePartly } from './complete-recovery.ts';
import { rememberFork } from './lineage.ts';
import { listedContracts, openHead, proveHolder, takeRecordsBack } from './open-head.ts';
import { plan, planFor, planPresenceAll } from './plan.ts';
import type { FoundId, OpenedHead } from './recovery.ts';
import { sinceFirstAnswerMs } from './recovery-waits.ts';
import { refuseUnheldWord } from './recovery-words.ts';
import { restoreContent } from './restore-content.ts';
import type { Session } from './session.ts';

/** The task: one step, again and again while something is missing or waited for. */
export async function recover(session: Session, signal: AbortSignal): Promise<void> {
  session.recovery.looks += 1;
  try {
    await recoverStep(session, signal);
    session.recovery.incompatible = undefined;
  } catch (error) {
    if (signal.aborted) return;
    session.recovery.incompatible = isBbError(error, 'INCOMPATIBLE') ? error : undefined;
    session.deps.log.warn('recovery step failed', { code: error instanceof BbError ? error.code : 'unknown' });
    session.deps.log.debug('recovery failure', { detail: String(error) });
    lookAgain(session);
  }
  session.bus.emit('recovery', { phase: session.recovery.phase, mode: session.node.mode });
}

/** One look at everything that is known; what must wait is planned again. */
async function recoverStep(session: Session, signal: AbortSignal): Promise<void> {
  const { recovery, node } = session;
  if (node.mode === 'normal') return;
  if (node.mode === 'blocked') return look(session);
  askEverybody(session);
  if (session.laterFormat && node.acceptedSequence === 0 && !recovery.acceptLoss) {
    throw new BbError('INCOMPATIBLE', 'a peer holds content of yours that a newer version made');
  }
  const target = await chooseTarget(session, signal);
  if (target === undefined) {
    if (isRestored(session)) return tryComplete(session);
    await refuseUnheldWord(session);
    recovery.waitingFor = 'a peer that holds your content to call in or answer';
    return;
  }
  if (!(await hasAlready(session, target))) {
    const freshness = await proveFreshness(session, target, signal);
    const { isFresh } = freshness;
    // Holders sleep and leave: what they give is fetched while others are waited for, and taken when it is the newest.
    const isLeft = isFresh || !recovery.isGathered;
    const isOver = (): boolean => !isStillNewest(session, target);
    const end = isLeft ? await restoreContent(session, target, { isFresh, isOver }, signal) : 'gathered';
    if (end === 'overtaken' || !isStillNewest(session, target)) return plan(session, 'recover', 0);
    if (!freshness.isFresh) return waitForFreshness(session, freshness.waitMs);
    if (end === 'stuck') return stuck(session, target);
  }
  await tryComplete(session);
}

/**
 * It is committed here, or what this node sealed over it is: a recovery that was killed while it sealed its last revision
 * finds that one in its packs at the next unlock.
 */
async function hasAlready({ newest, node, deps }: Session, { row }: OpenedHead): Promise<boolean> {
  if (newest === undefined) return false;
  if (newest.row.contentId.equals(row.contentId)) return true;
  if (node.acceptedSequence !== 0 || compareRevisions(newest.row, row) < 0) return false;
  return (await deps.catalog.revision(row.contentId)) !== undefined;
}

/**
 * Nothing more can be had now. Whoever comes or tells of something else plans the next step at once (holders.ts), so this is for
 * holders that stay in touch and change their mind: what was asked for in vain is asked for ever more seldom.
 */
function lookAgain(session: Session): void {
  const { recovery, deps } = session;
  plan(session, 'recover', backOffMs(recovery.idleSteps, deps.periods.recoveringRetry, deps.periods.publishRetryMax));
  recovery.idleSteps += 1;
}

/** Others may prove themselves meanwhile, and the wait ends by itself. It is counted in ticks. */
function waitForFreshness(session: Session, waitMs: number | undefined): void {
  const { periods, timeDivisor } = session.deps;
  lookAgain(session);
  if (waitMs !== undefined) plan(session, 'recover', Math.max(periods.tick, waitMs / timeDivisor));
}

/** Asked again and again, because another holder may come; the user may end it. */
async function stuck(session: Session, target: OpenedHead): Promise<void> {
  await tryCompletePartly(session, target);
  if (session.node.mode === 'recovering') lookAgain(session);
}

/** `blocked`: nobody is known to hold anything. `init --new` ends the look after a while. */
async function look(session: Session): Promise<void> {
  askEverybody(session);
  session.recovery.phase = 'looking';
  session.recovery.waitingFor = 'a peer that holds your content to call in or answer';
  if (!session.node.newIdentity) return;
  // Only time in which we can be found counts: whoever holds something must have had the chance to call in.
  if (!session.deps.tor.state().published) {
    session.recovery.lookSinceMs = undefined;
    return; // planned again when our address is live
  }
  session.recovery.lookSinceMs ??= session.deps.clock.monotonicMs();
  const lookedMs = session.deps.clock.monotonicMs() - session.recovery.lookSinceMs;
  const leftMs = session.deps.periods.newIdentityLook - lookedMs;
  if (leftMs > 0) return plan(session, 'recover', leftMs);
  await changeMode(session, 'look-found-nobody');
}

function askEverybody(session: Session): void {
  for (const { onionId } of session.registry.peers()) {
    if (!session.recovery.holders.has(onionId)) planFor(session, 'ask', onionId, 0);
  }
}

/** The newest revision that anybody holds and whose head may open, as far as is known this moment. */
function newestKnown(session: Session): ReturnType<typeof chooseRevision<FoundId>> {
  const nowMs = session.deps.clock.monotonicMs();
  return chooseRevision(wantedIds(session).filter(({ contentId }) => !session.recovery.isHeadAway(contentId, nowMs)));
}

function wantedIds({ recovery, node }: Session): FoundId[] {
  return [...recovery.holders.values()]
    .flatMap((holder) => holder.found)
    .filter((id) => node.acceptedSequence === 0 || id.sequence === node.acceptedSequence)
    .filter((id) => !recovery.badHeads.has(id.contentId.toString('hex')));
}

/** Holders answer while a head is fetched or cells come back: one that holds a newer revision moves the target. */
function isStillNewest(session: Session, target: OpenedHead): boolean {
  return newestKnown(session)?.newest.contentId.equals(target.row.contentId) === true;
}

/** Opens the head of the newest revision that anybody holds; a holder whose head is bad is passed over. */
async function chooseTarget(session: Session, signal: AbortSignal): Promise<OpenedHead | undefined> {
  const { recovery } = session;
  const choice = newestKnown(session);
  if (choice === undefined) return undefined;
  const { newest, forks } = choice;
  for (const { contentId } of forks) await rememberFork(session, contentId);
  if (recovery.target?.row.contentId.equals(newest.contentId) === true) return recovery.target;
  recovery.phase = 'comparing';
  const head = await headOf(session, newest, signal);
  if (head === undefined) return chooseTarget(session, signal);
  recovery.target = head;
  recovery.idleSteps = 0;
  recovery.stuckOn = undefined;
  recovery.isGathered = false;
  await changeMode(session, 'first-id-found', { recoveringId: newest.contentId });
  session.bus.emit('revision-found', { sequence: String(newest.sequence), generation: String(newest.generation) });
  await takeRecordsBack(session, head.metadata);
  planPresenceAll(session);
  askEverybody(session);
  return head;
}

/**
 * A head that is not given as it should be is passed over, for good when it does not open, for a while when its holder cannot
 * be asked: nobody keeps a recovery waiting by calling in and giving nothing. It is not forgotten: its id is newer than what
 * is restored, and that must be lived with knowingly.
 */
async function headOf(session: Session, id: FoundId, signal: AbortSignal): Promise<OpenedHead | undefined> {
  const { recovery, deps } = session;
  const key = id.contentId.toString('hex');
  try {
    const head = await openHead(session, id, signal);
    if (head === undefined) recovery.badHeads.add(key);
    return head;
  } catch (error) {
    if (signal.aborted || !isBbError(error, 'PEER_UNREACHABLE')) throw error;
    const tries = recovery.awayHeads.get(key)?.tries ?? 0;
    const delayMs = backOffMs(tries, deps.periods.recoveringRetry, deps.periods.publishRetryMax);
    recovery.awayHeads.set(key, { tries: tries + 1, untilMs: deps.clock.monotonicMs() + delayMs });
    plan(session, 'recover', delayMs);
    return undefined;
  }
}

/** A few stale storers must not pass an old revision off as the newest. */
async function proveFreshness(session: Session, target: OpenedHead, signal: AbortSignal): Promise<Freshness> {
  const { row, metadata } = target;
  const { recovery, node } = session;
  const contracts = listedContracts(metadata).map(({ peer, state }) => ({ holder: recovery.holders.get(peer), state }));
  const holders = contracts.flatMap(({ holder }) => (holder === undefined ? [] : [holder]));
  await Promise.all(holders.map((holder) => proveHolder(session, holder, signal)));
  const listed = contracts.map(({ holder, state }) => ({ state, isProved: holder?.proved === true }));
  const freshness = judgeFreshness(
    {
      listed,
      isNewerKnown: wantedIds(session).some((id) => compareRevisions(id, row) > 0),
      sinceFirstAnswerMs: sinceFirstAnswerMs(node),
      hasUsersWord: node.acceptedSequence !== 0,
    },
    PERIODS_MS,
  );
  if (!freshness.isFresh) {
    recovery.waitingFor = `${freshness.missing} more of the peers that hold your content, so that no older copy is taken for the newest`;
  }
  return freshness;
}
