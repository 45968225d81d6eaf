// Makes the next content from the newest one and a change: walk and old table merged, new bytes stored, everything
// durable and read back, nothing committed (docs/protocol.md, "Commit").
// Invariant: whatever goes wrong, the old content is untouched and the space of what was written is given back.

import { encodeEntry, ENTRY_KIND, MARK } from '../../core/content/entry.ts';
import type { Entry } from '../../core/content/entry.ts';
import { escapeName, isAtOrBelow, validateName } from '../../core/content/path.ts';
import type { Snapshot } from '../../core/content/snapshot.ts';
import { BbError } from '../../core/errors.ts';
import { CONTENT_BYTES, FILES, MISSING_NAMES } from '../../core/limits.ts';
import type { RevisionRow } from '../../ports/catalog.ts';
import type { IngestedContent, IngestJob, IngestProgress } from '../../ports/workers.ts';
import { StagingDb, stagingPath } from '../../storage/catalog/staging.ts';
import { inodeOf } from '../../storage/source/walk.ts';
import type { Inode } from '../../storage/source/walk.ts';
import { BitList } from './bit-list.ts';
import { ContentBuilder } from './content-builder.ts';
import type { BaseContent } from './content-builder.ts';
import { mergeTables } from './merge.ts';
import { itemOfStream, itemsOnDisk } from './new-items.ts';
import type { NewFile, NewItem, WalkedItem } from './new-items.ts';
import { needsLost } from './heal.ts';
import { metadataOf, newStagingId } from './own-content.ts';
import type { OwnContent } from './own-content.ts';
import { readBack } from './read-back.ts';
import { readSnapshot, tableEntries } from './stored-streams.ts';

/** The change without its bytes: those of a streamed file come as `input`. */
export type PlainChange =
  | Exclude<IngestJob['change'], { readonly kind: 'stream' }>
  | { readonly kind: 'stream'; readonly name: Buffer; readonly mode: number };

export type PlainJob = { readonly change: PlainChange; readonly snapshotId: Buffer; readonly nowMs: number };

export type IngestCall = {
  readonly signal: AbortSignal;
  readonly input: AsyncIterable<unknown>;
  onProgress(progress: IngestProgress): Promise<void>;
};

/** A file whose inode changed so shortly before the old snapshot was begun may have changed again unseen. */
const RACY_NS = 2_000_000_000n;

export async function ingest(
  own: OwnContent,
  job: PlainJob,
  base: RevisionRow | undefined,
  call: IngestCall,
): Promise<IngestedContent> {
  if (job.change.kind !== 'remove' || job.change.name.length > 0) validateName(job.change.name);
  await own.cutBack();
  const stagingId = newStagingId();
  const staging = new StagingDb(stagingPath(own.dataDir, stagingId), { durable: false });
  try {
    const staged = await new Ingest(own, staging, job, base, call, await inodeOf(own.dataDir)).run(stagingId);
    staging.close();
    return staged;
  } catch (error) {
    staging.discard();
    await own.cutBack();
    throw error;
  }
}

class Ingest {
  readonly #own: OwnContent;
  readonly #staging: StagingDb;
  readonly #job: PlainJob;
  readonly #base: RevisionRow | undefined;
  readonly #call: IngestCall;
  readonly #builder: ContentBuilder;
  /** A backup of the backup would grow with each run. */
  readonly #ownFolder: Inode;
  /** One bit per entry of the new table: its bytes are new. */
  readonly #isNew = new BitList();
  #oldSnapshot: Snapshot | undefined;
  #progress: IngestProgress = { phase: 'scan', files: 0, bytes: 0, totalFiles: 0, totalBytes: 0 };
  #fileCount = 0;
  #fileBytes = 0;
  #addedFiles = 0;
  #removedFiles = 0;
  #skippedFiles = 0;
  readonly #skippedNames: Buffer[] = [];
  /** Any entry differs from the old table, were it only in its mode. */
  #isChanged = false;

  constructor(
    own: OwnContent,
    staging: StagingDb,
    job: PlainJob,
    base: RevisionRow | undefined,
    call: IngestCall,
    ownFolder: Inode,
  ) {
    this.#ownFolder = ownFolder;
    this.#own = own;
    this.#staging = staging;
    this.#job = job;
    this.#base = base;
    this.#call = call;
    this.#builder = new ContentBuilder(own, staging, base === undefined ? undefined : baseContent(own, base));
  }

