// An open folder that is written to by names of one component. Links are never followed: a name is looked up relative to the
// open descriptor, so neither a link that was there before nor one that is put there meanwhile leads out of the folder.
// Node has no openat(2); on Linux /proc/self/fd/<n>/<name> is the same. Elsewhere the path is used, checked step by step.

import { constants, existsSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { link, lstat, mkdir, open, readlink, rename, symlink, unlink, lutimes } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { BbError } from '../src/core/errors.ts';
import { cliError } from './errors.ts';
import { safeName } from './safe-text.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY, O_CREAT, O_EXCL, O_WRONLY } = constants;
const DESCRIPTORS = '/proc/self/fd';
const OWNER_ONLY_FOLDER = 0o700;
const OWNER_ONLY_FILE = 0o600;
/** File systems without hard links say one of these. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

export class SafeFolder {
  readonly handle: FileHandle;
  readonly #base: Buffer;
  /** The folders down to this one, as messages name them: empty, or with a slash at the end. */
  readonly #shown: string;

  private constructor(handle: FileHandle, path: Buffer, shown: string) {
    this.handle = handle;
    this.#shown = shown;
    this.#base = existsSync(DESCRIPTORS) ? Buffer.from(`${DESCRIPTORS}/${handle.fd}`) : path;
  }

  /** The folder that the user named; links on the way to it are the user's own and are followed. */
  static async open(path: string): Promise<SafeFolder> {
    const handle = await open(path, O_RDONLY | O_DIRECTORY).catch((error: unknown) => {
      throw cliError(error);
    });
    return new SafeFolder(handle, Buffer.from(path), '');
  }

  /** A folder in this one, made when it is not there. EXISTS when a link or a file has the name. */
  async child(name: Buffer): Promise<{ readonly folder: SafeFolder; readonly made: boolean }> {
    const path = this.#path(name);
    const made = await mkdir(path, { mode: OWNER_ONLY_FOLDER }).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false;
        throw cliError(error);
      },
    );
    const handle = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ELOOP' || error.code === 'ENOTDIR') {
        throw new BbError('EXISTS', `${this.#shown}${safeName(name)} is a link or a file where a folder belongs`, {
          hint: 'Links are never followed. Remove it, or name another OUT.',
        });
      }
      throw cliError(error);
    });
    return { folder: new SafeFolder(handle, path, `${this.#shown}${safeName(name)}/`), made };
  }

  /** A new file, open for writing, that only the owner can read. */
  create(name: Buffer): Promise<FileHandle> {
    return open(this.#path(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, OWNER_ONLY_FILE);
  }

  /** EXISTS when anything has the name, a dangling link included. */
  async requireFree(name: Buffer): Promise<void> {
    if ((await this.look(name)) !== undefined) throw this.#exists(name);
  }

  /** What has the name, a link itself and not what it leads to; undefined for nothing. */
  look(name: Buffer): Promise<BigIntStats | undefined> {
    return lstat(this.#path(name), { bigint: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw cliError(error);
    });
  }

  /** Where the link of this name leads. */
  linkTarget(name: Buffer): Promise<Buffer> {
    return readlink(this.#path(name), 'buffer').catch((error: unknown) => {
      throw cliError(error);
    });
  }

  async symlink(target: Buffer, name: Buffer): Promise<void> {
    await symlink(target, this.#path(name));
  }

  /** A further name in `to` for the file `name` of this folder. */
  async link(name: Buffer, to: SafeFolder, newName: Buffer): Promise<void> {
    await link(this.#path(name), to.#path(newName));
  }

  async setLinkTimes(name: Buffer, seconds: number): Promise<void> {
    await lutimes(this.#path(name), seconds, seconds);
  }

  /** Gives `temporary` its final name at once: over what is there with `force`, and otherwise only onto a free name. */
  async publish(temporary: Buffer, name: Buffer, force: boolean): Promise<void> {
    const [from, to] = [this.#path(temporary), this.#path(name)];
    try {
      if (force) return await rename(from, to);
      await link(from, to);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST' || code === 'EISDIR' || code === 'ENOTEMPTY') throw this.#exists(name);
      if (!NO_LINKS.has(code)) throw cliError(error);
      await this.requireFree(name);
      return rename(from, to);
    }
    await unlink(from);
  }

  async remove(name: Buffer): Promise<void> {
    await unlink(this.#path(name));
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  #path(name: Buffer): Buffer {
    return Buffer.concat([this.#base, Buffer.from('/'), name]);
  }

  #exists(name: Buffer): BbError {
    return new BbError('EXISTS', `${this.#shown}${safeName(name)} exists already`);
  }
}
