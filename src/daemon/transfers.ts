// Content bytes exchanged with each peer since the start of the daemon: raw cell bytes, without
// plans, references and protocol overhead. `bb status` and the demo read these.

import type { OnionId } from '../core/ids.ts';

export type TransferCounts = { served: number; pulled: number; recovered: number; returned: number };

export class Transfers {
  readonly #counts = new Map<OnionId, TransferCounts>();

  add(peer: OnionId, what: keyof TransferCounts, bytes: number): void {
    const counts = { ...this.of(peer) };
    counts[what] += bytes;
    this.#counts.set(peer, counts);
  }

  of(peer: OnionId): Readonly<TransferCounts> {
    return this.#counts.get(peer) ?? { served: 0, pulled: 0, recovered: 0, returned: 0 };
  }

  all(): ReadonlyMap<OnionId, Readonly<TransferCounts>> {
    return this.#counts;
  }
}
