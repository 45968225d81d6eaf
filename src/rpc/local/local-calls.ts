// How a clirpc method becomes a grpc-js handler: one place that turns results into messages and anything thrown into a status.

import type { sendUnaryData, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { isBbError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import { pumpStream } from '../pump-stream.ts';
import { MalformedMessage } from '../wire-checks.ts';
import { localStatusOf } from './error-status.ts';

export type LocalCallDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts when the server closes: streams without an end of their own must end then. */
  readonly closing: AbortSignal;
};

export function unary<Request, Response>(
  deps: LocalCallDeps,
  answer: (request: Request) => Promise<Response>,
): (call: ServerUnaryCall<Request, Response>, done: sendUnaryData<Response>) => void {
  return (call, done) => {
    // Within a promise, so that what the answer throws at once ends here as well.
    Promise.resolve(call.request)
      .then(answer)
      .then(
        (response) => done(null, response),
        (error: unknown) => done(failed(deps, error)),
      );
  };
}

/** A stream ends when the reader goes away; the job behind it goes on. */
export function serverStream<Request, Item, Response>(
  deps: LocalCallDeps,
  answer: (request: Request, signal: AbortSignal) => AsyncIterable<Item>,
  encode: (item: Item) => Response,
): (call: ServerWritableStream<Request, Response>) => void {
  return (call) => {
    pumpStream({ clock: deps.clock, stop: deps.closing }, call, (signal) => answer(call.request, signal), encode).then(
      () => call.end(),
      (error: unknown) => call.emit('error', failed(deps, error)),
    );
  };
}

/** The error as grpc-js wants it; what is a bug of ours is logged here, with its stack at debug only. */
export function failed(deps: Pick<LocalCallDeps, 'logger'>, error: unknown): Error {
  if (!(isBbError(error) && error.code !== 'INTERNAL') && !(error instanceof MalformedMessage)) {
    deps.logger.error('a local call failed', { error: error instanceof Error ? error.name : 'unknown' });
    deps.logger.debug('why it failed', { stack: error instanceof Error ? error.stack : undefined });
  }
  return Object.assign(new Error('failed'), localStatusOf(error));
}
