// One SQLite connection: prepared statements by their text, typed columns, transactions, errors in our words.
// Invariant: a transaction either commits or leaves nothing, also when the body throws.

import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { BbError } from '../../core/errors.ts';

export type SqlRow = Record<string, SQLOutputValue>;

const BUSY_TIMEOUT_MS = 10_000;

export class Sql {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string, options: { readonly readOnly?: boolean; readonly busyTimeoutMs?: number } = {}) {
    this.#db = inOurWords(
      () =>
        new DatabaseSync(path, {
          readOnly: options.readOnly ?? false,
          timeout: options.busyTimeoutMs ?? BUSY_TIMEOUT_MS,
          enableDoubleQuotedStringLiterals: false,
        }),
    );
  }

  /** Statements without parameters or rows, such as a schema or a pragma. */
  exec(text: string): void {
    inOurWords(() => this.#db.exec(text));
  }

  get(text: string, ...values: SQLInputValue[]): SqlRow | undefined {
    return inOurWords(() => this.#statement(text).get(...values));
  }

  all(text: string, ...values: SQLInputValue[]): SqlRow[] {
    return inOurWords(() => this.#statement(text).all(...values));
  }

  /** Rows one at a time, for results that do not fit in memory; the statement is not shared. */
  *iterate(text: string, ...values: SQLInputValue[]): Generator<SqlRow> {
    const rows = inOurWords(() => this.#db.prepare(text).iterate(...values));
    try {
      for (;;) {
        const next = inOurWords(() => rows.next());
        if (next.done === true) return;
        yield next.value as SqlRow;
      }
    } finally {
      // An abandoned statement would keep its table locked.
      rows.return?.();
    }
  }

  /** Returns the row id of the last insert. */
  run(text: string, ...values: SQLInputValue[]): number {
    return Number(inOurWords(() => this.#statement(text).run(...values)).lastInsertRowid);
  }

  /** BEGIN IMMEDIATE: waits for the write lock at the start, not in the middle. */
  transaction<T>(body: () => T): T {
    this.exec('BEGIN IMMEDIATE');
    try {
      const result = body();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
  }

  #statement(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }
}

/** A column that must be a safe integer. */
export function numberOf(value: SQLOutputValue | undefined): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new BbError('INTEGRITY', 'a number in the catalog is damaged');
}

/** A column that must be bytes; a view, not a copy. */
export function bytesOf(value: SQLOutputValue | undefined): Buffer {
  if (value instanceof Uint8Array) return asBuffer(value);
  throw new BbError('INTEGRITY', 'bytes in the catalog are damaged');
}

/** Buffers that crossed a thread arrive as Uint8Array; the same bytes as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const SQLITE_ERROR = 1;
const SQLITE_BUSY = 5;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

/** Primary result code of an SQLite error (https://sqlite.org/rescode.html). */
function primaryCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : undefined;
}

/** SQLITE_ERROR: the statement does not go with the schema, or the file has a format that SQLite does not know. */
export function isStatementError(error: unknown): boolean {
  return primaryCode(error) === SQLITE_ERROR;
}

export function isBusy(error: unknown): boolean {
  return primaryCode(error instanceof BbError ? error.cause : error) === SQLITE_BUSY;
}

function inOurWords<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    switch (primaryCode(cause)) {
      case SQLITE_FULL:
        throw new BbError('NO_SPACE', 'the disk of the data directory is full', { cause });
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
        throw new BbError('INTEGRITY', 'the catalog is damaged', { cause });
      case SQLITE_BUSY:
        throw new BbError('CONFLICT', 'the catalog is busy', { cause });
      case SQLITE_IOERR:
        throw new BbError('UNUSABLE_ENVIRONMENT', 'the disk of the data directory failed', { cause });
      default:
        throw cause;
    }
  }
}
