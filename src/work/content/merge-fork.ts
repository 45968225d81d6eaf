// Makes the content of our line with everything added that a fork has and the line has not (docs/protocol.md, "Lineage").
// Invariant: additive. Files of the line keep name and bytes; a file of the fork is left out only when a cell of it is held by
// nobody, and then it is named. Nothing is committed here.

import { decodeEntry, encodeEntry, ENTRY_KIND } from '../../core/content/entry.ts';
import type { Entry } from '../../core/content/entry.ts';
import { compareEntries } from '../../core/content/file-table.ts';
import { nameKey } from '../../core/content/path.ts';
import { recoveredName } from '../../core/content/recovered-name.ts';
import type { Snapshot } from '../../core/content/snapshot.ts';
import { BbError } from '../../core/errors.ts';
import { CONTENT_BYTES, FILES } from '../../core/limits.ts';
import type { RevisionRow, StagedContent } from '../../ports/catalog.ts';
import type { StagingDb } from '../../storage/catalog/staging.ts';
import { threadRandom } from '../thread-random.ts';
import { BitList } from './bit-list.ts';
import { ContentBuilder } from './content-builder.ts';
import { baseContent } from './ingest.ts';
import { isSame, joinFork } from './join-fork.ts';
import type { Joined } from './join-fork.ts';
import { metadataOf, stagedFinder } from './own-content.ts';
import type { OwnContent } from './own-content.ts';
import type { CellFinder } from './own-cells.ts';
import { areChunksHere } from './partial-content.ts';
import { readBack } from './read-back.ts';
import { readSnapshot, tableEntries } from './stored-streams.ts';

export type MergeJob = {
  /** Where the cells of the fork are that came back; what the merge makes is added to it. */
  readonly staging: StagingDb;
  readonly stagingId: string;
  readonly line: RevisionRow;
  readonly fork: RevisionRow;
  readonly isHere: (cellId: Buffer) => Promise<boolean>;
  readonly signal: AbortSignal;
};

export type Merged = { readonly staged: StagedContent; readonly missingFiles: readonly Buffer[] };

const SNAPSHOT_ID_BYTES = 16;
const ENTRY_LENGTH_BYTES = 4;

/** All index cells of the fork are here. TOO_LARGE when both together are more than a content may be. */
export async function stageMerge(own: OwnContent, job: MergeJob): Promise<Merged> {
  job.staging.unlist();
  return new MergeFork(own, job).run();
}

class MergeFork {
  readonly #own: OwnContent;
  readonly #job: MergeJob;
  readonly #builder: ContentBuilder;
  readonly #finder: CellFinder;
  readonly #missingFiles: Buffer[] = [];
  /** One bit per entry of the new table: it came from the fork. */
  readonly #isNew = new BitList();
  #fileCount = 0;
  #fileBytes = 0;
  #addedFiles = 0;

  constructor(own: OwnContent, job: MergeJob) {
    this.#own = own;
    this.#job = job;
    this.#builder = new ContentBuilder(own, job.staging, baseContent(own, job.line));
    this.#finder = stagedFinder(job.staging, own.catalog);
  }

