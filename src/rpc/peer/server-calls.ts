// One call of a peer from the first byte to the status: who calls, may it, how often, what does it say, what is the answer.
// Invariant: a handler runs only after every check, and no error text of ours reaches the caller.

import type { sendUnaryData, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { isBbError } from '../../core/errors.ts';
import { onionIdFromPubkey } from '../../core/ids.ts';
import type { OnionId } from '../../core/ids.ts';
import { DEADLINES_MS } from '../../core/policy/periods.ts';
import { PeerRefusal } from '../../core/refusal.ts';
import type { CallerClass, PeerApi } from '../../daemon/peer-api.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import { pumpStream } from '../pump-stream.ts';
import { MalformedMessage } from '../wire-checks.ts';
import type { CallQuota } from './call-quota.ts';
import type { PeerMethod, Quota } from './methods.ts';
import { statusOf } from './refusal-status.ts';

/** 32-byte onion key of the caller from its certificate, or undefined when there is none. */
export type CallerOf = (call: AnyCall) => Uint8Array | undefined;
type AnyCall = Pick<ServerUnaryCall<Buffer, Buffer>, 'getAuthContext'>;

export type CallDeps = {
  readonly api: PeerApi;
  readonly quota: CallQuota;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly callerOf: CallerOf;
};

/** A grpc-js handler for a unary method. Messages pass as raw bytes, so that our own checks decode them. */
export function unaryHandler<Request, Response>(
  deps: CallDeps,
  method: PeerMethod<'unary', Request, Response>,
  answer: (caller: OnionId, request: Request) => Promise<Response>,
): (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => void {
  const run = async (call: ServerUnaryCall<Buffer, Buffer>): Promise<Buffer> => {
    const caller = admit(deps, method, call);
    return method.response.encode(await answer(caller, method.request.decode(call.request)));
  };
  return (call, done) => {
    run(call).then(
      (bytes) => done(null, bytes),
      (error: unknown) => done(refuse(deps, error)),
    );
  };
}

/** A grpc-js handler for a streaming method; holds one of the caller's Download places until the stream is over. */
export function streamHandler<Request, Response>(
  deps: CallDeps,
  method: PeerMethod<'stream', Request, Response>,
  answer: (caller: OnionId, request: Request, signal: AbortSignal) => AsyncIterable<Response>,
): (call: ServerWritableStream<Buffer, Buffer>) => void {
  const run = async (call: ServerWritableStream<Buffer, Buffer>): Promise<void> => {
    const caller = admit(deps, method, call);
    const request = method.request.decode(call.request);
    const release = deps.quota.takeDownload(caller);
    try {
      await pumpStream(
        { clock: deps.clock, stallMs: DEADLINES_MS.serveStall },
        call,
        (signal) => answer(caller, request, signal),
        method.response.encode,
      );
    } finally {
      release();
    }
  };
  return (call) => {
    run(call).then(
      () => call.end(),
      (error: unknown) => call.emit('error', refuse(deps, error)),
    );
  };
}

function admit(
  deps: CallDeps,
  method: { readonly callers: readonly CallerClass[]; readonly quota: Quota },
  call: AnyCall,
): OnionId {
  const pubkey = deps.callerOf(call);
  if (pubkey === undefined) throw new PeerRefusal('NO_CONTRACT');
  const caller = onionIdFromPubkey(pubkey);
  const callerClass = deps.api.classify(caller);
  const allowed = method.callers.includes(callerClass);
  // A call that is refused costs one as well, whatever its own quota is.
  if (method.quota === 'calls' || !allowed) deps.quota.takeCall(caller, callerClass);
  if (!allowed) throw new PeerRefusal('NO_CONTRACT');
  return caller;
}

function refuse(deps: CallDeps, error: unknown): Error {
  if (!(error instanceof PeerRefusal) && !(error instanceof MalformedMessage)) {
    deps.logger.warn('a call of a peer failed', { error: isBbError(error) ? error.code : 'INTERNAL' });
    deps.logger.debug('why it failed', { stack: error instanceof Error ? error.stack : undefined });
  }
  return Object.assign(new Error('refused'), statusOf(error));
}
