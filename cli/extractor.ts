// Writes entries of the backup below a folder: bytes, modes, times, links. A file is written under a temporary name and gets
// its own when it is complete, so that a broken run leaves no half file under a good name.
// Invariants: no link inside the folder is followed; nothing is overwritten without `force`.
// Times are exact to about 240 ns: Node passes seconds as a double.

import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { BbError } from '../src/core/errors.ts';
import { EntryKind } from '../src/gen/clirpc/v1/clirpc.ts';
import type { Entry } from '../src/gen/clirpc/v1/clirpc.ts';
import { hasNoBytes } from './entry-marks.ts';
import { cliError } from './errors.ts';
import type { SafeFolder } from './safe-folder.ts';
import { safeName } from './safe-text.ts';

const PERMISSIONS = 0o7777;
const NS_PER_SECOND = 1e9;

export type ExtractOptions = {
  /** Where an entry goes: components below the folder; none for the folder itself. */
  readonly place: (name: Buffer) => readonly Buffer[];
  readonly force: boolean;
  /** What an earlier run wrote is left as it is: it goes on where that was broken off. */
  readonly goOn: boolean;
  readonly warn: (text: string) => void;
};

type OpenFolder = { readonly name: Buffer; readonly folder: SafeFolder; readonly made: boolean; entry?: Entry };
type OpenFile = {
  readonly entry: Entry;
  readonly folder: SafeFolder;
  readonly name: Buffer;
  readonly temporary: Buffer;
  readonly handle: FileHandle;
  bytes: bigint;
};

export class Extractor {
  /** Counts of what was written and what could not be. */
  readonly counts = { files: 0, folders: 0, links: 0, bytes: 0, missing: 0 };
  readonly #options: ExtractOptions;
  /** The folder itself and, from it, those down to the last entry: entries come in the order of the tree. */
  readonly #open: OpenFolder[];
  readonly #asRoot = process.getuid?.() === 0;
  #file: OpenFile | undefined;
  /** The bytes that come now are those of a file that is here. */
  #isHere = false;

  /** `made`: the folder is new, so that it may take mode and times of an entry. */
  constructor(root: SafeFolder, made: boolean, options: ExtractOptions) {
    this.#options = options;
    this.#open = [{ name: Buffer.alloc(0), folder: root, made }];
  }

