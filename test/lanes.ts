// The lanes of `make test` in order of cost; docs/testing.md says what each shows.
// Lanes of one file at a time start many daemons; those of e2e mostly wait for Tor, and measure memory of single processes.

export type Lane = {
  readonly name: string;
  readonly concurrency: number;
  readonly timeoutMs: number;
  /** Runs only when it is named: too long for every change. */
  readonly isOnDemand?: boolean;
};

const MINUTE_MS = 60_000;

export const LANES: readonly Lane[] = [
  { name: 'unit', concurrency: 2, timeoutMs: 2 * MINUTE_MS },
  { name: 'vectors', concurrency: 2, timeoutMs: 2 * MINUTE_MS },
  { name: 'property', concurrency: 2, timeoutMs: 3 * MINUTE_MS },
  { name: 'contract', concurrency: 2, timeoutMs: 3 * MINUTE_MS },
  { name: 'faults', concurrency: 2, timeoutMs: 3 * MINUTE_MS },
  { name: 'adversary', concurrency: 2, timeoutMs: 3 * MINUTE_MS },
  { name: 'cli', concurrency: 1, timeoutMs: 5 * MINUTE_MS },
  { name: 'e2e', concurrency: 2, timeoutMs: 15 * MINUTE_MS },
  { name: 'sim', concurrency: 2, timeoutMs: 5 * MINUTE_MS },
  { name: 'society', concurrency: 1, timeoutMs: 30 * MINUTE_MS, isOnDemand: true },
];
