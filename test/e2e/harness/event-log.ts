// The events of one daemon, kept from the moment of attaching, so that a test waits on what happened and never on time.

import { appendFileSync } from 'node:fs';
import { DaemonClient } from '../../../cli/client.ts';
import { BarterBackupClientService as Service } from '../../../src/gen/clirpc/v1/clirpc.ts';
import type { Event } from '../../../src/gen/clirpc/v1/clirpc.ts';

/** A bound for what hangs: an event that comes late is as good. */
const WAIT_WITHIN_MS = 240_000;

export type EventTest = (event: Event) => boolean;

export class EventLog {
  readonly #abort = new AbortController();
  readonly #events: Event[] = [];
  readonly #waiters = new Set<() => void>();
  #mark = 0;
  #ended = false;

  readonly #file: string | undefined;

  private constructor(file: string | undefined) {
    this.#file = file;
  }

  /** Resolves when the daemon has confirmed the subscription: nothing after that is missed. `file` gets a line for each. */
  static async attach(socket: string, file: string | undefined): Promise<EventLog> {
    const log = new EventLog(file);
    const client = await DaemonClient.open({ socket, timeoutMs: undefined, signal: log.#abort.signal });
    const events = client.stream(Service.events, { progress: true });
    await events.next();
    void log.#read(events).finally(() => client.close());
    return log;
  }

  async #read(events: AsyncGenerator<Event>): Promise<void> {
    try {
      for await (const event of events) {
        this.#events.push(event);
        this.#write(event);
        for (const wake of this.#waiters) wake();
      }
    } catch {
      // The daemon ended or was killed: the waiters are told below.
    }
    this.#ended = true;
    for (const wake of this.#waiters) wake();
  }

  #write({ atMs, name, attributes, progress }: Event): void {
    if (this.#file === undefined || progress !== undefined) return;
    const words = Object.entries(attributes).map(([key, value]) => `${key}=${value}`);
    appendFileSync(this.#file, `${new Date(Number(atMs)).toISOString()} ${name} ${words.join(' ')}\n`);
  }

  /** From here on `wait` looks only at what comes. */
  forget(): void {
    this.#mark = this.#events.length;
  }

  /** The first event of this name since the start or the last `forget` for which `test` holds. */
  async wait(name: string, test: EventTest = () => true, withinMs = WAIT_WITHIN_MS): Promise<Event> {
    const deadlineMs = performance.now() + withinMs;
    let at = this.#mark;
    for (;;) {
      for (; at < this.#events.length; at += 1) {
        const event = this.#events[at];
        if (event?.name === name && test(event)) return event;
      }
      const leftMs = deadlineMs - performance.now();
      if (this.#ended || leftMs <= 0) {
        throw new Error(`${this.#ended ? 'the daemon ended' : 'too late'}: no event ${name}; last: ${this.summary()}`);
      }
      await this.#change(leftMs);
    }
  }

  /** What came before the first event of this name. */
  before(name: string): readonly Event[] {
    const at = this.#events.findIndex((event) => event.name === name);
    return at < 0 ? this.#events : this.#events.slice(0, at);
  }

  /** The last events in one line, for a failed test. */
  summary(): string {
    const kept = this.#events.filter(({ name }) => name !== 'progress').slice(-25);
    return kept.map(({ name, attributes }) => `${name}${JSON.stringify(attributes)}`).join(' ');
  }

  close(): void {
    this.#abort.abort();
  }

  #change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, withinMs);
      this.#waiters.add(wake);
    });
  }
}
