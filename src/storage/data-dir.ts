// The data directory as a whole: one daemon at a time, a header in three copies, free space with a reserve.
// Invariant: the header is written before anything that depends on it, and a damaged copy is replaced from a good one.

import { statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import type { DataDir, DirReport, Header } from '../ports/data-dir.ts';
import { BbError, isBbError } from '../core/errors.ts';
import { BALLAST_BYTES } from '../core/limits.ts';
import { BALLAST_NAME, ensureBallast } from './ballast.ts';
import { BACKUP_NAME } from './catalog/backup.ts';
import { CATALOG_NAME, openCopy, openDatabase, openExisting } from './catalog/database.ts';
import { bytesOf, isBusy, Sql } from './catalog/sql.ts';
import { asDiskError, diskFiles, readSmallFile, replaceFile } from './files.ts';
import type { Files } from './files.ts';
import { hasContentTraces, namesIn } from './catalog/traces.ts';
import { decodeHeader, encodeHeader, HEADER_MAX_BYTES } from './header-file.ts';

const COPIES = ['header.json', 'header.bak'] as const;
/** What gets its name only when it is whole. */
const HALF_MADE = /\.new(-wal|-shm|-journal)?$/;
/** Staging of a recovery survives a restart; every other staging is dropped. */
const RECOVERY_PREFIX = 'recovery-';

export class DiskDataDir implements DataDir {
  readonly #dir: string;
  readonly #files: Files;
  #lock: Sql | undefined;

  constructor(dir: string, files: Files = diskFiles) {
    this.#dir = dir;
    this.#files = files;
  }

  /** Also makes the folders and drops what was being made when the last daemon was killed. */
  async lock(): Promise<void> {
    await this.#makeUsable();
    const lock = new Sql(`${this.#dir}/LOCK`, { busyTimeoutMs: 0 });
    try {
      lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    } catch (error) {
      lock.close();
      if (isBusy(error))
        throw new BbError('DATA_DIR_IN_USE', 'another daemon uses this data directory', { cause: error });
      throw error;
    }
    this.#lock = lock;
    for (const name of ['own', 'peers', 'tmp']) await this.#files.makeDir(`${this.#dir}/${name}`);
    for (const name of await this.#files.list(this.#dir)) {
      if (HALF_MADE.test(name)) await this.#files.unlink(`${this.#dir}/${name}`);
    }
    for (const name of await this.#files.list(`${this.#dir}/tmp`)) {
      if (!name.startsWith(RECOVERY_PREFIX)) await this.#files.unlink(`${this.#dir}/tmp/${name}`);
    }
    await ensureBallast(this.#files, this.#dir, await this.freeBytes());
  }

  /** UNUSABLE_ENVIRONMENT where the folder cannot be made, or belongs to somebody else. */
  async #makeUsable(): Promise<void> {
    try {
      await this.#files.makeDir(this.#dir);
      await fs.chmod(this.#dir, 0o700);
      await (await fs.open(`${this.#dir}/LOCK`, 'a', 0o600)).close();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined || code === 'ENOSPC' || code === 'EDQUOT') throw asDiskError(error);
      throw new BbError('UNUSABLE_ENVIRONMENT', `the data directory cannot be used: ${message}`, { cause: error });
    }
  }

  async readHeader(): Promise<Header | undefined> {
    const copies = await this.#readCopies();
    const headers = copies.map((copy) => copy && decodeHeader(copy));
    const good = headers.find((header) => header !== undefined) ?? this.#readBackup();
    if (good === undefined) {
      const isFresh = copies.every((copy) => copy === undefined) && !hasContentTraces(this.#dir);
      if (isFresh) return undefined;
      throw new BbError('INTEGRITY', 'all copies of the header are damaged or lost', { hint: HEADER_HINT });
    }
    if (headers.includes(undefined)) await this.#writeCopies(good, headers);
    return good;
  }

  async inspect(): Promise<DirReport> {
    const copies = await this.#readCopies();
    const names = [...COPIES, `row of ${CATALOG_NAME}`];
    return {
      headers: names.map((name, index) => ({ name, state: stateOf(copies[index]) })),
      openToOthers: ownNames(this.#dir).filter((name) => ((statOf(`${this.#dir}/${name}`)?.mode ?? 0) & OTHERS) !== 0),
      hasBallast: statOf(`${this.#dir}/${BALLAST_NAME}`)?.size === BALLAST_BYTES,
      newestMs: Math.max(0, ...ownNames(this.#dir).map((name) => statOf(`${this.#dir}/${name}`)?.mtimeMs ?? 0)),
    };
  }

  async tidy(): Promise<void> {
    for (const name of ownNames(this.#dir)) {
      const path = `${this.#dir}/${name}`;
      const mode = statOf(path)?.mode;
      if (mode !== undefined && (mode & OTHERS) !== 0) await fs.chmod(path, mode & ~OTHERS & 0o7777);
    }
    await ensureBallast(this.#files, this.#dir, await this.freeBytes());
  }

  async writeHeader(header: Header): Promise<void> {
    if ((await this.readHeader()) !== undefined) {
      throw new BbError('ALREADY_INITIALISED', 'this data directory has an identity already');
    }
    try {
      await this.#writeCopies(header, []);
    } catch (error) {
      // Nobody has seen the words of an identity whose making failed: a part of it must not keep the next one out.
      for (const name of COPIES) await this.#files.unlink(`${this.#dir}/${name}`).catch(() => undefined);
      throw error;
    }
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await fs.statfs(this.#dir);
    return bavail * bsize;
  }

  async totalBytes(): Promise<number> {
    const { blocks, bsize } = await fs.statfs(this.#dir);
    return blocks * bsize;
  }

  async close(): Promise<void> {
    this.#lock?.close();
    this.#lock = undefined;
  }

  /** `present` marks the copies that are good already, in the order header.json, header.bak, catalog row. */
  async #writeCopies(header: Header, present: readonly (Header | undefined)[]): Promise<void> {
    const bytes = encodeHeader(header);
    const isFirst = present.length === 0;
    try {
      for (const [index, name] of COPIES.entries()) {
        if (present[index] === undefined) await replaceFile(this.#files, this.#dir, name, bytes);
      }
    } catch (error) {
      throw asDiskError(error);
    }
    if (present[COPIES.length] !== undefined) return;
    try {
      const write = (sql: Sql) => sql.run('INSERT OR REPLACE INTO header (id, value) VALUES (1, ?)', bytes);
      this.#withCatalog(isFirst ? openDatabase : openExisting, write);
    } catch (error) {
      // With a good copy at hand a damaged or lost catalog is for the catalog to report, with what to do about it.
      if (isFirst || !isBbError(error, 'INTEGRITY')) throw error;
    }
  }

  async #readCopies(): Promise<(Buffer | undefined)[]> {
    const copies: (Buffer | undefined)[] = [];
    for (const name of COPIES) copies.push(await this.#readCopy(name));
    copies.push(await this.#readRow());
    return copies;
  }

  /** The copy of the catalog has the row, too; when all others are gone it is as good. */
  #readBackup(): Header | undefined {
    try {
      const row = this.#withCatalog(openCopy, headerRow, BACKUP_NAME);
      return row && decodeHeader(row);
    } catch (error) {
      if (isBbError(error, 'INTEGRITY')) return undefined;
      throw error;
    }
  }

  /** A copy that is too large or cannot be read counts as damaged, not as missing. */
  async #readCopy(name: string): Promise<Buffer | undefined> {
    try {
      return await readSmallFile(this.#files, `${this.#dir}/${name}`, HEADER_MAX_BYTES);
    } catch {
      return Buffer.alloc(0);
    }
  }

  async #readRow(): Promise<Buffer | undefined> {
    const path = `${this.#dir}/${CATALOG_NAME}`;
    // Of no length: the first start was killed as it made the file.
    if (((await this.#files.sizeBytes(path)) ?? 0) === 0) return undefined;
    try {
      return this.#withCatalog(openExisting, headerRow);
    } catch (error) {
      if (isBbError(error, 'INTEGRITY')) return Buffer.alloc(0);
      throw error;
    }
  }

  #withCatalog<T>(open: (path: string) => Sql, use: (sql: Sql) => T, name = CATALOG_NAME): T {
    const sql = open(`${this.#dir}/${name}`);
    try {
      return use(sql);
    } finally {
      sql.close();
    }
  }
}

const HEADER_HINT =
  'The keys in it cannot be made again. Keep this directory, and recover with your words in a new one: bb --data-dir NEW init --recover.';

/** Permissions of anybody but the owner. */
const OTHERS = 0o077;

/** The directory and what the daemon makes in it; a log or a configuration beside them is the user's. */
function ownNames(dir: string): string[] {
  const packs = ['own', 'peers'].flatMap((store) => namesIn(`${dir}/${store}`).map((name) => `${store}/${name}`));
  return ['.', ...namesIn(dir).filter((name) => OWN_NAME.test(name)), ...packs];
}

const OWN_NAME = /^(LOCK|header\.(json|bak)|state\.(db|bak).*|own|peers|tmp|ballast)$/;

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function stateOf(copy: Buffer | undefined): 'good' | 'damaged' | 'missing' {
  if (copy === undefined) return 'missing';
  return decodeHeader(copy) === undefined ? 'damaged' : 'good';
}

function headerRow(sql: Sql): Buffer | undefined {
  const row = sql.get('SELECT value FROM header WHERE id = 1');
  return row === undefined ? undefined : Buffer.from(bytesOf(row['value']));
}
