// Pulls take turns: a few run at the same time, and one of an owner with a lot, or one that hardly sends, must not keep the
// small ones of others waiting for days. A turn is over after `pullTurn` if another pull waits; requests that are out are
// still answered. What does not end within as much time again is cut.
// Invariant: while a pull waits, each of those that run ends its turn within twice `pullTurn`, whatever its owner does.

import { TASK_CLASSES } from './plan.ts';
import type { Session } from './session.ts';

export class PullTurn {
  readonly #session: Session;
  readonly #cut = new AbortController();
  readonly #beganMs: number;
  #stopTimer: () => void;

  constructor(session: Session) {
    this.#session = session;
    this.#beganMs = session.deps.clock.monotonicMs();
    this.#stopTimer = this.#cutLater();
  }

  /** Another pull waits, and this one had its time: nothing more is asked for. */
  get isOver(): boolean {
    const { deps, scheduler } = this.#session;
    return deps.clock.monotonicMs() - this.#beganMs >= deps.periods.pullTurn && scheduler.hasWaiting(TASK_CLASSES.pull);
  }

  /** Aborts when a turn that is over does not end. */
  get signal(): AbortSignal {
    return this.#cut.signal;
  }

  end(): void {
    this.#stopTimer();
  }

  #cutLater(): () => void {
    const { clock, periods } = this.#session.deps;
    return clock.after(2 * periods.pullTurn, () => {
      if (this.isOver) this.#cut.abort();
      else this.#stopTimer = this.#cutLater();
    });
  }
}