  async run(stagingId: string): Promise<IngestedContent> {
    await this.#scan();
    const old = await this.#oldEntries();
    const { name } = this.#job.change;
    await this.#enter('read');
    await this.#builder.start();
    for await (const merged of mergeTables(old, this.#items(), name)) {
      this.#call.signal.throwIfAborted();
      if (merged.kind === 'new') await this.#addItem(merged.item, merged.old);
      else if (merged.kind === 'kept') await this.#keepEntry(merged.old);
      else if (merged.kind === 'skipped') this.#skip(merged.name);
      else this.#drop(merged.old);
    }
    return this.#finish(stagingId);
  }

  #drop(old: Entry): void {
    this.#isChanged = true;
    if (old.kind !== ENTRY_KIND.FOLDER) this.#removedFiles++;
  }

  /** Counts what is to come, and refuses early what cannot fit. */
  async #scan(): Promise<void> {
    const { change } = this.#job;
    await this.#enter('scan');
    if (change.kind !== 'path') return;
    let totalFiles = 0;
    let totalBytes = 0;
    for await (const item of itemsOnDisk(change.path, change.name, this.#ownFolder, this.#call.signal)) {
      if (item.entry === undefined) continue;
      totalFiles++;
      totalBytes += item.file?.sizeBytes ?? 0;
      if (totalFiles > FILES) throw tooManyFiles();
      if (totalBytes > CONTENT_BYTES) throw tooLarge();
      if (totalFiles % SCAN_STEP === 0) await this.#report({ totalFiles, totalBytes });
    }
    await this.#report({ totalFiles, totalBytes });
  }

  async #oldEntries(): Promise<AsyncIterator<Entry>> {
    if (this.#base === undefined) return noEntries();
    const { committed } = this.#own;
    this.#oldSnapshot = await readSnapshot(committed, metadataOf(this.#base).indexRoot);
    return tableEntries(committed, this.#oldSnapshot);
  }

  #items(): AsyncGenerator<WalkedItem> {
    const { change, nowMs } = this.#job;
    if (change.kind === 'path') return itemsOnDisk(change.path, change.name, this.#ownFolder, this.#call.signal);
    return change.kind === 'remove'
      ? noEntries()
      : oneItem(itemOfStream(change.name, change.mode, nowMs, this.#call.input));
  }

  async #keepEntry(old: Entry): Promise<void> {
    const { change } = this.#job;
    if (change.kind !== 'remove' && old.kind !== ENTRY_KIND.FOLDER && isAtOrBelow(change.name, old.path)) {
      throw new BbError('BAD_NAME', `"${escapeName(old.path)}" is stored and is not a folder`);
    }
    this.#builder.keepBytes(old);
    await this.#append(old, false, old);
  }

  async #addItem(item: NewItem, old: Entry | undefined): Promise<void> {
    if (item.file === undefined) {
      if (item.entry.kind !== ENTRY_KIND.FOLDER && !isSameLink(item.entry, old)) this.#addedFiles++;
      await this.#append(item.entry, false, old);
    } else if (old !== undefined && this.#isUnchanged(item.entry, item.file, old)) {
      await this.#appendOldBytes(item.entry, old, 0);
      await this.#count(item.file.sizeBytes);
    } else {
      await this.#addFile(item.entry, item.file, old);
    }
  }

  async #addFile(entry: Entry, file: NewFile, old: Entry | undefined): Promise<void> {
    const blocks = file.read(this.#call.signal);
    const read = await this.#builder.addBytes(blocks, (bytes) => this.#report({ bytes: this.#progress.bytes + bytes }));
    await this.#count(0);
    if (read.end === 'unreadable') {
      this.#skip(entry.path);
      if (old?.kind === ENTRY_KIND.FILE) await this.#appendOldBytes(entry, old, MARK.UNREADABLE);
      else await this.#append({ ...entry, marks: MARK.UNREADABLE }, false, old);
      return;
    }
    const marks = read.end === 'changed' ? MARK.CHANGED_WHILE_READ : 0;
    const { size, sha256, chunkIds } = read;
    const isSame = old?.kind === ENTRY_KIND.FILE && old.sha256.equals(sha256) && old.chunkIds.equals(chunkIds);
    if (!isSame) this.#addedFiles++;
    await this.#append({ ...entry, marks, size, sha256, chunkIds }, !isSame, old);
  }

  /** New attributes with the bytes that are stored already. */
  async #appendOldBytes(entry: Entry, old: Entry, marks: number): Promise<void> {
    const { size, sha256, chunkIds, holes, xattrs, extensions } = old;
    this.#builder.keepBytes(old);
    await this.#append({ ...entry, marks, size, sha256, chunkIds, holes, xattrs, extensions }, false, old);
  }

