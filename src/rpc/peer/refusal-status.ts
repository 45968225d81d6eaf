// A refusal of the protocol as gRPC status and trailer, both ways (docs/protocol.md, "Errors"). What a peer gets is a number
// and a name, never a text, a path or a stack.

import { Metadata, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { BbError } from '../../core/errors.ts';
import { PeerRefusal } from '../../core/refusal.ts';
import type { RefusalName } from '../../core/refusal.ts';
import { MalformedMessage } from '../wire-checks.ts';

const NAME_TRAILER = 'bb-error';
const RETRY_TRAILER = 'retry_after_s';
const RETRY_AFTER_MAX_SECONDS = 30 * 86_400;

const STATUS_OF: Readonly<Record<RefusalName, status>> = {
  NO_CONTRACT: status.FAILED_PRECONDITION,
  TERMS_REJECTED: status.FAILED_PRECONDITION,
  UNKNOWN_CONTENT: status.NOT_FOUND,
  BAD_RANGE: status.OUT_OF_RANGE,
  SUPERSEDED: status.NOT_FOUND,
  RATE_LIMITED: status.RESOURCE_EXHAUSTED,
  RECOVERING: status.FAILED_PRECONDITION,
  REPLICA_LOST: status.DATA_LOSS,
  CHALLENGE_BUSY: status.RESOURCE_EXHAUSTED,
  UNSUPPORTED_VERSION: status.FAILED_PRECONDITION,
  UNIMPLEMENTED: status.UNIMPLEMENTED,
  INTERNAL: status.INTERNAL,
};

export type PeerStatus = { readonly code: status; readonly details: string; readonly metadata: Metadata };

/** What the caller is told of an error. Everything but a refusal and a malformed request is INTERNAL and nothing more. */
export function statusOf(error: unknown): PeerStatus {
  const metadata = new Metadata();
  if (error instanceof MalformedMessage) return { code: status.INVALID_ARGUMENT, details: '', metadata };
  const name = error instanceof PeerRefusal ? error.refusal : 'INTERNAL';
  metadata.set(NAME_TRAILER, name);
  if (error instanceof PeerRefusal && error.retryAfterSeconds > 0) {
    metadata.set(RETRY_TRAILER, String(Math.ceil(error.retryAfterSeconds)));
  }
  return { code: STATUS_OF[name], details: '', metadata };
}

/** The error of a call that failed, in the words of the port: PeerRefusal, or a BbError. */
export function errorOf(error: ServiceError): PeerRefusal | BbError {
  const refusal = refusalOf(error.metadata);
  if (refusal !== undefined) return refusal;
  switch (error.code) {
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
    case status.CANCELLED:
      return new BbError('PEER_UNREACHABLE', 'the peer did not answer', { cause: error });
    case status.UNIMPLEMENTED:
      return new PeerRefusal('UNIMPLEMENTED');
    case status.RESOURCE_EXHAUSTED:
    case status.DATA_LOSS:
      // Without a name this comes from our own side of the connection: the message was beyond the limit.
      return new BbError('BAD_PEER_DATA', 'the peer sent too large a message', { cause: error });
    default:
      return new BbError('REFUSED_BY_PEER', 'the peer refused the call', { cause: error });
  }
}

function refusalOf(trailers: Metadata | undefined): PeerRefusal | undefined {
  const name = trailers?.get(NAME_TRAILER)[0];
  if (typeof name !== 'string' || !Object.hasOwn(STATUS_OF, name)) return undefined;
  const retry = Number(trailers?.get(RETRY_TRAILER)[0] ?? 0);
  const inRange = Number.isInteger(retry) && retry >= 0 && retry <= RETRY_AFTER_MAX_SECONDS;
  return new PeerRefusal(name as RefusalName, inRange ? retry : 0);
}
