// Which cells which holder cannot give, learned while content is restored. A holder that lacks one cell still
// gives the others; one that lacks many is not asked any more. Bounded by MAX_LACKING per holder.

import type { OnionId } from '../ids.ts';

/** A holder with more bad cells than this is worth no more tries. */
export const MAX_LACKING = 64;

export type FetchRound = { readonly peers: readonly OnionId[]; readonly cells: readonly number[] };

export class LackingCells {
  readonly #cells = new Map<OnionId, Set<number>>();

  /** False if that was known. */
  add(peer: OnionId, cell: number): boolean {
    const cells = this.#cells.get(peer) ?? new Set();
    this.#cells.set(peer, cells);
    if (cells.has(cell)) return false;
    cells.add(cell);
    return true;
  }

  /**
   * Whom to ask for which of the wanted cells: all holders at once that may have all of them, else the first that may
   * have some. Undefined when no holder may have any.
   */
  nextRound(holders: readonly OnionId[], wanted: readonly number[]): FetchRound | undefined {
    const useful = holders.filter((peer) => (this.#cells.get(peer)?.size ?? 0) <= MAX_LACKING);
    const whole = useful.filter((peer) => !wanted.some((cell) => this.#lacks(peer, cell)));
    if (whole.length > 0) return { peers: whole, cells: wanted };
    for (const peer of useful) {
      const cells = wanted.filter((cell) => !this.#lacks(peer, cell));
      if (cells.length > 0) return { peers: [peer], cells };
    }
    return undefined;
  }

  #lacks(peer: OnionId, cell: number): boolean {
    return this.#cells.get(peer)?.has(cell) === true;
  }
}
