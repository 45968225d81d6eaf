// A BbError as gRPC status for local programs. The message travels as the status details; the code and the hint as trailers
// `bb-code` and `bb-hint`, both plain printable ASCII. The command line reads them back with the same table.

import { Metadata } from '@grpc/grpc-js';
import type { status } from '@grpc/grpc-js';
import { BbError, ERRORS, toBbError } from '../../core/errors.ts';
import { PeerRefusal } from '../../core/refusal.ts';
import { MalformedMessage } from '../wire-checks.ts';

export const CODE_TRAILER = 'bb-code';
export const HINT_TRAILER = 'bb-hint';

export type LocalStatus = { readonly code: status; readonly details: string; readonly metadata: Metadata };

/** The status of any error; what is not a BbError is INTERNAL, whose text stays in the log. */
export function localStatusOf(error: unknown): LocalStatus {
  const known = asBbError(error);
  const metadata = new Metadata();
  metadata.set(CODE_TRAILER, known.code);
  metadata.set(HINT_TRAILER, printable(known.hint));
  return {
    code: ERRORS[known.code].grpc,
    details: known.code === 'INTERNAL' ? 'the daemon failed' : known.message.toWellFormed(),
    metadata,
  };
}

/** Whatever was thrown, as the operating error that a user can be told. */
export function asBbError(error: unknown): BbError {
  if (error instanceof MalformedMessage) return new BbError('USAGE', error.message, { cause: error });
  if (error instanceof PeerRefusal) {
    return new BbError('REFUSED_BY_PEER', `the peer refused: ${error.refusal}`, { cause: error });
  }
  return toBbError(error);
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').trim();
}
