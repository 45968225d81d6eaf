// The one loop: named tasks with a due time, run with bounded concurrency per class. A task that is
// planned again while it waits keeps the earlier time; while it runs, it runs once more after.

import { toBbError } from '../core/errors.ts';
import { PeerRefusal } from '../core/refusal.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';

export type TaskClass =
  | 'commit'
  | 'publish'
  | 'pull'
  | 'check'
  | 'presence'
  | 'recovery'
  | 'prune'
  | 'dial'
  | 'backup'
  | 'seek'
  | 'heal'
  | 'scrub'
  | 'repair'
  | 'rewrite'
  | 'tick';

/** How many tasks of a class run at once (docs/limits.md). */
const RUNNING_MAX: Record<TaskClass, number> = {
  commit: 1,
  publish: 4,
  pull: 2,
  check: 2,
  presence: 8,
  recovery: 8,
  prune: 1,
  dial: 1,
  backup: 1,
  seek: 1,
  heal: 1,
  scrub: 1,
  repair: 2,
  rewrite: 1,
  tick: 1,
};

type Task = {
  readonly key: string;
  readonly taskClass: TaskClass;
  run: (signal: AbortSignal) => Promise<void>;
  cancelTimer: (() => void) | undefined;
  dueMs: number;
  running: boolean;
  /** Due time of the next run when planned while running. */
  againMs: number | undefined;
};

export class Scheduler {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #abort = new AbortController();
  readonly #tasks = new Map<string, Task>();
  readonly #ready = new Map<TaskClass, Task[]>();
  readonly #running = new Map<TaskClass, number>();
  readonly #ended = new Set<Promise<void>>();

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Plans `key` to run in `delayMs`; a second plan keeps the earlier of the two times and the newer work. */
  plan(taskClass: TaskClass, key: string, delayMs: number, run: (signal: AbortSignal) => Promise<void>): void {
    if (this.#abort.signal.aborted) return;
    const dueMs = this.#clock.monotonicMs() + delayMs;
    const task = this.#tasks.get(key);
    if (task === undefined) {
      const fresh: Task = { key, taskClass, run, cancelTimer: undefined, dueMs, running: false, againMs: undefined };
      this.#tasks.set(key, fresh);
      this.#arm(fresh);
      return;
    }
    task.run = run;
    if (task.running) {
      task.againMs = Math.min(task.againMs ?? dueMs, dueMs);
    } else if (dueMs < task.dueMs) {
      task.dueMs = dueMs;
      this.#arm(task);
    }
  }

  /** A task of this class is due and waits for a place. */
  hasWaiting(taskClass: TaskClass): boolean {
    return (this.#ready.get(taskClass)?.length ?? 0) > 0;
  }

  isPlanned(key: string): boolean {
    return this.#tasks.has(key);
  }

  cancel(key: string): void {
    const task = this.#tasks.get(key);
    if (task === undefined) return;
    task.againMs = undefined;
    if (task.running) return;
    task.cancelTimer?.();
    this.#tasks.delete(key);
  }

  /** Stops everything and waits for what runs. */
  async stop(): Promise<void> {
    this.#abort.abort();
    for (const task of this.#tasks.values()) task.cancelTimer?.();
    this.#tasks.clear();
    await Promise.all(this.#ended);
  }

  #arm(task: Task): void {
    task.cancelTimer?.();
    const waitMs = Math.max(0, task.dueMs - this.#clock.monotonicMs());
    task.cancelTimer = this.#clock.after(waitMs, () => {
      task.cancelTimer = undefined;
      const queue = this.#ready.get(task.taskClass) ?? [];
      queue.push(task);
      this.#ready.set(task.taskClass, queue);
      this.#startReady(task.taskClass);
    });
  }

  #startReady(taskClass: TaskClass): void {
    const queue = this.#ready.get(taskClass) ?? [];
    while (queue.length > 0 && (this.#running.get(taskClass) ?? 0) < RUNNING_MAX[taskClass]) {
      const task = queue.shift();
      if (task === undefined || this.#tasks.get(task.key) !== task || this.#abort.signal.aborted) continue;
      const ended = this.#runOne(task);
      this.#ended.add(ended);
      void ended.then(() => this.#ended.delete(ended));
    }
  }

  async #runOne(task: Task): Promise<void> {
    task.running = true;
    this.#running.set(task.taskClass, (this.#running.get(task.taskClass) ?? 0) + 1);
    try {
      await task.run(this.#abort.signal);
    } catch (error) {
      const code = error instanceof PeerRefusal ? error.refusal : toBbError(error).code;
      this.#log.warn('task failed', { class: task.taskClass, code });
      this.#log.debug('task failure', { class: task.taskClass, detail: String(error) });
    }
    this.#running.set(task.taskClass, (this.#running.get(task.taskClass) ?? 1) - 1);
    task.running = false;
    if (task.againMs === undefined) {
      this.#tasks.delete(task.key);
    } else {
      task.dueMs = task.againMs;
      task.againMs = undefined;
      if (!this.#abort.signal.aborted) this.#arm(task);
    }
    this.#startReady(task.taskClass);
  }
}
