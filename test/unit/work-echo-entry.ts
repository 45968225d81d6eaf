// A worker for work-threads.test.ts: one call for each thing that a thread must get right.

import { BbError, invariant } from '../../src/core/errors.ts';
import type { CallContext } from '../../src/work/calls.ts';
import { serveCalls } from '../../src/work/serve-calls.ts';

export type EchoCalls = typeof calls;

const calls = {
  async echo(_: CallContext, value: unknown): Promise<unknown> {
    return value;
  },
  /** Memory behind the bytes that came in. */
  async bytesBehind(_: CallContext, bytes: Buffer): Promise<number> {
    return bytes.buffer.byteLength;
  },
  async refuse(): Promise<void> {
    throw new BbError('NO_SPACE', 'full', { hint: 'delete something' });
  },
  async bug(): Promise<void> {
    invariant(false, 'broken');
  },
  async die(): Promise<void> {
    process.exit(3);
  },
  /** Emits numbers for as long as it may; returns how many were sent when it was stopped. */
  async count(context: CallContext, upTo: number): Promise<void> {
    for (let n = 0; n < upTo; n++) {
      sent = n + 1;
      await context.emit(n);
    }
  },
  async sent(): Promise<number> {
    return sent;
  },
  async hang(context: CallContext): Promise<void> {
    await new Promise((_, reject) => {
      context.signal.addEventListener('abort', () => reject(context.signal.reason as Error));
    });
  },
  async sum(context: CallContext): Promise<number> {
    let total = 0;
    for await (const bytes of context.input) total += (bytes as Buffer).length;
    return total;
  },
};

let sent = 0;

serveCalls(calls);
