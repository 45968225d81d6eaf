// The end of a recovery: a new generation is sealed over the restored content and publishing starts
// again. By itself when nothing is missing and every listed contract peer answered; else by the user.

import { judgeCompletion } from '../core/recovery/completion.ts';
import { commitRevision, unchangedContent } from './commit-revision.ts';
import { updateReplica } from './replica.ts';
import { plan, planPublishAll } from './plan.ts';
import { listedContractPeers } from './open-head.ts';
import { changeMode } from './change-mode.ts';
import type { Session } from './session.ts';

/** The revision that is being recovered is committed here. */
export function isRestored({ newest, node }: Session): boolean {
  return newest !== undefined && newest.row.contentId.equals(node.recoveringId);
}

export async function tryComplete(session: Session): Promise<void> {
  const { recovery, deps, newest } = session;
  const listed = newest === undefined ? [] : listedContractPeers(newest.metadata);
  const sinceMs = recovery.firstAnswerMs === undefined ? 0 : deps.clock.monotonicMs() - recovery.firstAnswerMs;
  const completion = judgeCompletion(
    {
      isRestored: isRestored(session),
      missingFiles: recovery.missingFiles,
      listedPeers: listed.length,
      answeredPeers: listed.filter((peer) => recovery.holders.has(peer)).length,
      sinceFirstAnswerMs: sinceMs,
      isSequenceAccepted: recovery.acceptSequence !== 0 && recovery.acceptSequence === newest?.row.sequence,
      isAsked: recovery.isAsked,
      isLossAccepted: recovery.acceptLoss,
    },
    deps.periods,
  );
  if (completion.kind === 'complete') return complete(session);
  recovery.waitingFor = WAITING_WORDS[completion.forWhat];
  plan(
    session,
    'recover',
    Math.min(deps.periods.recoveringRetry, Math.max(0, deps.periods.publishBlockWait - sinceMs)),
  );
}

const WAITING_WORDS = {
  RESTORE: 'the content to come back',
  MISSING_FILES: 'your word (bb init complete): some files could not be brought back',
  PEERS: 'the remaining peers under contract to answer, so that none of them knows a newer revision',
} as const;

async function complete(session: Session): Promise<void> {
  const { newest, recovery } = session;
  await session.contentLock.run(async () => {
    if (newest === undefined || session.node.mode !== 'recovering') return;
    for (const holder of recovery.holders.values()) {
      if (session.registry.contract(holder.peer) === undefined) continue;
      const holds = holder.found.some((id) => id.contentId.equals(newest.row.contentId));
      const held = holds ? newest.row.contentId : Buffer.alloc(0);
      await updateReplica(session, holder.peer, (replica) => ({
        ...replica,
        offered: held,
        acknowledged: held,
        acknowledgedMs: holds ? session.deps.clock.nowMs() : 0,
        latestKnown: holder.report.requesterLatestKnown,
        lists: holds ? [held] : [],
      }));
    }
    await commitRevision(session, unchangedContent(newest), newest.row.generation + 1);
    await changeMode(session, 'completed', {
      recoveringId: Buffer.alloc(0),
      newIdentity: false,
      missingFiles: recovery.missingFiles,
    });
  });
  recovery.phase = 'complete';
  session.bus.emit('recovery-complete', { generation: String(session.node.baseGeneration) });
  planPublishAll(session, session.deps.periods.publishDebounce);
}
