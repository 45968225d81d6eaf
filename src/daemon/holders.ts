// Who holds what of ours, as the peers report it while we look or recover.

import type { OnionId } from '../core/ids.ts';
import type { RevisionReport } from '../ports/peer-client.ts';
import { changeMode } from './change-mode.ts';
import { isFork, rememberFork } from './lineage.ts';
import { openOwnId } from './own-id.ts';
import { plan } from './plan.ts';
import type { FoundId, Holder } from './recovery.ts';
import type { Session } from './session.ts';

/** A peer reported what it holds of ours while we look or recover. */
export async function noteHolder(session: Session, peer: OnionId, report: RevisionReport): Promise<void> {
  const { recovery } = session;
  const found = foundIn(session, peer, report);
  // Whoever holds nothing and is not on any list cannot tell us anything, and must not fill the memory.
  if (found.length === 0 && session.registry.peer(peer) === undefined) return;
  const known = recovery.holders.get(peer);
  const isSame = known?.found[0]?.contentId.equals(found[0]?.contentId ?? Buffer.alloc(0)) === true;
  const latestKnown = openOwnId(session, report.requesterLatestKnown);
  const contact = session.contacts.get(peer);
  const holder = { peer, found, report, latestKnown, proved: isSame ? known.proved : undefined, contact };
  recovery.holders.set(peer, holder);
  // Another one may give the head that the others did not.
  if (known === undefined) for (const { contentId } of found) recovery.awayHeads.delete(contentId.toString('hex'));
  if (found.length > 0) {
    const { mode, firstAnswerSeconds, countedSeconds } = session.node;
    if (mode === 'blocked' || firstAnswerSeconds < 0) {
      const since = firstAnswerSeconds < 0 ? countedSeconds : firstAnswerSeconds;
      await changeMode(session, 'first-id-found', { firstAnswerSeconds: since });
    }
    session.bus.emit('holder-found', { peer, sequence: String(found[0]?.sequence ?? 0) });
  }
  // The same answer again says nothing: two nodes that recover and ask each other would never rest.
  if (!isNews(holder, known)) return;
  recovery.idleSteps = 0;
  plan(session, 'recover', 0);
}

/** Nobody knew it, it tells of something else, or it was away. */
function isNews(now: Holder, before: Holder | undefined): boolean {
  if (before === undefined || now.contact !== before.contact) return true;
  return !toldIds(now).equals(toldIds(before));
}

function toldIds({ found, report }: Holder): Buffer {
  return Buffer.concat([report.requesterLatestKnown, ...found.map(({ contentId }) => contentId)]);
}

/** While we recover: what the caller says of itself is not what is known of it, or it may have been away. */
export function isNewToUs({ recovery, client }: Session, caller: OnionId, held: Buffer): boolean {
  const known = recovery.holders.get(caller);
  if (known === undefined || !client.isConnected(caller)) return true;
  return !(known.report.requesterContent?.contentId ?? Buffer.alloc(0)).equals(held);
}

/** The same on a node that is `normal`: only forks matter. What the peer holds of them can be merged. */
export async function noteForks(session: Session, peer: OnionId, report: RevisionReport): Promise<void> {
  const { holders } = session.recovery;
  const known = holders.get(peer);
  const forks = foundIn(session, peer, report).filter(({ contentId }) => isFork(session, contentId));
  const others = known?.found.filter(({ contentId }) => !isFork(session, contentId)) ?? [];
  if (forks.length === 0 && others.length === (known?.found.length ?? 0)) return;
  const latestKnown = openOwnId(session, report.requesterLatestKnown);
  const contact = session.contacts.get(peer);
  holders.set(peer, { peer, found: [...others, ...forks], report, latestKnown, proved: known?.proved, contact });
  for (const { contentId } of forks) await rememberFork(session, contentId);
  plan(session, 'merge', 0);
}

/** A recovery has ended: what holders have beside the line that came of it. */
export async function noteForksBeside(session: Session): Promise<void> {
  for (const { found } of session.recovery.holders.values()) {
    for (const { contentId } of found) if (isFork(session, contentId)) await rememberFork(session, contentId);
  }
  if (session.node.forks.length > 0) plan(session, 'merge', 0);
}

/** The authentic revisions in a report; what does not open is the peer's fault. */
export function foundIn(session: Session, peer: OnionId, report: RevisionReport): FoundId[] {
  const ids = [report.requesterContent, ...report.requesterOlder].filter((info) => info !== undefined);
  const found: FoundId[] = [];
  for (const { contentId, contentBytes } of ids) {
    const revision = openOwnId(session, contentId);
    if (revision === undefined) session.bus.emit('peer-fault', { peer, fault: 'content id that does not open' });
    else found.push({ contentId, ...revision, revision, contentBytes });
  }
  return found;
}
