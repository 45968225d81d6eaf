// Recovery: an identity that lost its disk comes online, its storers call in or are asked, the newest
// revision is chosen, its cells come back from all holders at once, and only when no listed storer can
// surprise us any more does the node publish again (docs/protocol.md, "Recovery").
// Invariant: typed secret = never overwrite: a node that is not `normal` offers nothing to anybody.

import { BbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import { chooseRevision } from '../core/recovery/choose.ts';
import { judgeFreshness } from '../core/recovery/freshness.ts';
import { nextMode } from '../core/recovery/node-mode.ts';
import type { ModeEvent } from '../core/recovery/node-mode.ts';
import { backOffMs } from '../core/policy/back-off.ts';
import type { NodeRecord } from '../core/records.ts';
import type { RevisionReport } from '../ports/peer-client.ts';
import { tryComplete } from './complete-recovery.ts';
import { openOwnId } from './lineage.ts';
import { listedContractPeers, openHead, proveHolder, takeRecordsBack } from './open-head.ts';
import { meetPeer, planPresenceAll } from './presence.ts';
import type { FoundId } from './recovery.ts';
import { restoreContent } from './restore-content.ts';
import type { Session } from './session.ts';

/** An authentic id of ours that we do not know: stop publishing and fetch it. */
export async function enterRecovering(session: Session, peer: OnionId, contentId: Buffer): Promise<void> {
  await changeMode(session, 'newer-id-found', { recoveringId: contentId });
  askHolder(session, peer);
}

export async function changeMode(
  session: Session,
  event: ModeEvent,
  more: Partial<NodeRecord> = {},
): Promise<void> {
  const before = session.node.mode;
  await session.registry.updateNode((node) => {
    if (node === undefined) throw new BbError('INTERNAL', 'the node record is gone');
    const mode = nextMode(node.mode, event);
    return { ...node, ...more, mode, modeSinceMs: mode === node.mode ? node.modeSinceMs : session.deps.clock.nowMs() };
  });
  if (session.node.mode !== before) session.bus.emit('mode-changed', { from: before, to: session.node.mode });
}

/** Asks one peer what it holds of ours; its answer comes by noteHolder. */
export function askHolder(session: Session, peer: OnionId): void {
  if (peer === session.self) return;
  session.scheduler.plan('recovery', `ask:${peer}`, 0, async (signal) => {
    await meetPeer(session, peer, signal);
  });
}

/** A peer reported what it holds of ours while we look or recover. */
export async function noteHolder(session: Session, peer: OnionId, report: RevisionReport): Promise<void> {
  const { recovery } = session;
  const ids = [report.requesterContent, ...report.requesterOlder].filter((info) => info !== undefined);
  const found: FoundId[] = [];
  for (const { contentId, contentBytes } of ids) {
    const revision = openOwnId(session, contentId);
    if (revision === undefined) session.bus.emit('peer-fault', { peer, fault: 'content id that does not open' });
    else found.push({ contentId, ...revision, revision, contentBytes });
  }
  const known = recovery.holders.get(peer);
  const isSame = known?.found[0]?.contentId.equals(found[0]?.contentId ?? Buffer.alloc(0)) === true;
  recovery.holders.set(peer, { peer, found, report, proved: isSame ? known.proved : undefined });
  if (found.length > 0) {
    recovery.firstAnswerMs ??= session.deps.clock.monotonicMs();
    session.bus.emit('holder-found', { peer, sequence: String(found[0]?.sequence ?? 0) });
    if (session.node.mode === 'blocked') await changeMode(session, 'first-id-found');
  }
  planRecovery(session, 0);
}

export function planRecovery(session: Session, delayMs: number): void {
  session.scheduler.plan('recovery', 'recover', delayMs, async (signal) => {
    try {
      await recoverStep(session, signal);
      session.recovery.failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      const { recoveringRetry, publishRetryMax } = session.deps.periods;
      session.deps.log.warn('recovery step failed', { code: error instanceof BbError ? error.code : 'unknown' });
      session.deps.log.debug('recovery failure', { detail: String(error) });
      planRecovery(session, backOffMs(session.recovery.failures, recoveringRetry, publishRetryMax));
      session.recovery.failures += 1;
    }
    session.bus.emit('recovery', { phase: session.recovery.phase, mode: session.node.mode });
  });
}

/** One look at everything that is known; what must wait is planned again. */
async function recoverStep(session: Session, signal: AbortSignal): Promise<void> {
  const { recovery, node } = session;
  if (node.mode === 'normal') return;
  if (node.mode === 'blocked') return look(session);
  askEverybody(session);
  const isRestored = session.newest !== undefined && session.newest.row.contentId.equals(node.recoveringId);
  const target = await chooseTarget(session, signal);
  if (target === undefined) {
    recovery.waitingFor = isRestored ? recovery.waitingFor : 'a peer that holds your content to call in or answer';
    return isRestored ? tryComplete(session) : undefined;
  }
  if (!(isRestored && session.newest?.row.contentId.equals(target.row.contentId) === true)) {
    if (!(await isFresh(session, signal))) return;
    await restoreContent(session, target, signal);
  }
  await tryComplete(session);
}

/** `blocked`: nobody is known to hold anything. `init --new` ends the look after a while. */
async function look(session: Session): Promise<void> {
  askEverybody(session);
  session.recovery.phase = 'looking';
  session.recovery.waitingFor = 'a peer that holds your content to call in or answer';
  if (!session.node.newIdentity) return;
  const lookedMs = session.deps.clock.nowMs() - session.node.modeSinceMs;
  const leftMs = session.deps.periods.newIdentityLook - lookedMs;
  if (leftMs > 0) return planRecovery(session, leftMs);
  await changeMode(session, 'look-found-nobody');
}

function askEverybody(session: Session): void {
  for (const { onionId } of session.registry.peers()) {
    if (!session.recovery.holders.has(onionId)) askHolder(session, onionId);
  }
}

/** Opens the head of the newest revision that anybody holds; a holder whose head is bad is passed over. */
async function chooseTarget(session: Session, signal: AbortSignal) {
  const { recovery } = session;
  const wanted = [...recovery.holders.values()]
    .flatMap((holder) => holder.found)
    .filter((id) => recovery.acceptSequence === 0 || id.sequence === recovery.acceptSequence);
  const choice = chooseRevision(wanted);
  if (choice === undefined) return undefined;
  const { newest } = choice;
  if (recovery.target?.row.contentId.equals(newest.contentId) === true) return recovery.target;
  recovery.phase = 'comparing';
  const head = await openHead(session, newest, signal);
  if (head === undefined) throw new BbError('BAD_PEER_DATA', 'no holder gave a head that opens');
  recovery.target = head;
  await changeMode(session, 'first-id-found', { recoveringId: newest.contentId });
  session.bus.emit('revision-found', { sequence: String(newest.sequence), generation: String(newest.generation) });
  await takeRecordsBack(session, head.metadata);
  planPresenceAll(session);
  askEverybody(session);
  return head;
}

/** A few stale storers must not pass an old revision off as the newest. */
async function isFresh(session: Session, signal: AbortSignal): Promise<boolean> {
  const { recovery, deps } = session;
  const target = recovery.target;
  if (target === undefined) return false;
  const listed = new Set(listedContractPeers(target.metadata));
  const candidates = [...recovery.holders.values()].filter(({ peer, found }) => listed.has(peer) && found.length > 0);
  await Promise.all(candidates.map((holder) => proveHolder(session, holder, signal)));
  const freshness = judgeFreshness(
    {
      holders: candidates.filter(({ proved }) => proved === true).length,
      listedContractPeers: listed.size,
      sinceFirstAnswerMs:
        recovery.firstAnswerMs === undefined ? undefined : deps.clock.monotonicMs() - recovery.firstAnswerMs,
      hasUsersWord: recovery.acceptSequence !== 0,
    },
    deps.periods,
  );
  if (freshness.isFresh) return true;
  recovery.waitingFor = `${freshness.missing} more of the peers that hold your content, so that no older copy is taken for the newest`;
  const againMs = Math.min(freshness.waitMs ?? deps.periods.freshnessWait, deps.periods.recoveringRetry);
  planRecovery(session, againMs);
  return false;
}
