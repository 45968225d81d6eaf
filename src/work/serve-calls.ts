// The worker's end of a thread: runs each call that comes in, any number at a time, and sends back items and the result.

import { parentPort } from 'node:worker_threads';
import { BbError, invariant } from '../core/errors.ts';
import { CELLS_IN_FLIGHT } from '../core/limits.ts';
import { AsyncQueue } from './async-queue.ts';
import type { CallContext, Calls } from './calls.ts';
import { Credits } from './credits.ts';
import { pack, packError, unpack, unpackError } from './wire.ts';
import type { Reply, Request } from './wire.ts';

type RunningCall = {
  readonly abort: AbortController;
  readonly credits: Credits;
  readonly input: AsyncQueue<unknown>;
};

/** Serves `calls` on this worker's port for as long as the thread lives. */
export function serveCalls(calls: Calls): void {
  const port = parentPort;
  invariant(port !== null, 'calls are served in a worker thread');
  const running = new Map<number, RunningCall>();

  const send = (reply: Reply): void => {
    const transfer: ArrayBuffer[] = [];
    port.postMessage('value' in reply ? { ...reply, value: pack(reply.value, transfer) } : reply, transfer);
  };

  const start = async (id: number, method: string, args: readonly unknown[]): Promise<void> => {
    const call = { abort: new AbortController(), credits: new Credits(CELLS_IN_FLIGHT), input: new AsyncQueue() };
    running.set(id, call);
    try {
      const handler = calls[method] as ((...args: unknown[]) => Promise<unknown>) | undefined;
      invariant(handler !== undefined, `this worker has no method ${method}`);
      send({ type: 'done', id, value: await handler(contextOf(id, call, send), ...args) });
    } catch (error) {
      send({ type: 'failed', id, error: packError(error) });
    } finally {
      running.delete(id);
    }
  };

  port.on('message', (request: Request) => {
    if (request.type === 'call') {
      void start(request.id, request.method, unpack(request.args) as unknown[]);
      return;
    }
    const call = running.get(request.id);
    if (call === undefined) return;
    switch (request.type) {
      case 'abort':
        call.abort.abort(new BbError('INTERRUPTED', 'the job was stopped'));
        call.credits.release();
        call.input.end(new BbError('INTERRUPTED', 'the job was stopped'));
        break;
      case 'credit':
        call.credits.give();
        break;
      case 'input':
        call.input.push(unpack(request.value));
        break;
      case 'input-end':
        call.input.end();
        break;
      case 'input-failed':
        call.input.end(unpackError(request.error));
        break;
    }
  });
}

function contextOf(id: number, call: RunningCall, send: (reply: Reply) => void): CallContext {
  return {
    signal: call.abort.signal,
    async emit(item) {
      await call.credits.take();
      call.abort.signal.throwIfAborted();
      send({ type: 'item', id, value: item });
    },
    input: {
      async *[Symbol.asyncIterator]() {
        for (let next = await call.input.next(); next !== undefined; next = await call.input.next()) {
          send({ type: 'input-credit', id });
          yield next.item;
        }
      },
    },
  };
}
