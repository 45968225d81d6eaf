// Forks below our generation are merged: their files are added to ours (docs/protocol.md, "Lineage"). The generation was
// raised by the user's word or by a recovery, so whoever made the fork is behind us, and the rest needs no word any more.
// Invariant: additive, and nothing of a fork is lost on the way: it is known as one until the commit that holds its files, its
// copy here is kept so long, and no storer that holds it is offered anything else. Every step can be cut.

import { settle } from '../core/content/ancestors.ts';
import { compareRevisions } from '../core/content/revision-order.ts';
import { BbError, invariant, toBbError } from '../core/errors.ts';
import type { StagedContent } from '../ports/catalog.ts';
import { commitRevision, splitIds, unchangedContent } from './commit-revision.ts';
import { fetchContent } from './fetch-content.ts';
import { isFork, isLive, lineOf } from './lineage.ts';
import { withMissing } from './missing-files.ts';
import { openHead } from './open-head.ts';
import { openOwnId } from './own-id.ts';
import { planPublishAll } from './plan.ts';
import type { FoundId, OpenedHead } from './recovery.ts';
import type { Newest, Session } from './session.ts';
import { planDrop } from './superseded.ts';

/**
 * What the user said of forks of which something is missing: that the files that are whole are enough, of those forks that were
 * `shown` (content ids in hex) when he said it, or, if the loss is accepted, of any, also where no file is whole.
 */
export type ForkWord = { readonly shown: ReadonlySet<string>; readonly isLossAccepted: boolean };

const NO_WORD: ForkWord = { shown: new Set(), isLossAccepted: false };

/** The task, and `bb init complete`. What cannot be merged now is tried again at each tick and at each contact with a holder. */
export function mergeForks(session: Session, signal: AbortSignal, word = NO_WORD): Promise<void> {
  return session.forkLock.run(async () => {
    for (const id of mergeable(session)) {
      try {
        await mergeFork(session, id, word, signal);
      } catch (error) {
        if (signal.aborted || session.node.mode !== 'normal') return;
        session.deps.log.warn('a fork could not be merged yet', { code: toBbError(error).code });
        session.deps.log.debug('fork failure', { detail: String(error) });
      }
    }
  });
}

/** The newest first: what it has behind it is merged with it. */
function mergeable(session: Session): FoundId[] {
  if (session.node.mode !== 'normal') return [];
  return session.node.forks
    .filter((contentId) => !isLive(session, contentId))
    .flatMap((contentId) => {
      const revision = openOwnId(session, contentId);
      return revision === undefined ? [] : [{ contentId, ...revision, revision, contentBytes: 0 }];
    })
    .sort((a, b) => compareRevisions(b, a));
}

async function mergeFork(session: Session, id: FoundId, word: ForkWord, signal: AbortSignal): Promise<void> {
  if (!isFork(session, id.contentId)) {
    // It was behind one that was merged.
    await session.registry.updateNode(() => ({ ...session.node, forks: without(session, id) }));
    return planDrop(session, [id.contentId]);
  }
  const fork = await headOf(session, id, signal);
  if (fork !== undefined && (await fetchAndMerge(session, fork, word, signal))) return;
  if (!word.isLossAccepted) return;
  await session.contentLock.run(() =>
    commitSettled(session, unchangedContent(needNewest(session)), id, fork?.metadata.ancestors, []),
  );
}

/** What was made here, and then put aside by a recovery, is here still. */
async function headOf(session: Session, id: FoundId, signal: AbortSignal): Promise<OpenedHead | undefined> {
  const row = await session.deps.catalog.revision(id.contentId);
  const metadata = row && session.deps.metadata.decode(row.metadata);
  if (row !== undefined && metadata !== undefined) return { row, metadata };
  return openHead(session, id, signal);
}

/** False when cells are missing that nobody gives, and the user did not say yet that he knows. */
async function fetchAndMerge(
  session: Session,
  { row, metadata }: OpenedHead,
  word: ForkWord,
  signal: AbortSignal,
): Promise<boolean> {
  const { stuckForks } = session.recovery;
  const name = row.contentId.toString('hex');
  const work = await session.deps.workers.startRecovery(row, splitIds(metadata.indexCells));
  const job = session.jobs.start('merge');
  let isMerged = false;
  try {
    const nothing = (): void => undefined;
    const isOver = (): boolean => session.node.mode !== 'normal';
    const isWhole = await fetchContent(session, { row, work, job, isOver, onCounts: nothing, onCell: nothing }, signal);
    // Who accepts the loss means what is lost, not the files that are here.
    const isAccepted = (word.isLossAccepted || word.shown.has(name)) && (await work.counts()).indexDone;
    if (isWhole || isAccepted) {
      await session.contentLock.run(async () => {
        const { staged, missingFiles } = await work.merge(needNewest(session).row);
        await commitSettled(session, staged, row, metadata.ancestors, missingFiles);
      });
      isMerged = true;
      stuckForks.delete(name);
    } else {
      stuckForks.add(name);
    }
    return isMerged;
  } finally {
    job.end(isMerged ? 'done' : 'failed');
    await work.close();
  }
}

/** One transaction: what is to be had of the fork is in a revision of ours, and it is a fork no more. */
async function commitSettled(
  session: Session,
  staged: StagedContent,
  fork: { readonly contentId: Buffer; readonly sequence: number },
  ancestors: Buffer = Buffer.alloc(0),
  missing: readonly Buffer[],
): Promise<void> {
  if (session.node.mode !== 'normal') throw new BbError('PUBLISH_BLOCKED', 'a newer revision was found meanwhile');
  const { row, metadata } = needNewest(session);
  const { contentId, sequence } = fork;
  const settled = settle(lineOf({ row, metadata }), { contentId, sequence, ancestors });
  const line = { row, metadata: { ...metadata, settled } };
  await commitRevision(session, staged, line, row.generation, (node) => ({
    ...node,
    forks: without(session, fork),
    ...withMissing(node, missing.length, missing),
  }));
  session.bus.emit('fork-merged', { added: String(staged.addedFiles), missing: String(missing.length) });
  planDrop(session, [contentId]);
  planPublishAll(session, session.deps.periods.publishDebounce);
}

function without({ node }: Session, fork: { readonly contentId: Buffer }): readonly Buffer[] {
  return node.forks.filter((id) => !id.equals(fork.contentId));
}

function needNewest({ newest }: Session): Newest {
  invariant(newest !== undefined, 'what is no fork of anything is none');
  return newest;
}
