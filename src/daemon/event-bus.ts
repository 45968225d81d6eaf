// What happens in the daemon, as one stream of events for bb, tests and later surfaces. Bounded: a
// subscriber that does not read loses the oldest events and is told so by an `events-lost` event.

import { BbError } from '../core/errors.ts';
import { EVENT_BACKLOG, EVENT_HISTORY, EVENT_SUBSCRIBERS } from '../core/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { DaemonEvent, ProgressView } from './local-api.ts';

type Subscriber = {
  readonly withProgress: boolean;
  readonly queue: DaemonEvent[];
  lost: number;
  wake: () => void;
};

export class EventBus {
  readonly #clock: Clock;
  readonly #subscribers = new Set<Subscriber>();
  /** Told the name of each event but progress, after it. */
  onEvent: (name: string) => void = () => undefined;
  /** The last events, progress not counted. */
  #recent: DaemonEvent[] = [];
  #sequence = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  emit(name: string, attributes: Record<string, string> = {}, progress?: ProgressView): void {
    const event = { sequence: ++this.#sequence, atMs: this.#clock.nowMs(), name, attributes, progress };
    if (progress === undefined) this.#recent = [...this.#recent.slice(1 - EVENT_HISTORY), event];
    for (const subscriber of this.#subscribers) {
      if (progress !== undefined && !subscriber.withProgress) continue;
      if (subscriber.queue.length >= EVENT_BACKLOG) {
        subscriber.queue.shift();
        subscriber.lost += 1;
      }
      subscriber.queue.push(event);
      subscriber.wake();
    }
    if (progress === undefined) this.onEvent(name);
  }

  /** What happened so far is told to nobody any more: it names peers. */
  forget(): void {
    this.#recent = [];
  }

  /** Events from now on, beginning with `subscribed`; before it the last ones if `recent`. Ends when `signal` aborts. */
  async *subscribe(withProgress: boolean, signal: AbortSignal, recent = false): AsyncGenerator<DaemonEvent> {
    if (this.#subscribers.size >= EVENT_SUBSCRIBERS) {
      throw new BbError('CONFLICT', 'too many programs follow the events of this daemon');
    }
    const subscriber: Subscriber = { withProgress, queue: [], lost: 0, wake: () => undefined };
    const wakeOnAbort = () => subscriber.wake();
    signal.addEventListener('abort', wakeOnAbort);
    this.#subscribers.add(subscriber);
    try {
      const before = recent ? this.#recent : [];
      const subscribed = this.#own('subscribed', {});
      yield* before;
      yield subscribed;
      while (!signal.aborted) {
        if (subscriber.lost > 0) {
          yield this.#own('events-lost', { count: String(subscriber.lost) });
          subscriber.lost = 0;
        }
        const next = subscriber.queue.shift();
        if (next !== undefined) yield next;
        else await new Promise<void>((resolve) => (subscriber.wake = resolve));
      }
    } finally {
      this.#subscribers.delete(subscriber);
      signal.removeEventListener('abort', wakeOnAbort);
    }
  }

  #own(name: string, attributes: Record<string, string>): DaemonEvent {
    return { sequence: this.#sequence, atMs: this.#clock.nowMs(), name, attributes, progress: undefined };
  }
}
