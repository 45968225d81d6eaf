// Writes an async iterable into a gRPC stream: no faster than the reader takes it, and no longer than the reader is there.

import type { Writable } from 'node:stream';
import type { Clock } from '../ports/clock.ts';

export type PumpOptions = {
  readonly clock: Clock;
  /** A reader that takes nothing for so long counts as gone; absent for readers that may pause, such as a pager. */
  readonly stallMs?: number;
  /** Ends the stream early from our side. */
  readonly stop?: AbortSignal;
};

/**
 * Resolves when the source ended, the reader went away or `stop` aborted; by then `signal` has aborted and the source was
 * closed. Throws what the source throws.
 */
export async function pumpStream<Item, Message>(
  options: PumpOptions,
  call: Writable,
  source: (signal: AbortSignal) => AsyncIterable<Item>,
  encode: (item: Item) => Message,
): Promise<void> {
  const abort = new AbortController();
  const gone = (): void => abort.abort();
  call.once('cancelled', gone);
  call.once('close', gone);
  options.stop?.addEventListener('abort', gone);
  try {
    if (options.stop?.aborted) return;
    for await (const item of source(abort.signal)) {
      if (abort.signal.aborted) return;
      if (!call.write(encode(item))) await drained(options, call, abort);
      if (abort.signal.aborted) return;
    }
  } finally {
    call.off('cancelled', gone);
    call.off('close', gone);
    options.stop?.removeEventListener('abort', gone);
    abort.abort();
  }
}

function drained(options: PumpOptions, call: Writable, abort: AbortController): Promise<void> {
  return new Promise((resolve) => {
    const stopTimer =
      options.stallMs === undefined ? undefined : options.clock.after(options.stallMs, () => abort.abort());
    const done = (): void => {
      stopTimer?.();
      call.off('drain', done);
      abort.signal.removeEventListener('abort', done);
      resolve();
    };
    call.once('drain', done);
    abort.signal.addEventListener('abort', done);
    if (abort.signal.aborted) done();
  });
}
