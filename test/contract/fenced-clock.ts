// The real clock for one life of a daemon of a test: what a killed daemon had planned never runs.

import type { Clock } from '../../src/ports/clock.ts';
import { realClock } from '../net/real-clock.ts';

/** Its timers keep no process alive and end with the life of the node. */
export function fencedClock(life: { readonly isDead: boolean }): Clock {
  const after: Clock['after'] = (ms, callback) => {
    const timer = setTimeout(() => (life.isDead ? undefined : callback()), ms).unref();
    return () => clearTimeout(timer);
  };
  return {
    ...realClock,
    after,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const stop = after(ms, resolve);
        const end = () => {
          stop();
          resolve();
        };
        if (signal?.aborted === true) end();
        else signal?.addEventListener('abort', end, { once: true });
      }),
  };
}
