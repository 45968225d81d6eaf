// The lineage guard: what an id of our own that comes from outside means. It protects a node that
// lost its disk, or whose disk was restored from an older image, from replacing newer copies.

import { BbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import { judgeLineage } from '../core/content/ancestors.ts';
import type { LineageVerdict } from '../core/content/ancestors.ts';
import type { RevisionPlace } from '../core/content/revision-order.ts';
import { enterRecovering } from './recover.ts';
import type { Session } from './session.ts';

/**
 * Judges a content_id that a peer says is ours. True: it may be named as previous. False: an
 * authentic id above our base was found and the node went into recovery.
 */
export async function judgeOwnId(session: Session, peer: OnionId, contentId: Buffer): Promise<boolean> {
  if (contentId.length === 0) return true;
  const revision = openOwnId(session, contentId);
  if (revision === undefined) {
    session.bus.emit('peer-fault', { peer, fault: 'content id that does not open' });
    return true;
  }
  const verdict = verdictOn(session, contentId, revision);
  if (verdict === 'newer') {
    await enterRecovering(session, peer, contentId);
    return false;
  }
  if (verdict === 'fork') await rememberFork(session, contentId);
  return true;
}

/** Like keyring.openContentId, but an authentic id of a later format counts as not ours to judge. */
export function openOwnId(session: Session, contentId: Buffer): ReturnType<Session['keyring']['openContentId']> {
  try {
    return session.keyring.openContentId(contentId);
  } catch (error) {
    if (error instanceof BbError) return undefined;
    throw error;
  }
}

function verdictOn(session: Session, contentId: Buffer, place: RevisionPlace): LineageVerdict {
  const { node, newest } = session;
  return judgeLineage(
    {
      generation: node.baseGeneration,
      sequence: node.baseSequence,
      contentId: node.baseContentId,
      ancestors: newest?.metadata.ancestors ?? Buffer.alloc(0),
      generations: newest?.metadata.generations ?? [],
    },
    place,
    contentId,
  );
}

async function rememberFork(session: Session, contentId: Buffer): Promise<void> {
  if (session.node.forks.some((fork) => fork.equals(contentId))) return;
  await session.registry.updateNode((node) => {
    if (node === undefined) throw new Error('the node record is gone');
    return { ...node, forks: [...node.forks, contentId].slice(-FORKS_KEPT) };
  });
  session.bus.emit('fork-found', {});
}

/** Forks that are remembered and shown. */
const FORKS_KEPT = 16;
