// The few file operations that packs and headers are made of. Injected, so that a test can record, fail or cut each
// call; `diskFiles` is the real thing.
// Invariant: a file or folder made here is readable by its owner only.

import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname } from 'node:path';
import { BbError } from '../core/errors.ts';

export interface OpenFile {
  /** Fills `into` from `position`; fewer bytes only at the end of the file. */
  read(into: Buffer, position: number): Promise<number>;
  /** Writes all of `bytes`. */
  write(bytes: Buffer, position: number): Promise<void>;
  /** fdatasync: contents and length are on the disk. */
  datasync(): Promise<void>;
  truncate(lengthBytes: number): Promise<void>;
  sizeBytes(): Promise<number>;
  close(): Promise<void>;
}

export interface Files {
  /** `create` needs that there is no such file, the others that there is one. */
  open(path: string, mode: 'read' | 'write' | 'create'): Promise<OpenFile>;
  /** Makes a folder (0700) and its parents; an existing one is fine. */
  makeDir(path: string): Promise<void>;
  /** Names in a folder, unordered; none when there is no such folder. */
  list(path: string): Promise<readonly string[]>;
  /** Length of a file, undefined when there is none. */
  sizeBytes(path: string): Promise<number | undefined>;
  rename(from: string, to: string): Promise<void>;
  /** A missing file is fine. */
  unlink(path: string): Promise<void>;
  /** Makes created, renamed and removed names of a folder durable. */
  syncDir(path: string): Promise<void>;
}

const FLAGS = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
} as const;

export const diskFiles: Files = {
  async open(path, mode) {
    return new DiskFile(await fs.open(path, FLAGS[mode] | constants.O_NOFOLLOW, 0o600));
  },
  makeDir,
  async list(path) {
    return fs.readdir(path).catch((error: unknown) => (isErrno(error, 'ENOENT') ? [] : Promise.reject(error)));
  },
  async sizeBytes(path) {
    try {
      return (await fs.stat(path)).size;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  },
  rename: (from, to) => fs.rename(from, to),
  async unlink(path) {
    await fs.rm(path, { force: true });
  },
  async syncDir(path) {
    const dir = await fs.open(path, 'r');
    try {
      await dir.sync();
    } finally {
      await dir.close();
    }
  },
};

/** Not Node's `recursive`: that never returns for a folder that the kernel refuses to make, such as one in /proc. */
async function makeDir(path: string): Promise<void> {
  const make = (): Promise<void> => fs.mkdir(path, { mode: 0o700 });
  try {
    await make();
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return;
    if (!isErrno(error, 'ENOENT') || (await fs.stat(dirname(path)).catch(() => undefined)) !== undefined) throw error;
    await makeDir(dirname(path));
    await make();
  }
}

class DiskFile implements OpenFile {
  readonly #handle: fs.FileHandle;

  constructor(handle: fs.FileHandle) {
    this.#handle = handle;
  }

  async read(into: Buffer, position: number): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await this.#handle.read(into, done, into.length - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  async write(bytes: Buffer, position: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  }

  datasync(): Promise<void> {
    return this.#handle.datasync();
  }

  truncate(lengthBytes: number): Promise<void> {
    return this.#handle.truncate(lengthBytes);
  }

  async sizeBytes(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Reads a whole small file (at most `maxBytes`); undefined when there is none, INTEGRITY when it is larger. */
export async function readSmallFile(files: Files, path: string, maxBytes: number): Promise<Buffer | undefined> {
  const sizeBytes = await files.sizeBytes(path);
  if (sizeBytes === undefined) return undefined;
  if (sizeBytes > maxBytes) throw new BbError('INTEGRITY', 'a small file of the data directory is too large');
  const file = await files.open(path, 'read');
  try {
    const bytes = Buffer.alloc(sizeBytes);
    return bytes.subarray(0, await file.read(bytes, 0));
  } finally {
    await file.close();
  }
}

/** Replaces a file so that after a crash either the old or the new bytes are there, whole. */
export async function replaceFile(files: Files, dir: string, name: string, bytes: Buffer): Promise<void> {
  const temporary = `${dir}/${name}.new`;
  await files.unlink(temporary);
  const file = await files.open(temporary, 'create');
  try {
    await file.write(bytes, 0);
    await file.datasync();
  } finally {
    await file.close();
  }
  await files.rename(temporary, `${dir}/${name}`);
  await files.syncDir(dir);
}

export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** A full disk or quota becomes NO_SPACE, a disk that fails UNUSABLE_ENVIRONMENT; everything else stays what it is. */
export function asDiskError(error: unknown): unknown {
  if (isErrno(error, 'ENOSPC', 'EDQUOT')) {
    return new BbError('NO_SPACE', 'the disk of the data directory is full', { cause: error });
  }
  return isErrno(error, 'EIO', 'EROFS')
    ? new BbError('UNUSABLE_ENVIRONMENT', 'the disk of the data directory failed', { cause: error })
    : error;
}
