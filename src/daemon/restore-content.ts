// Brings the cells of the chosen revision back and commits it. Killable at any time: accepted cells are durable, and the next
// run asks for the rest.

import { CELL_BYTES } from '../core/limits.ts';
import type { RecoverySession } from '../ports/workers.ts';
import { commitRow, splitIds } from './commit-revision.ts';
import { fetchContent } from './fetch-content.ts';
import type { Fetch } from './fetch-content.ts';
import type { Job } from './jobs.ts';
import type { OpenedHead } from './recovery.ts';
import type { Session } from './session.ts';
import { rememberOwnFork } from './lineage.ts';

/** `stuck`: no holder gives the rest; what came back is kept, and the next run asks again. */
export async function restoreContent(
  session: Session,
  target: OpenedHead,
  signal: AbortSignal,
): Promise<'whole' | 'stuck'> {
  const work = await startWork(session, target);
  const job = session.jobs.start('recover');
  try {
    const isWhole = await fetchContent(session, fetchFor(session, target, work, job), signal);
    if (isWhole) await commitRecovered(session, target, work);
    job.end(isWhole ? 'done' : 'failed');
    return isWhole ? 'whole' : 'stuck';
  } catch (error) {
    job.end('failed');
    throw error;
  }
}

/** Goes on where an earlier run was cut. */
export function startWork(session: Session, target: OpenedHead): Promise<RecoverySession> {
  return session.deps.workers.startRecovery(target.row, splitIds(target.metadata.indexCells));
}

/** What the user and the status see of it. */
function fetchFor(session: Session, target: OpenedHead, work: RecoverySession, job: Job): Fetch {
  const { recovery } = session;
  return {
    row: target.row,
    work,
    job,
    isOver: () => isAnotherNamed(session, target),
    onCounts: ({ done, total, indexDone }) => {
      recovery.phase = indexDone ? 'data' : 'index';
      recovery.waitingFor = '';
      recovery.doneCells = done;
      recovery.totalCells = total;
    },
    onCell: () => {
      recovery.downloadedBytes += CELL_BYTES;
      recovery.doneCells += 1;
      job.progress(recovery.phase, recovery.doneCells * CELL_BYTES, recovery.totalCells * CELL_BYTES);
    },
  };
}

/** The user named another sequence while this one was being fetched. */
function isAnotherNamed({ node }: Session, { row }: OpenedHead): boolean {
  return node.acceptedSequence !== 0 && node.acceptedSequence !== row.sequence;
}

async function commitRecovered(session: Session, target: OpenedHead, work: RecoverySession): Promise<void> {
  session.recovery.phase = 'committing';
  const { staged } = await work.finish();
  await rememberOwnFork(session, target);
  await session.contentLock.run(() => commitRow(session, staged, target.row, target.metadata));
  session.recovery.phase = 'restored';
  session.bus.emit('content-restored', { sequence: String(target.row.sequence), files: String(target.row.fileCount) });
}
