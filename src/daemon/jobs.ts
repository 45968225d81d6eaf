// Long work that lives in the daemon: its progress can be asked for and is announced, whoever
// started it may be gone. Speed and remaining time are judged since the start of the phase.

import type { Clock } from '../ports/clock.ts';
import type { EventBus } from './event-bus.ts';
import type { ProgressView } from './local-api.ts';

/** Announcements of one job are at least so far apart, but for the first of a phase. */
const ANNOUNCE_EVERY_MS = 250;

export type Job = {
  progress(phase: string, done: number, total: number): void;
  /** Always call it: a job that has ended is forgotten. */
  end(outcome: 'done' | 'failed'): void;
  view(): ProgressView;
};

export class Jobs {
  readonly #clock: Clock;
  readonly #bus: EventBus;
  readonly #running = new Map<string, Job>();
  #number = 0;

  constructor(clock: Clock, bus: EventBus) {
    this.#clock = clock;
    this.#bus = bus;
  }

  start(kind: string, onProgress: (progress: ProgressView) => void = () => undefined): Job {
    const id = `${kind}-${++this.#number}`;
    let view: ProgressView = { job: id, phase: 'start', done: 0, total: 0, bytesPerSec: 0, etaSec: 0 };
    let phaseStartMs = this.#clock.monotonicMs();
    let announcedMs = Number.NEGATIVE_INFINITY;
    const job: Job = {
      view: () => view,
      progress: (phase, done, total) => {
        const nowMs = this.#clock.monotonicMs();
        const fresh = phase !== view.phase;
        if (fresh) phaseStartMs = nowMs;
        const seconds = (nowMs - phaseStartMs) / 1000;
        const bytesPerSec = seconds > 0 ? Math.floor(done / seconds) : 0;
        const etaSec = bytesPerSec > 0 && total > done ? Math.ceil((total - done) / bytesPerSec) : 0;
        view = { job: id, phase, done, total, bytesPerSec, etaSec };
        if (!fresh && nowMs - announcedMs < ANNOUNCE_EVERY_MS && done < total) return;
        announcedMs = nowMs;
        this.#bus.emit('progress', { kind }, view);
        onProgress(view);
      },
      end: (outcome) => {
        this.#running.delete(id);
        this.#bus.emit('job-ended', { job: id, kind, outcome });
      },
    };
    this.#running.set(id, job);
    this.#bus.emit('job-started', { job: id, kind });
    return job;
  }

  views(): ProgressView[] {
    return [...this.#running.values()].map((job) => job.view());
  }
}
