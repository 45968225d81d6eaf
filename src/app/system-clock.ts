// The real clock, the only place where the daemon's time comes from.

import type { Clock } from '../ports/clock.ts';

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, timerMs(ms));
      signal?.addEventListener('abort', done, { once: true });
    }),
  after: (ms, callback) => {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      timer = setTimeout(() => (leftMs > TIMER_MAX_MS ? arm(leftMs - TIMER_MAX_MS) : callback()), timerMs(leftMs));
    };
    arm(ms);
    return () => clearTimeout(timer);
  },
};

/** Node's timers overflow above this. */
const TIMER_MAX_MS = 2 ** 31 - 1;

function timerMs(ms: number): number {
  return Math.min(TIMER_MAX_MS, Math.max(0, ms));
}
