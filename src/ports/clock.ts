// Time as the daemon sees it. Nothing below the composition root and the adapters reads a clock
// or sets a timer in any other way, so the whole daemon can run on a virtual clock.

export interface Clock {
  /** Wall clock, milliseconds since 1970. Informative only: never compared between nodes. */
  nowMs(): number;
  /** Monotonic milliseconds from an arbitrary start; does not jump. */
  monotonicMs(): number;
  /** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs `callback` once after `ms`; the returned function cancels it. */
  after(ms: number, callback: () => void): () => void;
}