  async run(): Promise<Merged> {
    const { line, fork, staging, stagingId } = this.#job;
    const old = await readSnapshot(this.#builder.cells, metadataOf(line).indexRoot);
    const other = await readSnapshot(this.#builder.cells, metadataOf(fork).indexRoot);
    await this.#setAside(old, other);
    await this.#builder.start();
    for await (const { entry, isOfFork } of this.#merged(old, other)) await this.#add(entry, isOfFork);
    const snapshot = {
      id: threadRandom.bytes(SNAPSHOT_ID_BYTES),
      timeMs: old.timeMs,
      set: old.set,
      parent: old.id,
      fileCount: this.#fileCount,
      fileBytes: this.#fileBytes,
      extensions: old.extensions,
    };
    const { root, ...built } = await this.#builder.finish(snapshot);
    await this.#own.store.sync();
    await readBack(this.#builder.cells, {
      root,
      written: this.#builder.written(),
      snapshot,
      dataCells: staging.listed('data'),
      isNew: (ordinal) => this.#isNew.has(ordinal),
      onFile: async () => {},
      signal: this.#job.signal,
    });
    const staged = {
      stagingId,
      ...built,
      indexRoot: root,
      fileCount: this.#fileCount,
      fileBytes: this.#fileBytes,
      addedFiles: this.#addedFiles,
      removedFiles: 0,
      skippedFiles: this.#missingFiles.length,
      isChanged: true,
    };
    return { staged, missingFiles: this.#missingFiles };
  }

  /** Gives what is in the way of the line a name that nothing has, and puts it in the order of these names. */
  async #setAside(old: Snapshot, other: Snapshot): Promise<void> {
    const { staging, fork } = this.#job;
    for (let attempt = 1; ; attempt++) {
      staging.forgetAsides();
      let isTaken = false;
      for await (const joined of this.#join(old, other)) {
        if (joined.from !== 'aside') continue;
        const path = recoveredName(joined.entry.path, joined.top, fork.sequence, attempt);
        isTaken ||= !staging.addAside(nameKey(path), encodeEntry({ ...joined.entry, path }));
      }
      if (!isTaken && !(await this.#isAnyTaken(old, other))) return;
    }
  }

  async #isAnyTaken(old: Snapshot, other: Snapshot): Promise<boolean> {
    for await (const { entry, aside } of this.#merged(old, other)) {
      if (aside !== undefined && !isSame(entry, aside)) return true;
    }
    return false;
  }

  /** The new table. `aside`: what went aside to the same name; once it was merged before, it is there already. */
  async *#merged(
    old: Snapshot,
    other: Snapshot,
  ): AsyncGenerator<{ readonly entry: Entry; readonly isOfFork: boolean; readonly aside?: Entry }> {
    const asides = this.#job.staging.asides();
    const nextAside = (): Entry | undefined => {
      const next = asides.next();
      return next.done === true ? undefined : decodeEntry(next.value.subarray(ENTRY_LENGTH_BYTES));
    };
    let aside = nextAside();
    for await (const { from, entry } of this.#join(old, other)) {
      if (from === 'aside') continue;
      for (; aside !== undefined && compareEntries(aside, entry) < 0; aside = nextAside()) {
        yield { entry: aside, isOfFork: true };
      }
      const isOfFork = from === 'fork';
      if (aside === undefined || compareEntries(aside, entry) > 0) yield { entry, isOfFork };
      else {
        yield { entry, isOfFork, aside };
        aside = nextAside();
      }
    }
    for (; aside !== undefined; aside = nextAside()) yield { entry: aside, isOfFork: true };
  }

  async *#join(old: Snapshot, other: Snapshot): AsyncGenerator<Joined> {
    const { cells } = this.#builder;
    for await (const joined of joinFork(tableEntries(cells, old), tableEntries(cells, other))) {
      this.#job.signal.throwIfAborted();
      yield joined;
    }
  }

  async #add(entry: Entry, isOfFork: boolean): Promise<void> {
    if (isOfFork && !(await areChunksHere(this.#finder, this.#job.isHere, entry.chunkIds))) {
      this.#missingFiles.push(entry.path);
      return;
    }
    if (entry.kind !== ENTRY_KIND.FOLDER) {
      this.#fileCount++;
      if (isOfFork) this.#addedFiles++;
    }
    this.#fileBytes += entry.size;
    this.#isNew.push(isOfFork);
    if (this.#isNew.length > FILES || this.#fileBytes > CONTENT_BYTES) {
      throw new BbError('TOO_LARGE', 'your files and those of the fork together are more than a content may be');
    }
    this.#builder.keepBytes(entry);
    await this.#builder.addEntry(entry);
  }
}
