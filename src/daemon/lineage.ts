// The lineage guard: what an id of our own that comes from outside means. It protects a node that
// lost its disk, or whose disk was restored from an older image, from replacing newer copies.

import { BbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import { judgeOwnId as judgeId, mayNameAsPrevious } from '../core/recovery/lineage-guard.ts';
import type { OwnIdJudgement } from '../core/recovery/lineage-guard.ts';
import type { Lineage } from '../core/content/ancestors.ts';
import type { RevisionPlace } from '../core/content/revision-order.ts';
import type { NodeRecord } from '../core/records.ts';
import { changeMode } from './change-mode.ts';
import { openOwnId } from './own-id.ts';
import { planFor } from './plan.ts';
import { Recovery } from './recovery.ts';
import { NO_RECOVERY } from './recovery-waits.ts';
import type { Newest, Session } from './session.ts';

/**
 * Judges a content_id that a peer says is ours. True: it may be named as previous. False: an
 * authentic id above our base was found and the node went into recovery.
 */
export async function judgeOwnId(session: Session, peer: OnionId, contentId: Buffer): Promise<boolean> {
  const judgement = judge(session, contentId);
  if (judgement === 'newer') {
    const isNew = session.node.mode === 'normal';
    if (isNew) session.recovery = new Recovery();
    await changeMode(session, 'newer-id-found', { ...(isNew ? NO_RECOVERY : {}), recoveringId: contentId });
    planFor(session, 'ask', peer, 0);
    return false;
  }
  if (judgement === 'foreign') session.bus.emit('peer-fault', { peer, fault: 'content id that does not open' });
  if (judgement === 'fork') await rememberFork(session, contentId);
  return true;
}

/** A fork of the generation that we publish in: two writers are alive, or were, and nothing is published over it. */
export function hasLiveFork(session: Session): boolean {
  return session.node.forks.some((id) => isLive(session, id));
}

/** Not merged and not below our generation. */
export function isLive(session: Session, id: Buffer): boolean {
  const place = openOwnId(session, id);
  return place !== undefined && place.generation >= session.node.baseGeneration;
}

/** True if an offer to this peer may name `contentId` as previous; one that does not open is named once. */
export function mayName(session: Session, peer: OnionId, contentId: Buffer): boolean {
  const judgement = judge(session, contentId);
  if (judgement === 'fork') return !isLive(session, contentId) && isKnownToLack(session, peer, contentId);
  return mayNameAsPrevious(judgement, session.foreignNamed.has(peer));
}

/** An offer would put what the peer holds of a fork on its way out, before it is merged. */
function isKnownToLack({ contacts, recovery }: Session, peer: OnionId, fork: Buffer): boolean {
  return (
    contacts.get(peer)?.isMet === true &&
    recovery.holders.get(peer)?.found.some((id) => id.contentId.equals(fork)) !== true
  );
}

/** Ours by its key, and not of our line. */
export function isFork(session: Session, contentId: Buffer): boolean {
  return contentId.length > 0 && judge(session, contentId) === 'fork';
}

/** The peer answered an offer that named this id: one that does not open is not named again. */
export function noteNamed(session: Session, peer: OnionId, contentId: Buffer): void {
  if (judge(session, contentId) === 'foreign') session.foreignNamed.add(peer);
}

function judge(session: Session, contentId: Buffer): OwnIdJudgement {
  const { node, newest } = session;
  // What peers say nearly always need not be opened.
  if (newest?.row.contentId.equals(contentId) === true) return 'ours';
  const place: RevisionPlace | undefined = openOwnId(session, contentId);
  return judgeId(contentId, place, newest === undefined ? baseLine(node) : lineOf(newest));
}

/** Everything from one revision: its place, its id, and its own window of ancestors. */
export function lineOf({ row, metadata }: Newest): Lineage {
  const { contentId, generation, sequence } = row;
  const { ancestors, generations, settled } = metadata;
  return { contentId, generation, sequence, ancestors, generations, settled };
}

/** A node that lost its newest revision but not its record still knows how far it was. */
function baseLine({ baseContentId, baseGeneration, baseSequence }: NodeRecord): Lineage | undefined {
  if (baseContentId.length === 0) return undefined;
  return {
    contentId: baseContentId,
    generation: baseGeneration,
    sequence: baseSequence,
    ancestors: Buffer.alloc(0),
    generations: [],
    settled: Buffer.alloc(0),
  };
}

/** What was committed here beside the line that is taken back now is kept and shown, not dropped as superseded. */
export async function rememberOwnFork(session: Session, line: Newest): Promise<void> {
  const own = session.newest?.row;
  if (own !== undefined && judgeId(own.contentId, own, lineOf(line)) === 'fork') {
    await addFork(session, own.contentId, Number.POSITIVE_INFINITY); // nobody else may have it
  }
}

/**
 * Shown until it is merged; content under both ids stays where it is. More than are kept at a time are not remembered: who
 * holds them tells of them again. But one that is alive stops all publishing, and is never left out.
 */
export function rememberFork(session: Session, contentId: Buffer): Promise<void> {
  const isFirstLive = isLive(session, contentId) && !hasLiveFork(session);
  return addFork(session, contentId, isFirstLive ? Number.POSITIVE_INFINITY : FORKS_KEPT);
}

async function addFork(session: Session, contentId: Buffer, limit: number): Promise<void> {
  if (isRemembered(session.node, contentId)) return;
  let isNew = false;
  await session.registry.updateNode((node) => {
    if (node === undefined) throw new BbError('INTERNAL', 'the node record is gone');
    // Peers tell of it at the same time.
    isNew = !isRemembered(node, contentId) && node.forks.length < limit;
    return isNew ? { ...node, forks: [...node.forks, contentId] } : node;
  });
  if (isNew) session.bus.emit('fork-found', {});
}

function isRemembered({ forks }: NodeRecord, contentId: Buffer): boolean {
  return forks.some((fork) => fork.equals(contentId));
}

/** Forks of peers that are remembered and shown at a time. */
const FORKS_KEPT = 16;
