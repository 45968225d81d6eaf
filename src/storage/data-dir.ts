// The data directory as a whole: one daemon at a time, a header in three copies, free space with a reserve.
// Invariant: the header is written before anything that depends on it, and a damaged copy is replaced from a good one.

import * as fs from 'node:fs/promises';
import type { DataDir, Header } from '../ports/data-dir.ts';
import { BbError, isBbError } from '../core/errors.ts';
import { ensureBallast } from './ballast.ts';
import { CATALOG_NAME, openDatabase } from './catalog/database.ts';
import { bytesOf, isBusy, Sql } from './catalog/sql.ts';
import { asDiskError, diskFiles, readSmallFile, replaceFile } from './files.ts';
import type { Files } from './files.ts';
import { decodeHeader, encodeHeader, HEADER_MAX_BYTES } from './header-file.ts';

const COPIES = ['header.json', 'header.bak'] as const;
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

  /** Also makes the folders and drops what an interrupted ingest left in tmp. */
  async lock(): Promise<void> {
    await this.#files.makeDir(this.#dir);
    await fs.chmod(this.#dir, 0o700);
    await (await fs.open(`${this.#dir}/LOCK`, 'a', 0o600)).close();
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
    for (const name of await this.#files.list(`${this.#dir}/tmp`)) {
      if (!name.startsWith(RECOVERY_PREFIX)) await this.#files.unlink(`${this.#dir}/tmp/${name}`);
    }
    await ensureBallast(this.#files, this.#dir, await this.freeBytes());
  }

  async readHeader(): Promise<Header | undefined> {
    const copies: (Buffer | undefined)[] = [];
    for (const name of COPIES) copies.push(await this.#readCopy(name));
    copies.push(await this.#readRow());
    if (copies.every((copy) => copy === undefined)) return undefined;
    const headers = copies.map((copy) => copy && decodeHeader(copy));
    const good = headers.find((header) => header !== undefined);
    if (good === undefined) throw new BbError('INTEGRITY', 'all copies of the header are damaged');
    if (headers.includes(undefined)) await this.#writeCopies(good, headers);
    return good;
  }

  async writeHeader(header: Header): Promise<void> {
    if ((await this.readHeader()) !== undefined) {
      throw new BbError('ALREADY_INITIALISED', 'this data directory has an identity already');
    }
    await this.#writeCopies(header, []);
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
    try {
      for (const [index, name] of COPIES.entries()) {
        if (present[index] === undefined) await replaceFile(this.#files, this.#dir, name, bytes);
      }
    } catch (error) {
      throw asDiskError(error);
    }
    if (present[COPIES.length] !== undefined) return;
    try {
      this.#withCatalog((sql) => sql.run('INSERT OR REPLACE INTO header (id, value) VALUES (1, ?)', bytes));
    } catch (error) {
      // With a good copy at hand a damaged catalog is for the catalog to report, with what to do about it.
      if (present.length === 0 || !isBbError(error, 'INTEGRITY')) throw error;
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
    if ((await this.#files.sizeBytes(path)) === undefined) return undefined;
    try {
      const row = this.#withCatalog((sql) => sql.get('SELECT value FROM header WHERE id = 1'));
      return row === undefined ? undefined : Buffer.from(bytesOf(row['value']));
    } catch (error) {
      if (isBbError(error, 'INTEGRITY')) return Buffer.alloc(0);
      throw error;
    }
  }

  #withCatalog<T>(use: (sql: Sql) => T): T {
    const sql = openDatabase(`${this.#dir}/${CATALOG_NAME}`);
    try {
      return use(sql);
    } finally {
      sql.close();
    }
  }
}
