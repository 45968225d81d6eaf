// Who holds what of ours, as the peers report it while we look or recover.

import type { OnionId } from '../core/ids.ts';
import type { RevisionReport } from '../ports/peer-client.ts';
import { changeMode } from './change-mode.ts';
import { openOwnId } from './own-id.ts';
import { plan } from './plan.ts';
import type { FoundId } from './recovery.ts';
import type { Session } from './session.ts';

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
  // Whoever holds nothing and is not on any list cannot tell us anything, and must not fill the memory.
  if (found.length === 0 && session.registry.peer(peer) === undefined) return;
  const known = recovery.holders.get(peer);
  const isSame = known?.found[0]?.contentId.equals(found[0]?.contentId ?? Buffer.alloc(0)) === true;
  const latestKnown = openOwnId(session, report.requesterLatestKnown);
  recovery.holders.set(peer, { peer, found, report, latestKnown, proved: isSame ? known.proved : undefined });
  if (found.length > 0) {
    const { mode, firstAnswerSeconds, countedSeconds } = session.node;
    if (mode === 'blocked' || firstAnswerSeconds < 0) {
      const since = firstAnswerSeconds < 0 ? countedSeconds : firstAnswerSeconds;
      await changeMode(session, 'first-id-found', { firstAnswerSeconds: since });
    }
    session.bus.emit('holder-found', { peer, sequence: String(found[0]?.sequence ?? 0) });
  }
  plan(session, 'recover', 0);
}
