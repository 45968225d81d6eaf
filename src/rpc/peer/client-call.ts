// One call to a peer: raw bytes out, checked plain data back. Every way it can fail ends as PeerRefusal or BbError.

import { Metadata } from '@grpc/grpc-js';
import type { Client, ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { BbError } from '../../core/errors.ts';
import { DEADLINES_MS } from '../../core/policy/periods.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Codec } from '../message-codec.ts';
import { MalformedMessage } from '../wire-checks.ts';
import type { PeerMethod } from './methods.ts';
import { errorOf } from './refusal-status.ts';

const same = (bytes: Buffer): Buffer => bytes;

/** `deadlineMs` counts from here, the session being up. An aborted `signal` ends it as INTERRUPTED. */
export function unaryCall<Request, Response>(
  client: Client,
  clock: Clock,
  method: PeerMethod<'unary', Request, Response>,
  request: Request,
  deadlineMs: number,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const bytes = method.request.encode(request);
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(interrupted());
      return;
    }
    const call = client.makeUnaryRequest(method.path, same, same, bytes, new Metadata(), {}, (error, reply) => {
      stopTimer();
      signal?.removeEventListener('abort', cancel);
      if (signal?.aborted) return reject(interrupted());
      if (error !== null) return reject(errorOf(error));
      try {
        resolve(decodeReply(method.response, reply));
      } catch (cause) {
        reject(cause);
      }
    });
    const cancel = (): void => call.cancel();
    const stopTimer = clock.after(deadlineMs, cancel);
    signal?.addEventListener('abort', cancel, { once: true });
  });
}

/**
 * The messages of a streaming call, read no faster than they are asked for. Ends as PEER_UNREACHABLE when none comes for
 * DEADLINES_MS.downloadIdle while one is waited for; leaving the loop cancels the call.
 */
export async function* streamCall<Request, Response>(
  client: Client,
  clock: Clock,
  method: PeerMethod<'stream', Request, Response>,
  request: Request,
  signal: AbortSignal | undefined,
): AsyncGenerator<Response, void> {
  if (signal?.aborted) throw interrupted();
  const bytes = method.request.encode(request);
  const call: ClientReadableStream<Buffer> = client.makeServerStreamRequest(
    method.path,
    same,
    same,
    bytes,
    new Metadata(),
    {},
  );
  const cancel = (): void => call.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  const messages = call[Symbol.asyncIterator]();
  try {
    for (;;) {
      const stopTimer = clock.after(DEADLINES_MS.downloadIdle, cancel);
      const next = await messages.next().finally(stopTimer);
      if (next.done) return;
      yield decodeReply(method.response, next.value as Buffer);
    }
  } catch (error) {
    if (signal?.aborted) throw interrupted();
    throw isServiceError(error) ? errorOf(error) : error;
  } finally {
    signal?.removeEventListener('abort', cancel);
    // The stream may still fail while it is torn down; there is nobody left to tell.
    call.on('error', () => undefined);
    call.cancel();
  }
}

function decodeReply<Plain>(codec: Codec<Plain>, bytes: Buffer | undefined): Plain {
  try {
    if (bytes === undefined) throw new MalformedMessage('the reply is missing');
    return codec.decode(bytes);
  } catch (cause) {
    throw new BbError('BAD_PEER_DATA', 'the peer sent a malformed reply', { cause });
  }
}

/** The caller's own signal ended the call. */
export function interrupted(): BbError {
  return new BbError('INTERRUPTED', 'the call was given up');
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'metadata' in error;
}
