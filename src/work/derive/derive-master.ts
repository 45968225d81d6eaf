// Key derivation off the event loop, one at a time: two at once would need twice the memory.

import type { SecretMode } from '../../core/crypto/argon2-params.ts';
import { entryUrl, WorkerThread } from '../worker-thread.ts';
import type { DeriveCalls } from './entry.ts';

const HEAP_MIB = 64;

let last: Promise<unknown> = Promise.resolve();

/** 64 bytes; the caller wipes them and `secret`. */
export function deriveMaster(secret: Buffer, mode: SecretMode, account: string): Promise<Buffer> {
  const job = last.then(() => deriveOnce(secret, mode, account));
  last = job.catch(() => undefined);
  return job;
}

async function deriveOnce(secret: Buffer, mode: SecretMode, account: string): Promise<Buffer> {
  const thread = new WorkerThread<DeriveCalls>(entryUrl('./derive/entry'), {
    name: 'derive',
    heapMib: HEAP_MIB,
    // The call itself fails, and nothing else depends on this thread.
    onCrash: () => undefined,
  });
  try {
    return await thread.call('derive', secret, mode, account);
  } finally {
    await thread.close();
  }
}
