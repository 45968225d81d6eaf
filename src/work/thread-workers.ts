// The Workers port on threads: one that writes own content, one that serves peers, one per key derivation.
// Invariant: keys reach a thread at unlock and are wiped there at lock; a thread that dies is reported at once.

import type { SecretMode } from '../core/crypto/argon2-params.ts';
import type { ChallengeQuestion } from '../core/challenge/question.ts';
import type { Entry } from '../core/content/entry.ts';
import type { CellKind } from '../core/crypto/cell-seal.ts';
import type { OnionId } from '../core/ids.ts';
import type { RevisionRow, StagedContent } from '../ports/catalog.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  CellFromPeer,
  IngestedContent,
  IngestJob,
  IngestProgress,
  ReadItem,
  RecoverySession,
  WorkerKeys,
  Workers,
} from '../ports/workers.ts';
import type { ContentCalls } from './content/entry.ts';
import type { PlainChange } from './content/ingest.ts';
import { deriveMaster } from './derive/derive-master.ts';
import type { ServeCalls } from './serve/entry.ts';
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
  readonly #serve: WorkerThread<ServeCalls>;

  constructor({ dataDir, clock, onCrash }: ThreadWorkersOptions) {
    this.#clock = clock;
    const options = { data: { dataDir }, heapMib: HEAP_MIB, onCrash };
    this.#content = new WorkerThread(entryUrl('./content/entry'), { name: 'content', ...options });
    this.#serve = new WorkerThread(entryUrl('./serve/entry'), { name: 'serve', ...options });
  }

  deriveMaster(secret: Buffer, mode: SecretMode, account: string): Promise<Buffer> {
    return deriveMaster(secret, mode, account);
  }

  async unlock(keys: WorkerKeys): Promise<void> {
    await Promise.all([this.#content.call('unlock', keys), this.#serve.call('unlock', keys)]);
  }

  async lock(): Promise<void> {
    await Promise.all([this.#content.call('lock'), this.#serve.call('lock')]);
  }

  async close(): Promise<void> {
    await this.lock().catch(() => undefined);
    await this.terminate();
  }

  /** Ends the threads where they are, as a crash would. */
  async terminate(): Promise<void> {
    await Promise.all([this.#content.close(), this.#serve.close()]);
  }

  ingest(
    job: IngestJob,
    base: RevisionRow | undefined,
    onProgress: (progress: IngestProgress) => void,
    signal: AbortSignal,
  ): Promise<IngestedContent> {
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

  dropRecoveries(): Promise<void> {
    return this.#content.call('dropRecoveries');
  }

  list(revision: RevisionRow, name: Buffer): AsyncIterable<readonly Entry[]> {
    return this.#content.stream('list', revision, name) as AsyncIterable<readonly Entry[]>;
  }

  read(revision: RevisionRow, name: Buffer): AsyncIterable<ReadItem> {
    return this.#content.stream('read', revision, name) as AsyncIterable<ReadItem>;
  }

  sealLeaves(peer: OnionId, contentId: Buffer, cells: readonly number[]): Promise<Buffer> {
    return this.#serve.call('sealLeaves', peer, contentId, cells);
  }

  sealCell(peer: OnionId, contentId: Buffer, cell: number): Promise<Buffer | undefined> {
    return this.#serve.call('sealCell', peer, contentId, cell);
  }

  expectedMac(question: ChallengeQuestion, responder: OnionId, blobCells: number): ReturnType<Workers['expectedMac']> {
    return this.#serve.call('expectedMac', question, responder, blobCells);
  }

  proveMac(
    question: ChallengeQuestion,
    challenger: OnionId,
    list: number,
    blobCells: number,
  ): ReturnType<Workers['proveMac']> {
    return this.#serve.call('proveMac', question, challenger, list, blobCells);
  }

  lateRevisions(): Promise<readonly Buffer[]> {
    return this.#content.call('lateRevisions');
  }

  lateHeadCells(contentId: Buffer): Promise<readonly Buffer[]> {
    return this.#content.call('lateHeadCells', contentId);
  }

  adoptLate(contentId: Buffer): Promise<void> {
    return this.#content.call('adoptLate', contentId);
  }

  settleLate(): Promise<void> {
    return this.#content.call('settleLate');
  }

  damagedOfBlob(contentId: Buffer, cells: readonly number[]): Promise<readonly number[]> {
    return this.#serve.call('damagedOfBlob', contentId, cells);
  }

  damagedOwn(cellIds: Buffer, packs: readonly number[]): Promise<Buffer> {
    return this.#serve.call('damagedOwn', cellIds, packs);
  }

  scrubOwn(after: number, limit: number): ReturnType<Workers['scrubOwn']> {
    return this.#serve.call('scrubOwn', after, limit);
  }

  damagedHeld(list: number, cells: readonly number[]): Promise<readonly number[]> {
    return this.#serve.call('damagedHeld', list, cells);
  }

  forgetPacks(packs: readonly number[]): Promise<void> {
    return this.#serve.call('forgetPacks', packs);
  }

  suspectPacks(): ReturnType<Workers['suspectPacks']> {
    return this.#serve.call('suspectPacks');
  }

  isOwnCell(peer: OnionId, kind: CellKind, cell: CellFromPeer): Promise<boolean> {
    return this.#content.call('isOwnCell', peer, kind, cell);
  }

  healCells(peer: OnionId, cells: readonly CellFromPeer[]): ReturnType<Workers['healCells']> {
    return this.#content.call('healCells', peer, cells);
  }

  takeMetDamage(): Promise<Buffer> {
    return this.#content.call('takeMetDamage');
  }

  misplacedChunks(revision: RevisionRow, limit: number): Promise<Buffer> {
    return this.#content.call('misplacedChunks', revision, limit);
  }

  setLost(cellIds: Buffer): Promise<void> {
    return this.#content.call('setLost', cellIds);
  }

  filesOfLost(revision: RevisionRow): ReturnType<Workers['filesOfLost']> {
    return this.#content.call('filesOfLost', revision);
  }

  weakestFiles(revision: RevisionRow, copies: Buffer): ReturnType<Workers['weakestFiles']> {
    return this.#content.call('weakestFiles', revision, copies);
  }

  async startRecovery(revision: RevisionRow, indexCellIds: readonly Buffer[]): Promise<RecoverySession> {
    const content = this.#content;
    const { contentId: id } = revision;
    await content.call('startRecovery', revision, Buffer.concat(indexCellIds));
    return {
      wanted: (limit) => content.call('wantedCells', id, limit),
      cellIds: () => content.call('recoveryCellIds', id),
      counts: () => content.call('recoveryCounts', id),
      offer: (peer, cell, bytes) => content.call('offerCell', id, peer, cell, bytes),
      save: () => content.call('saveRecovery', id),
      finish: () => content.call('finishRecovery', id),
      merge: (line) => content.call('mergeRecovery', id, line),
      close: () => content.call('closeRecovery', id),
    };
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
