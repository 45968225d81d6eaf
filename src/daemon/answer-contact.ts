// A peer asks what is held for whom, and tells what it holds for us: the acknowledgement of a revision,
// and, when our disk is new, the first sign of a storer.

import type { OnionId } from '../core/ids.ts';
import { CELL_BYTES } from '../core/limits.ts';
import type { HeldRecord } from '../core/records.ts';
import type { ContentInfo, RevisionReport } from '../ports/peer-client.ts';
import { recheckAfterLoss } from './answer-loss.ts';
import { acknowledge, isBehind } from './contact.ts';
import { currentHeld, markReported } from './held.ts';
import { isNewToUs } from './holders.ts';
import { isFork, judgeOwnId } from './lineage.ts';
import { openOwnId } from './own-id.ts';
import { planFor } from './plan.ts';
import { remainingOf } from './remaining.ts';
import type { Session } from './session.ts';

/** Storers that proved by an id that opens that they are not strangers to this node, while it knows no peers. */
export async function answerContact(session: Session, caller: OnionId, held: Buffer): Promise<RevisionReport> {
  if (session.node.mode === 'normal') {
    if (await judgeOwnId(session, caller, held)) {
      await acknowledge(session, caller, held);
      if (isBehind(session, caller, held) || isFork(session, held)) planFor(session, 'ask', caller, 0);
      await recheckAfterLoss(session, caller, held);
    }
  } else {
    if (held.length > 0 && openOwnId(session, held) !== undefined) session.callers.add(caller);
    // Who asks us because it recovers, too, is not asked for that: we would answer each other without end.
    if (isNewToUs(session, caller, held)) planFor(session, 'ask', caller, 0);
  }
  const current = currentHeld(session, caller);
  if (current !== undefined) await markReported(session, current.id); // the answer tells the owner
  return report(session, caller);
}

function report(session: Session, caller: OnionId): RevisionReport {
  const contract = session.registry.contract(caller);
  const current = currentHeld(session, caller)?.value;
  const kept = session.registry.heldOf(caller).filter(({ value }) => value.role === 'kept');
  return {
    requesterContent: current === undefined ? undefined : contentInfo(current),
    requesterRemainingSeconds: contract === undefined ? 0 : remainingOf(session, contract),
    responderContent: undefined,
    requesterLatestKnown: contract?.theirLatestKnown ?? Buffer.alloc(0),
    requesterOlder: kept.map(({ value }) => contentInfo(value)),
    contractState: contract?.state,
    responderRecovering: session.node.mode !== 'normal',
    requesterPull: contract?.theirPull ?? 'NONE',
  };
}

function contentInfo(held: HeldRecord): ContentInfo {
  return { contentId: held.contentId, contentBytes: held.cells * CELL_BYTES, root: held.root };
}
