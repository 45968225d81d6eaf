// Calls to worker threads: values, errors, streams in both directions, abort and crash.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { isBbError } from '../../src/core/errors.ts';
import { CELLS_IN_FLIGHT } from '../../src/core/limits.ts';
import { WorkerThread } from '../../src/work/worker-thread.ts';
import type { EchoCalls } from './work-echo-entry.ts';

let thread: WorkerThread<EchoCalls>;
let crashes: Error[];

beforeEach(() => {
  crashes = [];
  thread = new WorkerThread(new URL('./work-echo-entry.ts', import.meta.url), {
    name: 'echo',
    heapMib: 32,
    onCrash: (error) => crashes.push(error),
  });
});

afterEach(() => thread.close());

test('a value comes back as it was, bytes as Buffers', async () => {
  const value = { a: [1n, 'x', undefined, null], b: { bytes: Buffer.from([1, 2, 3]) } };
  assert.deepEqual(await thread.call('echo', value), value);
});

test('a view carries only its own bytes', async () => {
  const view = Buffer.alloc(100_000).subarray(10, 30);
  assert.equal(await thread.call('bytesBehind', view), 20);
  assert.equal(view.length, 20);
});

test('operating errors keep code, text and hint; bugs stay bugs', async () => {
  await assert.rejects(thread.call('refuse'), { code: 'NO_SPACE', message: 'full', hint: 'delete something' });
  await assert.rejects(thread.call('bug'), { name: 'InvariantError', message: 'broken' });
});

test('a thread that dies fails its calls, later ones too, and is reported once', async () => {
  const hanging = assert.rejects(thread.call('hang'), (error) => isBbError(error, 'INTERNAL'));
  await assert.rejects(thread.call('die'), (error) => isBbError(error, 'INTERNAL'));
  await hanging;
  await assert.rejects(thread.call('echo', 1), (error) => isBbError(error, 'INTERNAL'));
  assert.equal(crashes.length, 1);
});

test('closing is no crash and ends what runs', async () => {
  const hanging = assert.rejects(thread.call('hang'), (error) => isBbError(error, 'INTERRUPTED'));
  await thread.close();
  await hanging;
  assert.equal(crashes.length, 0);
});

test('abort reaches the call, before and during it', async () => {
  const abort = new AbortController();
  const hanging = assert.rejects(thread.callWith({ signal: abort.signal }, 'hang'), (error) =>
    isBbError(error, 'INTERRUPTED'),
  );
  await thread.call('echo', 1);
  abort.abort();
  await hanging;
  await assert.rejects(thread.callWith({ signal: abort.signal }, 'echo', 1), (error) =>
    isBbError(error, 'INTERRUPTED'),
  );
});

test('a stream that nobody takes from stops after CELLS_IN_FLIGHT items', async () => {
  const stream = thread.stream('count', 1000);
  assert.deepEqual(await stream.next(), { done: false, value: 0 });
  // One item is taken, so one more than CELLS_IN_FLIGHT may have begun; the echo comes after all that were sent.
  await thread.call('echo', 1);
  const sent = await thread.call('sent');
  assert.ok(sent >= CELLS_IN_FLIGHT && sent <= CELLS_IN_FLIGHT + 2, `sent ${sent}`);
  await stream.return();
  await thread.call('echo', 1);
  assert.ok((await thread.call('sent')) <= CELLS_IN_FLIGHT + 3);
});

test('a stream gives every item in order and ends', async () => {
  const seen: unknown[] = [];
  for await (const item of thread.stream('count', 100)) seen.push(item);
  assert.deepEqual(
    seen,
    Array.from({ length: 100 }, (_, n) => n),
  );
});

test('input streams in with back-pressure, and its error reaches the call', async () => {
  async function* blocks(count: number): AsyncGenerator<Buffer> {
    for (let n = 0; n < count; n++) yield Buffer.alloc(1000);
  }
  assert.equal(await thread.callWith({ input: blocks(100) }, 'sum'), 100_000);
  async function* failing(): AsyncGenerator<Buffer> {
    yield* blocks(3);
    throw new Error('the client went away');
  }
  await assert.rejects(thread.callWith({ input: failing() }, 'sum'), /the client went away/);
});

test('input that nobody reads is not taken', async () => {
  let given = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) {
      given++;
      yield Buffer.alloc(10);
    }
  }
  const abort = new AbortController();
  const hanging = assert.rejects(thread.callWith({ input: endless(), signal: abort.signal }, 'hang'));
  await thread.call('echo', 1);
  await thread.call('echo', 1);
  assert.ok(given <= CELLS_IN_FLIGHT + 1, `given ${given}`);
  abort.abort();
  await hanging;
});
