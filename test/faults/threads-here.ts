// Worker threads on the main thread: the same entries, each loaded as a module of its own, with a message channel that
// keeps the order. So everything that touches the disk happens in one thread, where it can be written down in order.

import { EventEmitter } from 'node:events';
import threads from 'node:worker_threads';
import { Patches } from './platform.ts';

/** One end of a channel; messages arrive in a later microtask, as if they had travelled. */
class Port extends EventEmitter {
  other: Port | undefined;
  isClosed = false;

  postMessage(message: unknown): void {
    queueMicrotask(() => {
      if (!this.isClosed) this.other?.emit('message', message);
    });
  }
}

let loading: Promise<unknown> = Promise.resolve();
const loaded = { count: 0 };

class ThreadHere extends EventEmitter {
  readonly #port = new Port();
  readonly #inside = new Port();
  readonly #ready: Promise<unknown>;

  constructor(entry: URL, options: { readonly workerData?: unknown }) {
    super();
    this.#port.other = this.#inside;
    this.#inside.other = this.#port;
    this.#port.on('message', (message) => this.emit('message', message));
    this.#ready = loading.then(() => this.#load(entry, options.workerData));
    loading = this.#ready.catch(() => undefined);
    this.#ready.catch((error: unknown) => this.emit('error', error));
  }

  postMessage(message: unknown): void {
    void this.#ready.then(() => this.#port.postMessage(message));
  }

  terminate(): Promise<number> {
    this.#port.isClosed = true;
    this.#inside.isClosed = true;
    return Promise.resolve(0);
  }

  /** The entry reads its start values and its port while it is loaded. */
  async #load(entry: URL, data: unknown): Promise<void> {
    const patches = new Patches();
    patches.set(threads, 'workerData', data);
    patches.set(threads, 'parentPort', this.#inside);
    try {
      await import(`${entry.href}?here=${loaded.count++}`);
    } finally {
      patches.undo();
    }
  }
}

/** From now on no thread is started; undo() on `patches` ends that for new ones. */
export function threadsHere(patches: Patches): void {
  patches.set(threads, 'Worker', ThreadHere);
}