  async entry(entry: Entry): Promise<void> {
    await this.#finishFile();
    this.#isHere = false;
    const parts = this.#options.place(entry.name);
    if (parts.length === 0 && entry.kind !== EntryKind.ENTRY_KIND_FOLDER) {
      throw new BbError('EXISTS', 'OUT is a folder, and what was asked for is not');
    }
    if (entry.kind === EntryKind.ENTRY_KIND_FOLDER) {
      await this.#enter(parts);
      this.#last().entry = entry;
      this.counts.folders += 1;
      return;
    }
    await this.#enter(parts.slice(0, -1));
    const name = parts.at(-1) as Buffer;
    if (hasNoBytes(entry)) return this.#missing(entry, 'was unreadable when it was backed up');
    if (this.#options.goOn && (await this.#wasWritten(entry, name))) return;
    if (!this.#options.force) await this.#last().folder.requireFree(name);
    if (entry.kind === EntryKind.ENTRY_KIND_SYMLINK) return this.#writeSymlink(entry, name);
    if (entry.kind === EntryKind.ENTRY_KIND_HARDLINK) return this.#writeHardLink(entry, name);
    if (entry.kind !== EntryKind.ENTRY_KIND_FILE)
      return this.#missing(entry, 'is of a kind that this bb does not know');
    const folder = this.#last().folder;
    const temporary = temporaryName();
    const handle = await folder.create(temporary).catch((error: unknown) => {
      throw cliError(error);
    });
    this.#file = { entry, folder, name, temporary, handle, bytes: 0n };
  }

  /** The next bytes of the last entry. */
  async data(bytes: Buffer): Promise<void> {
    if (this.#isHere) return;
    const file = this.#file;
    if (file === undefined) throw new BbError('INTEGRITY', 'the daemon sent bytes that belong to no file');
    file.bytes += BigInt(bytes.length);
    if (file.bytes > file.entry.size) throw wrongSize(file.entry);
    await file.handle.writeFile(bytes).catch((error: unknown) => {
      throw cliError(error);
    });
  }

  /** All entries came. */
  async end(): Promise<void> {
    await this.#finishFile();
    while (this.#open.length > 0) await this.#leave();
  }

  /** Removes the unfinished file and closes everything; what is complete stays. */
  async abandon(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close().catch(() => undefined);
    await file?.folder.remove(file.temporary).catch(() => undefined);
    for (const { folder } of this.#open.splice(0)) await folder.close().catch(() => undefined);
  }

  /** Leaves and enters folders until the last open one is at `parts`. */
  async #enter(parts: readonly Buffer[]): Promise<void> {
    let common = 0;
    while (common < parts.length && this.#open[common + 1]?.name.equals(parts[common] as Buffer) === true) common += 1;
    while (this.#open.length > common + 1) await this.#leave();
    for (const name of parts.slice(common)) {
      this.#open.push({ name, ...(await this.#last().folder.child(name)) });
    }
  }

  /** Mode and times are set at last: entries written into a folder change its time, and it may be read-only. */
  async #leave(): Promise<void> {
    const { folder, entry, made } = this.#open.pop() as OpenFolder;
    try {
      if (entry !== undefined && (made || this.#options.force || this.#options.goOn))
        await this.#setAttributes(folder.handle, entry);
    } finally {
      await folder.close();
    }
  }

  /** A file gets its name and time when it is whole, so that size and time tell what an earlier run has finished. */
  async #wasWritten(entry: Entry, name: Buffer): Promise<boolean> {
    const { folder } = this.#last();
    const found = await folder.look(name);
    if (found === undefined) return false;
    if (entry.kind === EntryKind.ENTRY_KIND_SYMLINK) {
      if (!found.isSymbolicLink() || !(await folder.linkTarget(name)).equals(entry.target)) return false;
      this.counts.links += 1;
      return true;
    }
    const isLinked = entry.kind === EntryKind.ENTRY_KIND_HARDLINK && found.nlink > 1n;
    const isFile = entry.kind === EntryKind.ENTRY_KIND_FILE && found.size === entry.size && isAt(found.mtimeNs, entry);
    if (!found.isFile() || !(isLinked || isFile)) return false;
    this.#isHere = true;
    this.counts.files += 1;
    this.counts.bytes += isFile ? Number(entry.size) : 0;
    return true;
  }

  async #finishFile(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    if (file.bytes !== file.entry.size) throw wrongSize(file.entry);
    await this.#setAttributes(file.handle, file.entry);
    await file.folder.publish(file.temporary, file.name, this.#options.force);
    this.#file = undefined;
    await file.handle.close();
    this.counts.files += 1;
    this.counts.bytes += Number(file.bytes);
  }

  async #writeSymlink(entry: Entry, name: Buffer): Promise<void> {
    const { folder } = this.#last();
    const temporary = temporaryName();
    await folder.symlink(entry.target, temporary).catch((error: unknown) => {
      throw cliError(error);
    });
    try {
      await folder.setLinkTimes(temporary, secondsOf(entry));
      await folder.publish(temporary, name, this.#options.force);
    } catch (error) {
      await folder.remove(temporary).catch(() => undefined);
      throw error;
    }
    this.counts.links += 1;
  }

  /** The first name may be outside of what was asked for, or have failed: then there is nothing to link to. */
  async #writeHardLink(entry: Entry, name: Buffer): Promise<void> {
    const source = await this.#folderOf(entry.target).catch(() => undefined);
    if (source === undefined) return this.#missing(entry, 'is a further name of a file that is not here');
    const temporary = temporaryName();
    const { folder } = this.#last();
    try {
      await source.folder.link(source.name, folder, temporary);
      await folder.publish(temporary, name, this.#options.force);
      this.counts.files += 1;
    } catch (error) {
      const known = cliError(error);
      if (known.code !== 'NOT_FOUND') throw known;
      this.#missing(entry, 'is a further name of a file that is not here');
    } finally {
      for (const { folder: opened } of source.opened) await opened.close();
    }
  }

  /** Opens the folder of a stored name anew, from the top. */
  async #folderOf(stored: Buffer): Promise<{ folder: SafeFolder; name: Buffer; opened: { folder: SafeFolder }[] }> {
    const parts = this.#options.place(stored);
    const opened: { folder: SafeFolder }[] = [];
    let { folder } = this.#open[0] as OpenFolder;
    for (const part of parts.slice(0, -1)) {
      const child = await folder.child(part);
      opened.push(child);
      folder = child.folder;
    }
    return { folder, name: parts.at(-1) as Buffer, opened };
  }

  async #setAttributes(handle: FileHandle, entry: Entry): Promise<void> {
    try {
      // Before the mode, because a change of owner clears its special bits.
      if (this.#asRoot) await handle.chown(entry.uid, entry.gid);
      await handle.chmod(entry.mode & PERMISSIONS);
      await handle.utimes(secondsOf(entry), secondsOf(entry));
    } catch (error) {
      throw cliError(error);
    }
  }

  #missing(entry: Entry, why: string): void {
    this.counts.missing += 1;
    this.#options.warn(`${safeName(entry.name)} ${why}`);
  }

  #last(): OpenFolder {
    return this.#open.at(-1) as OpenFolder;
  }
}

/** Not a name that somebody could have prepared. */
function temporaryName(): Buffer {
  return Buffer.from(`.bb-${randomBytes(8).toString('hex')}.part`);
}

function secondsOf(entry: Entry): number {
  return Number(entry.mtimeNs) / NS_PER_SECOND;
}

/** To the microsecond: less is lost on the way through a double. */
function isAt(mtimeNs: bigint, entry: Entry): boolean {
  const apart = mtimeNs - entry.mtimeNs;
  return apart > -1000n && apart < 1000n;
}

function wrongSize(entry: Entry): BbError {
  return new BbError('INTEGRITY', `the daemon sent another number of bytes than ${safeName(entry.name)} has`);
}
