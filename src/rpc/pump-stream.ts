// Writes an async iterable into a gRPC stream: no faster than the reader takes it, and no longer than the reader is there.

import type { Writable } from 'node:stream';
import { DEADLINES_MS } from '../core/policy/periods.ts';
import type { Clock } from '../ports/clock.ts';

/**
 * Resolves when the source ended or the reader went away; then `signal` has aborted and the source was closed. Throws what the
 * source throws. A reader that takes nothing for DEADLINES_MS.serveStall counts as gone.
 */
export async function pumpStream<Item, Message>(
  clock: Clock,
  call: Writable,
  source: (signal: AbortSignal) => AsyncIterable<Item>,
  encode: (item: Item) => Message,
): Promise<void> {
  const abort = new AbortController();
  const gone = (): void => abort.abort();
  call.once('cancelled', gone);
  call.once('close', gone);
  try {
    for await (const item of source(abort.signal)) {
      if (abort.signal.aborted) return;
      if (!call.write(encode(item))) await drained(clock, call, abort);
      if (abort.signal.aborted) return;
    }
  } finally {
    call.off('cancelled', gone);
    call.off('close', gone);
    abort.abort();
  }
}

function drained(clock: Clock, call: Writable, abort: AbortController): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stopTimer();
      call.off('drain', done);
      abort.signal.removeEventListener('abort', done);
      resolve();
    };
    const stopTimer = clock.after(DEADLINES_MS.serveStall, () => abort.abort());
    call.once('drain', done);
    abort.signal.addEventListener('abort', done);
    if (abort.signal.aborted) done();
  });
}
