// What crosses between the main thread and a worker: messages, values and errors.
// Invariant: bytes arrive as Buffers that share no memory with the sender, and never more of a buffer than was meant
// (a structured clone of a view would carry the whole memory behind it, neighbours included).

import { BbError, ERRORS, InvariantError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import { asDiskError } from '../storage/files.ts';

/** To the worker. `call` starts a call; the others speak of a running one. */
export type Request =
  | { readonly type: 'call'; readonly id: number; readonly method: string; readonly args: unknown }
  | { readonly type: 'abort'; readonly id: number }
  | { readonly type: 'credit'; readonly id: number }
  | { readonly type: 'input'; readonly id: number; readonly value: unknown }
  | { readonly type: 'input-end'; readonly id: number }
  | { readonly type: 'input-failed'; readonly id: number; readonly error: WireError };

/** From the worker. `done` and `failed` end a call. */
export type Reply =
  | { readonly type: 'done'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly error: WireError }
  | { readonly type: 'item'; readonly id: number; readonly value: unknown }
  | { readonly type: 'input-credit'; readonly id: number };

export type WireError =
  | { readonly kind: 'operating'; readonly code: ErrorCode; readonly message: string; readonly hint: string }
  | { readonly kind: 'bug'; readonly message: string };

/** A copy of `value` fit for postMessage; buffers made for it are added to `transfer`. */
export function pack(value: unknown, transfer: ArrayBuffer[]): unknown {
  if (value instanceof Uint8Array) return packBytes(value, transfer);
  if (Array.isArray(value)) return value.map((item) => pack(item, transfer));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, pack(item, transfer)]));
}

/** The value as it was before pack(). */
export function unpack(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (Array.isArray(value)) return value.map(unpack);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, unpack(item)]));
}

export function packError(thrown: unknown): WireError {
  const error = asDiskError(thrown);
  if (error instanceof BbError) {
    return { kind: 'operating', code: error.code, message: error.message, hint: error.hint };
  }
  if (error instanceof InvariantError) return { kind: 'bug', message: error.message };
  const message = error instanceof Error ? `${error.name}: ${error.message}` : 'unknown error';
  return { kind: 'operating', code: 'INTERNAL', message, hint: ERRORS.INTERNAL.hint };
}

export function unpackError(error: WireError): Error {
  return error.kind === 'bug'
    ? new InvariantError(error.message)
    : new BbError(error.code, error.message, { hint: error.hint });
}

function packBytes(bytes: Uint8Array, transfer: ArrayBuffer[]): Uint8Array {
  const exact = new Uint8Array(bytes.byteLength);
  exact.set(bytes);
  transfer.push(exact.buffer);
  return exact;
}
