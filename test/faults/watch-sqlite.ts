// SQLite as a disk watch sees it. Its file calls happen inside the library, so after each statement that may have written
// the files of the database are compared with what was known of them; what SQLite syncs follows from its own settings.
// In WAL mode that is: frames, then fsync (synchronous=FULL), then at a checkpoint pages of the database, then fsync.

import fs from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import { parentOf } from './disk-model.ts';
import type { DiskWatch, Fault } from './disk-watch.ts';
import type { AnyFunction, Patches } from './platform.ts';

const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;
/** PRAGMA synchronous: WAL frames are synced at each commit from FULL on, at a checkpoint from NORMAL on. */
const NORMAL = 1;
const FULL = 2;

export function watchSqlite(patches: Patches, watch: DiskWatch): void {
  const statements = new WeakMap<object, { readonly db: DatabaseSync; readonly text: string }>();
  const pathOf = (db: DatabaseSync): string | undefined => {
    const location = db.isOpen ? db.location() : null;
    return location === null ? undefined : watch.pathOf(location);
  };
  const watched = (db: DatabaseSync, text: string, original: () => unknown): unknown => {
    const path = pathOf(db);
    if (path === undefined || text.startsWith('BEGIN') || text.startsWith('PRAGMA synchronous')) return original();
    if (text.includes('COMMIT') || (!db.isTransaction && isWrite(text))) watch.call('commit', path, sqliteError);
    try {
      return original();
    } finally {
      if (!db.isTransaction || text.includes('COMMIT') || text.includes('ROLLBACK'))
        takeDatabase(watch, db, path, text);
    }
  };
  patches.replace(DatabaseSync.prototype, 'prepare', (prepare) => {
    return function (this: unknown, text) {
      const statement = prepare.call(this, text) as object;
      statements.set(statement, { db: this as DatabaseSync, text: String(text) });
      return statement;
    };
  });
  patches.replace(DatabaseSync.prototype, 'exec', (exec) => {
    return function (this: unknown, text) {
      return watched(this as DatabaseSync, String(text), () => exec.call(this, text));
    };
  });
  patches.replace(DatabaseSync.prototype, 'close', (close) => {
    return function (this: unknown) {
      const path = pathOf(this as DatabaseSync);
      close.call(this);
      if (path !== undefined) takeClosed(watch, path);
    };
  });
  const onStatement = (original: AnyFunction): AnyFunction => {
    return function (this: unknown, ...args: unknown[]) {
      const { db, text } = statements.get(this as object) ?? {};
      if (db === undefined || text === undefined || !isWrite(text)) return original.apply(this, args);
      const done = watched(db, text, () => original.apply(this, args));
      if (text.startsWith('VACUUM INTO')) watch.take(watch.pathOf(args[0]), 'copy to');
      return done;
    };
  };
  patches.replace(StatementSync.prototype, 'run', onStatement);
  patches.replace(StatementSync.prototype, 'get', onStatement);
}

function isWrite(text: string): boolean {
  return /\b(INSERT|UPDATE|DELETE|VACUUM|CREATE|ALTER|DROP|wal_checkpoint)\b/i.test(text);
}

function sqliteError({ code }: Fault): Error {
  const errcode = code === 'ENOSPC' ? SQLITE_FULL : SQLITE_IOERR;
  return Object.assign(new Error(`${code}: made to fail`), { code: 'ERR_SQLITE_ERROR', errcode });
}

function takeDatabase(watch: DiskWatch, db: DatabaseSync, path: string, text: string): void {
  const mode = pragma(db, 'journal_mode');
  const synchronous = Number(pragma(db, 'synchronous'));
  if (mode === 'wal' && !text.includes('journal_mode')) return takeWal(watch, path, synchronous);
  // With a rollback journal a transaction happens wholly or not at all; without any journal nothing is promised.
  const isSynced = mode !== 'off' && synchronous >= NORMAL;
  const isNew = watch.model.fileAt(path) === undefined;
  if (!watch.differs(path)) return;
  watch.take(path, `commit`, isSynced);
  if (isSynced) syncFile(watch, path, isNew);
}

function takeWal(watch: DiskWatch, path: string, synchronous: number): void {
  const wal = `${path}-wal`;
  const isNew = watch.model.fileAt(wal) === undefined;
  const isCheckpoint = watch.differs(path);
  if (fs.existsSync(join(watch.root, wal)) && watch.differs(wal)) {
    watch.take(wal, 'commit');
    if (synchronous >= FULL || isCheckpoint) syncFile(watch, wal, isNew);
  }
  if (!isCheckpoint) return;
  watch.take(path, 'checkpoint');
  if (synchronous >= NORMAL) syncFile(watch, path, false);
}

/** The last connection writes everything into the database, syncs it and removes the WAL. */
function takeClosed(watch: DiskWatch, path: string): void {
  const wal = `${path}-wal`;
  if (fs.existsSync(join(watch.root, path)) && watch.differs(path)) {
    watch.take(path, 'checkpoint');
    if (watch.model.fileAt(wal) !== undefined) syncFile(watch, path, false);
  }
  if (watch.model.fileAt(wal) === undefined) return;
  if (!fs.existsSync(join(watch.root, wal))) watch.put({ kind: 'unlink', path: wal }, `unlink ${wal}`);
  else watch.take(wal, 'commit');
}

function syncFile(watch: DiskWatch, path: string, isNew: boolean): void {
  const file = watch.model.fileAt(path);
  if (file === undefined) return;
  const dir = parentOf(path);
  watch.put({ kind: 'sync', file, upTo: watch.tape.length }, `sync ${path}`, isNew);
  if (isNew) watch.put({ kind: 'sync-dir', path: dir, upTo: watch.tape.length }, `sync folder ${dir}`);
}

function pragma(db: DatabaseSync, name: string): unknown {
  return db.prepare(`PRAGMA ${name}`).get()?.[name];
}