  /** Same size and time of change, and the inode was not touched since the old snapshot was begun. */
  #isUnchanged(entry: Entry, file: NewFile, old: Entry): boolean {
    return (
      old.kind === ENTRY_KIND.FILE &&
      old.marks === 0 &&
      old.sha256.length > 0 &&
      old.size === file.sizeBytes &&
      old.mtimeNs === entry.mtimeNs &&
      this.#oldSnapshot !== undefined &&
      !needsLost(this.#own, old.chunkIds) &&
      file.ctimeNs !== undefined &&
      file.ctimeNs < BigInt(this.#oldSnapshot.timeMs) * 1_000_000n - RACY_NS
    );
  }

  async #append(entry: Entry, isNew: boolean, old: Entry | undefined): Promise<void> {
    this.#isChanged ||= old === undefined || !encodeEntry(entry).equals(encodeEntry(old));
    this.#isNew.push(isNew);
    if (this.#isNew.length > FILES) throw tooManyFiles();
    if (entry.kind !== ENTRY_KIND.FOLDER) this.#fileCount++;
    this.#fileBytes += entry.size;
    if (this.#fileBytes > CONTENT_BYTES) throw tooLarge();
    await this.#builder.addEntry(entry);
  }

  async #finish(stagingId: string): Promise<IngestedContent> {
    await this.#enter('index');
    const snapshot = {
      id: this.#job.snapshotId,
      timeMs: this.#job.nowMs,
      set: Buffer.alloc(0),
      parent: this.#oldSnapshot?.id ?? Buffer.alloc(0),
      fileCount: this.#fileCount,
      fileBytes: this.#fileBytes,
      extensions: this.#oldSnapshot?.extensions ?? [],
    };
    const built = await this.#builder.finish(snapshot);
    await this.#own.store.sync();
    await this.#enter('verify');
    await readBack(this.#builder.cells, {
      root: built.root,
      written: this.#builder.written(),
      snapshot,
      dataCells: this.#staging.listed('data'),
      isNew: (ordinal) => this.#isNew.has(ordinal),
      onFile: (entry) => this.#count(entry.size),
      signal: this.#call.signal,
    });
    return {
      stagingId,
      indexCells: built.indexCells,
      dataCells: built.dataCells,
      indexRoot: built.root,
      contentRoot: built.contentRoot,
      indexCellIds: built.indexCellIds,
      fileCount: this.#fileCount,
      fileBytes: this.#fileBytes,
      addedFiles: this.#addedFiles,
      removedFiles: this.#removedFiles,
      isChanged: this.#isChanged || this.#builder.hasReplacedLost,
      skippedFiles: this.#skippedFiles,
      skippedNames: this.#skippedNames,
      newCells: built.newCells,
    };
  }

  #skip(name: Buffer): void {
    this.#skippedFiles++;
    if (this.#skippedNames.length < MISSING_NAMES) this.#skippedNames.push(name);
  }

  #count(bytes: number): Promise<void> {
    const { files, bytes: before } = this.#progress;
    return this.#report({ files: files + 1, bytes: before + bytes });
  }

  #enter(phase: IngestProgress['phase']): Promise<void> {
    return this.#report({ phase, files: 0, bytes: 0 });
  }

  #report(change: Partial<IngestProgress>): Promise<void> {
    this.#progress = { ...this.#progress, ...change };
    return this.#call.onProgress(this.#progress);
  }
}

const SCAN_STEP = 1000;

/** What the next content is made from. */
export function baseContent(own: OwnContent, row: RevisionRow): BaseContent {
  const metadata = metadataOf(row);
  const { headCells, indexCells, dataCells, contentId } = row;
  return {
    root: metadata.indexRoot,
    indexCells: own.catalog.cellIds(contentId, headCells, indexCells),
    lastDataCell:
      dataCells === 0 ? undefined : own.catalog.cellIds(contentId, headCells + indexCells + dataCells - 1, 1),
  };
}

function isSameLink(entry: Entry, old: Entry | undefined): boolean {
  return old !== undefined && old.kind === entry.kind && old.target.equals(entry.target);
}

async function* noEntries(): AsyncGenerator<never> {}

async function* oneItem(item: NewItem): AsyncGenerator<WalkedItem> {
  yield item;
}

function tooManyFiles(): BbError {
  return new BbError('TOO_LARGE', `there are more than ${FILES} files`);
}

function tooLarge(): BbError {
  return new BbError('TOO_LARGE', 'the files are larger than the largest content');
}
