// Sees every change below one folder that the program makes through Node's file calls or SQLite, writes it down as steps
// of a disk model, and fails chosen calls.
// Invariant: nothing is missed: at the end the model and the folder are compared, byte by byte.

import fs from 'node:fs';
import promises from 'node:fs/promises';
import { join, relative } from 'node:path';
import { DiskModel, parentOf } from './disk-model.ts';
import type { Image, Step } from './disk-model.ts';
import { Patches } from './platform.ts';
import { watchFileCalls } from './watch-files.ts';
import { watchSqlite } from './watch-sqlite.ts';

/** What can be made to fail; `commit` is a transaction of a database, everything else a call about a file. */
export const CALLS = ['open', 'write', 'truncate', 'datasync', 'rename', 'sync-dir', 'unlink', 'commit'] as const;
export type CallKind = (typeof CALLS)[number];

export type Fault = {
  readonly call: CallKind;
  /** Which call of this kind below `below` fails, from 1 on. */
  readonly nth: number;
  readonly code: 'ENOSPC' | 'EIO';
  /** From there on every call fails, as on a disk that stays full. */
  readonly stays: boolean;
  readonly below: string;
};

/** A step with what a person needs to know of it. `joined`: no cut comes between this step and the next. */
export type Taped = { readonly step: Step; readonly label: string; readonly joined: boolean };

export type Note = { readonly at: number; readonly what: string };

/** Files that no promise is about: sources of a test, a lock, shared memory, a filler, sockets. */
const UNWATCHED = /^[^/]*-source(\/|$)|(^|\/)(LOCK(-journal)?|ballast|[^/]*-shm|[^/]*\.sock)$/;

const DIFF_BYTES = 4096;

export class DiskWatch {
  readonly root: string;
  /** The disk before the first step of the tape. */
  base: Image = new Map();
  tape: Taped[] = [];
  /** What was acknowledged, and before which step. */
  notes: Note[] = [];
  model = new DiskModel(this.base);
  readonly #patches = new Patches();
  #nextFile = 0;
  #fault: Fault | undefined;
  #calls = 0;
  /** How often the fault has struck. */
  struck = 0;
  struckEver = 0;

