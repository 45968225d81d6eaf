// The main thread's end of one worker: typed calls, streams in both directions with credit, abort, crash.
// Invariant: every call ends, also when the thread dies (INTERNAL); a dead thread is reported once and takes no calls.

import { Worker } from 'node:worker_threads';
import { BbError } from '../core/errors.ts';
import { CELLS_IN_FLIGHT } from '../core/limits.ts';
import { AsyncQueue } from './async-queue.ts';
import type { ArgsOf, Calls, MethodOf, ResultOf } from './calls.ts';
import { Credits } from './credits.ts';
import { pack, packError, unpack, unpackError } from './wire.ts';
import type { Reply, Request } from './wire.ts';

export type ThreadOptions = {
  readonly name: string;
  /** Structured-cloneable start values of the worker. */
  readonly data?: unknown;
  readonly heapMib: number;
  /** The thread died without being told to. */
  readonly onCrash: (error: Error) => void;
};

export type CallOptions = {
  readonly signal?: AbortSignal;
  readonly onItem?: (item: unknown) => void;
  readonly input?: AsyncIterable<unknown>;
};

type PendingCall = {
  resolve(value: unknown): void;
  reject(error: Error): void;
  /** `taken` lets the worker send one more. */
  onItem(item: unknown, taken: () => void): void;
  readonly inputCredits: Credits;
};

/** A worker's young generation: small, because most garbage here is buffers that only a collection frees. */
const YOUNG_MIB = 4;

/** Entry of a worker: `.ts` beside sources, `.js` beside what the compiler emitted. `path` has no extension. */
export function entryUrl(path: string): URL {
  return new URL(`${path}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
}

export class WorkerThread<C extends Calls> {
  readonly #worker: Worker;
  readonly #pending = new Map<number, PendingCall>();
  readonly #onCrash: (error: Error) => void;
  #nextId = 1;
  #ended: Error | undefined;

  constructor(entry: URL, options: ThreadOptions) {
    this.#onCrash = options.onCrash;
    this.#worker = new Worker(entry, {
      name: options.name,
      workerData: options.data,
      resourceLimits: { maxOldGenerationSizeMb: options.heapMib, maxYoungGenerationSizeMb: YOUNG_MIB },
    });
    this.#worker.on('message', (reply: Reply) => this.#take(reply));
    this.#worker.on('error', (error) => this.#crash(error));
    this.#worker.on('exit', () => this.#crash(undefined));
  }

  call<M extends MethodOf<C>>(method: M, ...args: ArgsOf<C, M>): Promise<ResultOf<C, M>> {
    return this.callWith({}, method, ...args);
  }

  callWith<M extends MethodOf<C>>(options: CallOptions, method: M, ...args: ArgsOf<C, M>): Promise<ResultOf<C, M>> {
    const onItem: PendingCall['onItem'] = (item, taken) => {
      options.onItem?.(item);
      taken();
    };
    return this.#run(options, onItem, method, args);
  }

  /** The items of a call as they come; breaking off aborts the call. */
  async *stream<M extends MethodOf<C>>(method: M, ...args: ArgsOf<C, M>): AsyncGenerator<unknown, void, undefined> {
    const queue = new AsyncQueue<{ readonly item: unknown; readonly taken: () => void }>();
    const stop = new AbortController();
    const ended = this.#run({ signal: stop.signal }, (item, taken) => queue.push({ item, taken }), method, args).then(
      () => queue.end(),
      (error: unknown) => queue.end(error as Error),
    );
    try {
      for (let next = await queue.next(); next !== undefined; next = await queue.next()) {
        yield next.item.item;
        next.item.taken();
      }
    } finally {
      stop.abort();
      await ended;
    }
  }

  /** Ends the thread at once; calls that still run fail with INTERRUPTED. */
  async close(): Promise<void> {
    this.#end(new BbError('INTERRUPTED', 'the worker was stopped'));
    await this.#worker.terminate();
  }

  async #run<M extends MethodOf<C>>(
    options: Pick<CallOptions, 'signal' | 'input'>,
    onItem: PendingCall['onItem'],
    method: M,
    args: ArgsOf<C, M>,
  ): Promise<ResultOf<C, M>> {
    if (this.#ended !== undefined) throw this.#ended;
    if (options.signal?.aborted === true) throw new BbError('INTERRUPTED', 'the job was stopped');
    const id = this.#nextId++;
    const inputCredits = new Credits(CELLS_IN_FLIGHT);
    const abort = (): void => this.#post({ type: 'abort', id });
    options.signal?.addEventListener('abort', abort, { once: true });
    try {
      const result = new Promise<unknown>((resolve, reject) => {
        this.#pending.set(id, { resolve, reject, onItem, inputCredits });
        this.#post({ type: 'call', id, method, args });
      });
      if (options.input !== undefined) void this.#pump(id, options.input, inputCredits);
      return (await result) as ResultOf<C, M>;
    } finally {
      this.#pending.delete(id);
      inputCredits.release();
      options.signal?.removeEventListener('abort', abort);
    }
  }

  async #pump(id: number, input: AsyncIterable<unknown>, credits: Credits): Promise<void> {
    try {
      for await (const value of input) {
        await credits.take();
        if (!this.#pending.has(id)) return;
        this.#post({ type: 'input', id, value });
      }
      this.#post({ type: 'input-end', id });
    } catch (error) {
      this.#post({ type: 'input-failed', id, error: packError(error) });
    }
  }

  #post(request: Request): void {
    const transfer: ArrayBuffer[] = [];
    const packed =
      request.type === 'call'
        ? { ...request, args: pack(request.args, transfer) }
        : request.type === 'input'
          ? { ...request, value: pack(request.value, transfer) }
          : request;
    this.#worker.postMessage(packed, transfer);
  }

  #take(reply: Reply): void {
    const call = this.#pending.get(reply.id);
    if (call === undefined) return;
    switch (reply.type) {
      case 'done':
        call.resolve(unpack(reply.value));
        break;
      case 'failed':
        call.reject(unpackError(reply.error));
        break;
      case 'item':
        call.onItem(unpack(reply.value), () => this.#post({ type: 'credit', id: reply.id }));
        break;
      case 'input-credit':
        call.inputCredits.give();
        break;
    }
  }

  #crash(cause: unknown): void {
    if (this.#ended !== undefined) return;
    const error = new BbError('INTERNAL', 'a worker thread died', { cause });
    this.#end(error);
    this.#onCrash(error);
  }

  #end(error: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    for (const call of this.#pending.values()) call.reject(error);
  }
}
