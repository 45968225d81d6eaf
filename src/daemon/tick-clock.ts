// Elapsed time between two ticks, robust against clock changes: the smaller of what the monotonic and
// the wall clock say, and nothing at all when the wall clock jumped.

import { DEADLINES_MS } from '../core/policy/periods.ts';

export class TickClock {
  #monotonicMs: number;
  #wallMs: number;

  constructor(monotonicMs: number, wallMs: number) {
    this.#monotonicMs = monotonicMs;
    this.#wallMs = wallMs;
  }

  /** Milliseconds since the last call. */
  elapsed(monotonicMs: number, wallMs: number): { readonly ms: number; readonly jumped: boolean } {
    const monotonic = monotonicMs - this.#monotonicMs;
    const wall = wallMs - this.#wallMs;
    this.#monotonicMs = monotonicMs;
    this.#wallMs = wallMs;
    const jumped = Math.abs(wall - monotonic) > DEADLINES_MS.clockJump;
    return { ms: jumped ? 0 : Math.max(0, Math.min(monotonic, wall)), jumped };
  }
}