  /** Watches an empty folder from now on. */
  constructor(root: string) {
    this.root = root;
    watchFileCalls(this.#patches, this);
    watchSqlite(this.#patches, this);
  }

  /** Begins the tape anew: what is there now counts as written long ago. */
  begin(image: Image = this.model.afterKill()): void {
    this.base = image;
    this.model = new DiskModel(this.base);
    this.#nextFile = this.model.fileCount;
    this.tape = [];
    this.notes = [];
  }

  stop(): void {
    this.#patches.undo();
  }

  /** The path below the root, or undefined for one that is not watched. */
  pathOf(path: unknown): string | undefined {
    const below = relative(this.root, String(path));
    return below !== '' && !below.startsWith('..') && !UNWATCHED.test(below) ? below : undefined;
  }

  fail(fault: Fault | undefined): void {
    this.#fault = fault;
    this.#calls = 0;
    this.struck = 0;
  }

  /** Throws when this call is one that has to fail. */
  call(kind: CallKind, path: string, asError: (fault: Fault) => Error = errnoError): void {
    const fault = this.#fault;
    if (fault === undefined || !path.startsWith(fault.below) || fault.call !== kind) return;
    this.#calls += 1;
    if (this.#calls < fault.nth || (this.#calls > fault.nth && !fault.stays)) return;
    this.struck += 1;
    this.struckEver += 1;
    throw asError(fault);
  }

  note(what: string): void {
    this.notes.push({ at: this.tape.length, what });
  }

  put(step: Step, label: string, joined = false): void {
    this.tape.push({ step, label, joined });
    this.model.apply(step);
  }

  create(path: string, joined = false): number {
    const file = this.#nextFile++;
    this.put({ kind: 'create', path, file }, `create ${path}`, joined);
    return file;
  }

  /** Whether a file differs from what is known of it. */
  differs(path: string): boolean {
    const file = this.model.fileAt(path);
    if (!fs.existsSync(join(this.root, path))) return file !== undefined;
    return file === undefined || !this.model.bytesOf(file).equals(fs.readFileSync(join(this.root, path)));
  }

  /** Takes over what was written to a file by other means, as unsynced bytes. */
  take(path: string | undefined, label = 'write', joined = false): void {
    if (path === undefined || !this.differs(path)) return;
    const bytes = fs.readFileSync(join(this.root, path));
    const file = this.model.fileAt(path) ?? this.create(path, joined);
    const before = this.model.bytesOf(file);
    if (before.length > bytes.length) {
      this.put({ kind: 'truncate', file, lengthBytes: bytes.length }, `truncate ${path}`, joined);
    }
    for (const { at, part } of changedParts(before, bytes)) {
      this.put({ kind: 'write', file, at, bytes: part }, `${label} ${path}`, joined);
    }
  }

  /** The file that has this name; a folder has none. */
  fileAt(path: string): number {
    const file = this.model.fileAt(path);
    if (file === undefined) throw new Error(`there is no file ${path}`);
    return file;
  }

  synced(path: string, upTo: number): void {
    const file = this.model.fileAt(path);
    if (file !== undefined) this.put({ kind: 'sync', file, upTo }, `sync ${path}`);
    else if (this.model.isFolder(path)) this.put({ kind: 'sync-dir', path, upTo }, `sync folder ${path}`);
  }

  /** A name and everything below it. */
  remove(path: string): void {
    for (const name of this.model.namesBelow(path)) this.put({ kind: 'unlink', path: name }, `unlink ${name}`);
  }

  /** A folder and its parents, as far as they are new. */
  makeFolder(path: string): void {
    if (path === '' || this.model.isFolder(path)) return;
    this.makeFolder(parentOf(path));
    this.put({ kind: 'mkdir', path }, `mkdir ${path}`);
  }

  /** Names whose content is not what the model says: something went by unseen. */
  unseen(): string[] {
    const found = readImage(this.root);
    const known = this.model.afterKill();
    return [...new Set([...found.keys(), ...known.keys()])].filter((path) => {
      const [a, b] = [found.get(path), known.get(path)];
      return found.has(path) !== known.has(path) || (a === undefined ? b !== undefined : b?.equals(a) !== true);
    });
  }
}

function errnoError({ code }: Fault): Error {
  return Object.assign(new Error(`${code}: made to fail`), { code });
}

/** Runs of blocks that differ. */
function changedParts(before: Buffer, after: Buffer): { readonly at: number; readonly part: Buffer }[] {
  const parts: { at: number; part: Buffer }[] = [];
  let from = -1;
  for (let at = 0; at < after.length; at += DIFF_BYTES) {
    const block = after.subarray(at, at + DIFF_BYTES);
    const isSame = before.subarray(at, at + block.length).equals(block);
    if (!isSame && from < 0) from = at;
    if (isSame && from >= 0) parts.push({ at: from, part: after.subarray(from, at) });
    if (isSame) from = -1;
  }
  if (from >= 0) parts.push({ at: from, part: after.subarray(from) });
  return parts;
}

/** What is below `root` now, as far as it is watched. */
export function readImage(root: string): Image {
  const image = new Map<string, Buffer | undefined>();
  const walk = (folder: string): void => {
    for (const entry of fs.readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (UNWATCHED.test(path)) continue;
      if (entry.isFile()) image.set(path, fs.readFileSync(join(root, path)));
      if (!entry.isDirectory()) continue;
      image.set(path, undefined);
      walk(path);
    }
  };
  walk('');
  return image;
}

/** Makes the files of an image below `root`. */
export async function writeImage(root: string, image: Image): Promise<void> {
  for (const [path, bytes] of image) {
    if (bytes === undefined) await promises.mkdir(join(root, path), { mode: 0o700 });
    else await promises.writeFile(join(root, path), bytes, { mode: 0o600 });
  }
}
