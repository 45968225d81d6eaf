// `bb setfile` and `bb rmfile`: a change of the file set becomes one new content revision, durable
// and read back before it is acknowledged, and is then offered to the storers by itself.

import { ENTRY_KIND } from '../core/content/entry.ts';
import { validateName } from '../core/content/path.ts';
import { BbError } from '../core/errors.ts';
import type { IngestedContent, IngestJob } from '../ports/workers.ts';
import { commitRevision, requireNormal } from './commit-revision.ts';
import type { ProgressView, SetFileResult, SetFileSource } from './local-api.ts';
import { withHealing } from './heal-own.ts';
import type { Job } from './jobs.ts';
import { noteSetAgain } from './missing-files.ts';
import { plan, planPublishAll } from './plan.ts';
import { revisionView } from './views.ts';
import type { Newest, Session } from './session.ts';

/** BAD_NAME, NOT_FOUND, NO_SPACE, TOO_LARGE, PUBLISH_BLOCKED. The old content stays as it was on any failure. */
export function setFile(
  session: Session,
  source: SetFileSource,
  onProgress: (progress: ProgressView) => void,
  signal: AbortSignal,
): Promise<SetFileResult> {
  validateName(source.name);
  return changeFiles(session, source, onProgress, signal);
}

export async function removeFile(session: Session, name: Buffer, dryRun: boolean): Promise<SetFileResult> {
  validateName(name);
  requireNormal(session); // what has not come back cannot be said not to exist
  const found = await countBelow(session, name);
  if (found === undefined) throw new BbError('NOT_FOUND', 'no file or folder has this name');
  if (dryRun) {
    return {
      revision: undefined,
      addedFiles: 0,
      removedFiles: found,
      skippedFiles: 0,
      skippedNames: [],
      unchanged: true,
    };
  }
  return changeFiles(session, { kind: 'remove', name }, () => undefined, session.scheduler.signal);
}

async function changeFiles(
  session: Session,
  change: IngestJob['change'],
  onProgress: (progress: ProgressView) => void,
  signal: AbortSignal,
): Promise<SetFileResult> {
  requireNormal(session);
  const job = session.jobs.start('ingest', onProgress);
  try {
    const work = () => session.contentLock.run(() => ingestAndCommit(session, change, job, signal));
    // The bytes of a stream come once only.
    const result = change.kind === 'stream' ? await work() : await withHealing(session, signal, work);
    job.end('done');
    await noteSetAgain(session);
    if (session.ownDamage.lost.length > 0) plan(session, 'heal', 0); // it may be whole now
    planPublishAll(session, session.deps.periods.publishDebounce);
    return result;
  } catch (error) {
    job.end('failed');
    throw error;
  }
}

/** The caller holds session.contentLock. */
async function ingestAndCommit(
  session: Session,
  change: IngestJob['change'],
  job: Job,
  signal: AbortSignal,
): Promise<SetFileResult> {
  requireNormal(session);
  const staged = await session.deps.workers.ingest(
    { change, snapshotId: session.deps.random.bytes(16), nowMs: session.deps.clock.nowMs() },
    session.newest?.row,
    (progress) => job.progress(progress.phase, progress.bytes, progress.totalBytes),
    AbortSignal.any([signal, session.scheduler.signal]),
  );
  if (session.node.mode !== 'normal') await session.deps.workers.discard(staged);
  requireNormal(session); // a newer revision of ours may have been found while this one was made
  const { newest: before } = session;
  if (before !== undefined && !staged.isChanged) {
    await session.deps.workers.discard(staged);
    return unchanged(before, staged);
  }
  const newest = await commitRevision(session, staged);
  return {
    revision: revisionView(newest.row),
    addedFiles: staged.addedFiles,
    removedFiles: staged.removedFiles,
    skippedFiles: staged.skippedFiles,
    skippedNames: staged.skippedNames,
    unchanged: false,
  };
}

/** Nothing on disk differs from the newest revision: it stays the newest. */
function unchanged({ row }: Newest, { skippedFiles, skippedNames }: IngestedContent): SetFileResult {
  const revision = revisionView(row);
  return { revision, addedFiles: 0, removedFiles: 0, skippedFiles, skippedNames, unchanged: true };
}

/** What its removal will count: everything but folders. Undefined when nothing has the name. */
async function countBelow(session: Session, name: Buffer): Promise<number | undefined> {
  if (session.newest === undefined) return undefined;
  let count: number | undefined;
  for await (const batch of session.deps.workers.list(session.newest.row, name)) {
    for (const { kind } of batch) count = (count ?? 0) + (kind === ENTRY_KIND.FOLDER ? 0 : 1);
  }
  return count;
}
