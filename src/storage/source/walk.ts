// Walks a file or a folder in the order of the file table, so that a walk merges with a sorted table. Names are bytes.
// Memory is bounded by the largest single folder on the way down. Nothing is followed: a link is an entry.
// Invariant: every path is given out once, a folder before what is in it, siblings bytewise; what cannot be looked at is
// told from what is not there.

import type { BigIntStats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { ENTRY_KIND } from '../../core/content/entry.ts';
import type { EntryKind } from '../../core/content/entry.ts';
import { BbError } from '../../core/errors.ts';
import { isErrno } from '../files.ts';

export type WalkedEntry = {
  readonly kind: EntryKind;
  /** Relative to the root that is walked, empty for the root itself; '/' between components. */
  readonly path: Buffer;
  /** Where it lies on this machine. */
  readonly diskPath: Buffer;
  /** Bytes of a file, 0 for other kinds. */
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Target of a symlink, else empty. */
  readonly target: Buffer;
};

export type Inode = { readonly dev: bigint; readonly ino: bigint };

/**
 * `special`: a socket, pipe or device; `gone`: no more there when it was looked at; `unseen`: what is at `path`, or below it,
 * may not be looked at or cannot be read, which says nothing about whether it is there.
 */
export type Skipped = {
  readonly kind: 'skipped';
  readonly reason: 'special' | 'gone' | 'unseen';
  readonly path: Buffer;
};

const SLASH = Buffer.from('/');

/**
 * NOT_FOUND when there is nothing at `root`, USAGE when that is a pipe, socket or device. `except` is the inode of a folder that is passed over: the daemon's own. Stops
 * with the signal's reason.
 */
export async function* walk(root: Buffer, signal?: AbortSignal, except?: Inode): AsyncGenerator<WalkedEntry | Skipped> {
  const stats = await statOf(root);
  if (typeof stats === 'string')
    throw new BbError('NOT_FOUND', 'there is no such file or folder, or it may not be looked at', {
      hint: 'Check the path: it is one of this machine.',
    });
  if (kindOf(stats) === undefined) throw new BbError('USAGE', 'the path is no file, folder or symlink');
  yield* walkAt(root, Buffer.alloc(0), stats, signal, except);
}

/** What tells a folder under any of its names. */
export function inodeOf(path: string): Promise<Inode> {
  return fs.stat(path, { bigint: true });
}

async function* walkAt(
  diskPath: Buffer,
  path: Buffer,
  stats: BigIntStats,
  signal: AbortSignal | undefined,
  except: Inode | undefined,
): AsyncGenerator<WalkedEntry | Skipped> {
  signal?.throwIfAborted();
  const isExcept = except !== undefined && stats.dev === except.dev && stats.ino === except.ino;
  const kind = isExcept ? undefined : kindOf(stats);
  if (kind === undefined) {
    yield { kind: 'skipped', reason: 'special', path };
    return;
  }
  const names = kind === ENTRY_KIND.FOLDER ? await namesIn(diskPath) : [];
  const target = kind === ENTRY_KIND.SYMLINK ? await targetOf(diskPath) : Buffer.alloc(0);
  if (target === undefined) {
    yield { kind: 'skipped', reason: 'unseen', path };
    return;
  }
  yield {
    kind,
    path,
    diskPath,
    size: kind === ENTRY_KIND.FILE ? Number(stats.size) : 0,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    target,
  };
  if (names === undefined) yield { kind: 'skipped', reason: 'unseen', path };
  for (const name of names ?? []) {
    const childDiskPath = Buffer.concat([diskPath, SLASH, name]);
    const childPath = path.length === 0 ? name : Buffer.concat([path, SLASH, name]);
    const childStats = await statOf(childDiskPath);
    if (typeof childStats === 'string') yield { kind: 'skipped', reason: childStats, path: childPath };
    else yield* walkAt(childDiskPath, childPath, childStats, signal, except);
  }
}

function kindOf(stats: BigIntStats): EntryKind | undefined {
  if (stats.isFile()) return ENTRY_KIND.FILE;
  if (stats.isDirectory()) return ENTRY_KIND.FOLDER;
  return stats.isSymbolicLink() ? ENTRY_KIND.SYMLINK : undefined;
}

async function statOf(path: Buffer): Promise<BigIntStats | 'gone' | 'unseen'> {
  try {
    return await fs.lstat(path, { bigint: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return 'gone';
    if (isErrno(error, 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'EIO')) return 'unseen';
    throw error;
  }
}

/** Bytewise sorted, or undefined when the folder may not be listed. */
async function namesIn(path: Buffer): Promise<Buffer[] | undefined> {
  try {
    return (await fs.readdir(path, { encoding: 'buffer' })).sort((a, b) => a.compare(b));
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'EIO', 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

async function targetOf(path: Buffer): Promise<Buffer | undefined> {
  try {
    return await fs.readlink(path, { encoding: 'buffer' });
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'EIO', 'ENOENT', 'EINVAL')) return undefined;
    throw error;
  }
}
