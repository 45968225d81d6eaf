// The clock of one simulated machine: it may sleep (its monotonic clock and its timers stand still), its wall clock may
// be wrong, and it dies with the process that uses it.

import type { Clock } from '../../src/ports/clock.ts';
import { onAbort } from './abort-fan.ts';
import type { Timer, VirtualTime } from './virtual-time.ts';

/** Wall clock at virtual time 0: 1 January 2026. */
const EPOCH_MS = 1_767_225_600_000;

/** What all clocks of one machine share. */
export class Machine {
  readonly time: VirtualTime;
  /** Wall clock minus virtual time since the epoch. */
  wallOffsetMs = 0;
  /** Virtual time since when the machine sleeps. */
  asleepSinceMs: number | undefined;
  sleptMs = 0;
  readonly #parked: (() => void)[] = [];

  constructor(time: VirtualTime) {
    this.time = time;
  }

  suspend(): void {
    this.asleepSinceMs ??= this.time.nowMs;
  }

  resume(): void {
    if (this.asleepSinceMs === undefined) return;
    this.sleptMs += this.time.nowMs - this.asleepSinceMs;
    this.asleepSinceMs = undefined;
    for (const arm of this.#parked.splice(0)) arm();
  }

  get monotonicMs(): number {
    return (this.asleepSinceMs ?? this.time.nowMs) - this.sleptMs;
  }

  park(arm: () => void): void {
    this.#parked.push(arm);
  }
}

export class NodeClock implements Clock {
  readonly #machine: Machine;
  #isDead = false;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** No timer of this clock fires any more. */
  die(): void {
    this.#isDead = true;
  }

  nowMs(): number {
    return EPOCH_MS + this.#machine.time.nowMs + this.#machine.wallOffsetMs;
  }

  monotonicMs(): number {
    return this.#machine.monotonicMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const wake = (): void => {
        cancel();
        stop();
        resolve();
      };
      const cancel = this.after(ms, wake);
      const stop = onAbort(signal, wake);
    });
  }

  after(ms: number, callback: () => void): () => void {
    const machine = this.#machine;
    const dueMs = machine.monotonicMs + Math.ceil(Math.max(0, ms));
    let timer: Timer | undefined;
    let isCancelled = false;
    const arm = (): void => {
      timer = machine.time.at(dueMs - machine.monotonicMs, fire);
    };
    const fire = (): void => {
      if (isCancelled || this.#isDead) return;
      if (machine.asleepSinceMs !== undefined) return machine.park(arm);
      if (machine.monotonicMs < dueMs) return arm(); // the machine has slept since
      callback();
    };
    arm();
    return () => {
      isCancelled = true;
      if (timer !== undefined) machine.time.cancel(timer);
    };
  }
}
