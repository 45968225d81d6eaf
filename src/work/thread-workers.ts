// The Workers port on threads: one that writes own content, one that serves peers, one per key derivation.
// Invariant: keys reach a thread at unlock and are wiped there at lock; a thread that dies is reported at once.

import type { SecretMode } from '../core/crypto/argon2-params.ts';
import type { ChallengeQuestion } from '../core/challenge/question.ts';
import type { Entry } from '../core/content/entry.ts';
import type { OnionId } from '../core/ids.ts';
import type { RevisionRow, StagedContent } from '../ports/catalog.ts';
import type { Clock } from '../ports/clock.ts';
import type { IngestJob, IngestProgress, ReadItem, RecoverySession, WorkerKeys, Workers } from '../ports/workers.ts';
import type { ContentCalls } from './content/entry.ts';
import type { PlainChange } from './content/ingest.ts';
import { deriveMaster } from './derive/derive-master.ts';
import { entryUrl, WorkerThread } from './worker-thread.ts';

export type ThreadWorkersOptions = {
  readonly dataDir: string;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** A worker thread died: the daemon stops cleanly. */
  readonly onCrash: (error: Error) => void;
};

const HEAP_MIB = 192;
/** Four a second. */
const PROGRESS_MS = 250;

export class ThreadWorkers implements Workers {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #content: WorkerThread<ContentCalls>;

  constructor({ dataDir, clock, onCrash }: ThreadWorkersOptions) {
    this.#clock = clock;
    const options = { data: { dataDir }, heapMib: HEAP_MIB, onCrash };
    this.#content = new WorkerThread(entryUrl('./content/entry'), { name: 'content', ...options });
  }

  deriveMaster(secret: Buffer, mode: SecretMode, account: string): Promise<Buffer> {
    return deriveMaster(secret, mode, account);
  }

  async unlock(keys: WorkerKeys): Promise<void> {
    await this.#content.call('unlock', keys);
  }

  async lock(): Promise<void> {
    await this.#content.call('lock');
  }

  async close(): Promise<void> {
    await this.lock().catch(() => undefined);
    await this.#content.close();
  }

  ingest(
    job: IngestJob,
    base: RevisionRow | undefined,
    onProgress: (progress: IngestProgress) => void,
    signal: AbortSignal,
  ): Promise<StagedContent> {
    const { change } = job;
    const onItem = this.#atMostEvery(onProgress);
    const plain: PlainChange =
      change.kind === 'stream' ? { kind: 'stream', name: change.name, mode: change.mode } : change;
    const options = change.kind === 'stream' ? { signal, onItem, input: change.bytes } : { signal, onItem };
    return this.#content.callWith(options, 'ingest', { ...job, change: plain }, base);
  }

  appendHeads(contentId: Buffer, heads: readonly [Buffer, Buffer]): ReturnType<Workers['appendHeads']> {
    return this.#content.call('appendHeads', contentId, heads);
  }

  ownMarks(): ReturnType<Workers['ownMarks']> {
    return this.#content.call('ownMarks');
  }

  discard(staged: StagedContent): Promise<void> {
    return this.#content.call('discard', staged.stagingId);
  }

  list(revision: RevisionRow, name: Buffer): AsyncIterable<readonly Entry[]> {
    return this.#content.stream('list', revision, name) as AsyncIterable<readonly Entry[]>;
  }

  read(revision: RevisionRow, name: Buffer): AsyncIterable<ReadItem> {
    return this.#content.stream('read', revision, name) as AsyncIterable<ReadItem>;
  }

  sealLeaves(_peer: OnionId, _contentId: Buffer, _cells: readonly number[]): Promise<Buffer> {
    throw new Error('not yet');
  }
  sealCell(_peer: OnionId, _contentId: Buffer, _cell: number): Promise<Buffer | undefined> {
    throw new Error('not yet');
  }
  expectedMac(
    _question: ChallengeQuestion,
    _responder: OnionId,
    _blobCells: number,
  ): ReturnType<Workers['expectedMac']> {
    throw new Error('not yet');
  }
  proveMac(
    _question: ChallengeQuestion,
    _challenger: OnionId,
    _list: number,
    _blobCells: number,
  ): ReturnType<Workers['proveMac']> {
    throw new Error('not yet');
  }
  startRecovery(_revision: RevisionRow, _indexCellIds: readonly Buffer[]): Promise<RecoverySession> {
    throw new Error('not yet');
  }

  /** Passes on a new phase at once, everything else a few times a second. */
  #atMostEvery(onProgress: (progress: IngestProgress) => void): (item: unknown) => void {
    let last: { readonly phase: string; readonly atMs: number } | undefined;
    return (item) => {
      const progress = item as IngestProgress;
      const atMs = this.#clock.monotonicMs();
      if (last !== undefined && last.phase === progress.phase && atMs - last.atMs < PROGRESS_MS) return;
      last = { phase: progress.phase, atMs };
      onProgress(progress);
    };
  }
}
