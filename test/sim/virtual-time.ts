// Time of a simulation: one heap of timers, run in the order of their time and, at the same time, in the order in which
// they were set. Between two timers every promise that can go on goes on, so that a run depends on nothing but its seed.
// Invariant: no timer of the platform is used; how fast the machine is changes nothing.

export type Timer = { atMs: number; readonly order: number; run: (() => void) | undefined };

/** So often the loop lets the platform breathe: garbage of abort signals is only collected then. */
const BREATH_EVENTS = 20_000;

const SETTLED = Promise.resolve();

export class VirtualTime {
  /** Whole milliseconds, so that no rounding ever makes a timer wait for nothing. */
  nowMs = 0;
  /** Timers that have run. */
  events = 0;
  #heap: Timer[] = [];
  #order = 0;
  #cancelled = 0;

  at(delayMs: number, run: () => void): Timer {
    const timer = { atMs: this.nowMs + Math.ceil(Math.max(0, delayMs)), order: this.#order++, run };
    this.#push(timer);
    return timer;
  }

  cancel(timer: Timer): void {
    if (timer.run === undefined) return;
    timer.run = undefined;
    this.#cancelled += 1;
    if (this.#cancelled > 10_000 && this.#cancelled * 2 > this.#heap.length) this.#sweep();
  }

  /** Resolves after `ms` of virtual time. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.at(ms, resolve));
  }

  /** Runs everything up to `endMs`, or until `isDone` says so after an event. Rejects with what a timer throws. */
  run(endMs: number, isDone: () => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      let untilBreath = BREATH_EVENTS;
      const toTick = (): void => process.nextTick(step);
      const step = (): void => {
        try {
          const timer = isDone() ? undefined : this.#pop(endMs);
          if (timer === undefined) {
            if (!isDone()) this.nowMs = endMs;
            return resolve();
          }
          this.nowMs = timer.atMs;
          this.events += 1;
          const { run } = timer;
          timer.run = undefined;
          run?.();
        } catch (error) {
          return reject(error);
        }
        untilBreath -= 1;
        if (untilBreath === 0) {
          untilBreath = BREATH_EVENTS;
          setImmediate(step);
        } else {
          // A tick that a microtask asks for runs when no microtask is left: everything has come to rest by then.
          void SETTLED.then(toTick);
        }
      };
      setImmediate(step);
    });
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(timer, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = timer;
  }

  /** The next timer that was not cancelled, if it is due by `endMs`. */
  #pop(endMs: number): Timer | undefined {
    for (;;) {
      const [first] = this.#heap;
      if (first === undefined || first.atMs > endMs) return undefined;
      this.#removeFirst();
      if (first.run !== undefined) return first;
      this.#cancelled -= 1;
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      let below = left;
      if (right !== undefined && isBefore(right, left)) {
        child += 1;
        below = right;
      }
      if (!isBefore(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }

  #sweep(): void {
    const alive = this.#heap.filter((timer) => timer.run !== undefined);
    this.#cancelled = 0;
    this.#heap = [];
    for (const timer of alive) this.#push(timer);
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
