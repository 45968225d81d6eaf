// Test files whose process does not end by itself, ended by force. The runner's own limit only asks (SIGTERM): a handle that
// a failed test left open, or Node locking up while it exits (nodejs/node issue 54918), would make it wait for ever.

import { readFileSync } from 'node:fs';

/** From the last word of a test file to the end of its process, and from the runner's own limit to ours. */
const EXIT_MS = 30_000;

export class HungFiles {
  /** Files that were ended after every test of theirs had passed. */
  readonly afterPassing = new Set<string>();
  readonly #limitMs: number;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  /** `limitMs`: how long a file may take. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Files whose process has not ended. */
  get running(): string[] {
    return [...this.#timers.keys()];
  }

  /** The process of this file was started. */
  started(file: string): void {
    this.#killAfter(this.#limitMs + EXIT_MS, file);
  }

  /** All tests of this file have passed. */
  passed(file: string): void {
    this.#killAfter(EXIT_MS, file, () => this.afterPassing.add(file));
  }

  /** The process of this file has ended. */
  exited(file: string): void {
    clearTimeout(this.#timers.get(file));
    this.#timers.delete(file);
  }

  #killAfter(ms: number, file: string, killed: () => void = () => undefined): void {
    clearTimeout(this.#timers.get(file));
    const kill = (): void => {
      for (const pid of childrenOf(process.pid)) {
        if (!commandOf(pid).includes(file)) continue;
        process.kill(pid, 'SIGKILL');
        killed();
      }
    };
    this.#timers.set(file, setTimeout(kill, ms));
  }
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

function commandOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
}
