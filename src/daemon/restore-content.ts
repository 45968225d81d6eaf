// Brings the cells of the chosen revision back, and commits it when it is known to be the newest. Killable at any time:
// accepted cells are durable, and the next run asks for the rest.
// Invariant: promised = kept: a copy that somebody gives today is here tomorrow, when that peer may be gone.

import { isBbError } from '../core/errors.ts';
import { CELL_BYTES } from '../core/limits.ts';
import type { RecoverySession } from '../ports/workers.ts';
import { commitRow, splitIds } from './commit-revision.ts';
import { fetchContent } from './fetch-content.ts';
import type { Fetch } from './fetch-content.ts';
import type { Job } from './jobs.ts';
import { keepOlderContent } from './older-chunks.ts';
import type { OpenedHead } from './recovery.ts';
import type { Session } from './session.ts';
import { rememberOwnFork } from './lineage.ts';

export type RestoreTerms = {
  /** Else the cells are fetched and kept, and nothing is committed. */
  readonly isFresh: boolean;
  /** Another revision became the one to restore. */
  readonly isOver: () => boolean;
};

/**
 * `gathered`: all is here, but not known to be the newest. `stuck`: no holder gives the rest. `overtaken`: another revision is
 * to be restored. In each case what came back is kept.
 */
export async function restoreContent(
  session: Session,
  target: OpenedHead,
  terms: RestoreTerms,
  signal: AbortSignal,
): Promise<'whole' | 'gathered' | 'stuck' | 'overtaken'> {
  const work = await startWork(session, target);
  const job = session.jobs.start('recover');
  try {
    const fetch = fetchFor(session, target, terms, work, job);
    const isWhole = await fetchContent(session, fetch, signal);
    session.recovery.isGathered = isWhole && !terms.isFresh;
    if (isWhole && terms.isFresh) await commitRecovered(session, target, work);
    else await work.close();
    if (!isWhole && terms.isFresh) await keepOlderContent(session, fetch, signal);
    job.end(isWhole ? 'done' : 'failed');
    return !isWhole ? 'stuck' : terms.isFresh ? 'whole' : 'gathered';
  } catch (error) {
    session.recovery.isGathered = false;
    job.end('failed');
    if (isBbError(error, 'INTERRUPTED') && terms.isOver()) return 'overtaken';
    throw error;
  }
}

/** Goes on where an earlier run was cut. */
export function startWork(session: Session, target: OpenedHead): Promise<RecoverySession> {
  return session.deps.workers.startRecovery(target.row, splitIds(target.metadata.indexCells));
}

/** What the user and the status see of it. */
function fetchFor(
  session: Session,
  target: OpenedHead,
  { isFresh, isOver }: RestoreTerms,
  work: RecoverySession,
  job: Job,
): Fetch {
  const { recovery } = session;
  return {
    row: target.row,
    work,
    job,
    isOver,
    onCounts: ({ done, total, indexDone }) => {
      recovery.phase = indexDone ? 'data' : 'index';
      if (isFresh) recovery.waitingFor = '';
      recovery.doneCells = done;
      recovery.totalCells = total;
    },
    onCell: () => {
      recovery.downloadedBytes += CELL_BYTES;
      recovery.idleSteps = 0;
      recovery.doneCells += 1;
      job.progress(recovery.phase, recovery.doneCells * CELL_BYTES, recovery.totalCells * CELL_BYTES);
    },
  };
}

async function commitRecovered(session: Session, target: OpenedHead, work: RecoverySession): Promise<void> {
  session.recovery.phase = 'committing';
  const { staged } = await work.finish();
  await rememberOwnFork(session, target);
  await session.contentLock.run(() => commitRow(session, staged, target.row, target.metadata));
  session.recovery.phase = 'restored';
  session.bus.emit('content-restored', { sequence: String(target.row.sequence), files: String(target.row.fileCount) });
}
