// Whose cell is read and sealed next when several peers fetch from us: one that asks for everything must not keep another
// waiting (docs/protocol.md, "Limits"). A turn is one cell, from the disk until it is sealed. What is then on its way through
// Tor shares the line by circuits, and a reader that takes nothing holds no turn.
// Invariant: a peer with no turn gets one at once, whatever the others do; beyond that there are SERVED_CELLS turns, at most
// half of them one peer's, and a free one goes to a peer that recovers, then to whoever has fewest, then to whoever waits
// longest.

import type { OnionId } from '../core/ids.ts';
import { SERVED_CELLS } from '../core/limits.ts';

type Waiting = { readonly peer: OnionId; readonly isUrgent: boolean; readonly go: (end: () => void) => void };

export class FairQueue {
  readonly #turns = new Map<OnionId, number>();
  #waiting: Waiting[] = [];

  /** Resolves when it is this peer's turn, with the end of the turn; at once with undefined when `signal` aborts. */
  turn(peer: OnionId, isUrgent: boolean, signal: AbortSignal): Promise<(() => void) | undefined> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(undefined);
      const waiting: Waiting = {
        peer,
        isUrgent,
        go: (end) => {
          signal.removeEventListener('abort', leave);
          resolve(end);
        },
      };
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        resolve(undefined);
      };
      signal.addEventListener('abort', leave);
      this.#waiting.push(waiting);
      this.#serve();
    });
  }

  #serve(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const { peer, go } = next;
      this.#waiting = this.#waiting.filter((other) => other !== next);
      this.#turns.set(peer, this.#turnsOf(peer) + 1);
      go(this.#endOf(peer));
    }
  }

  #next(): Waiting | undefined {
    const isRoom = this.#shared() < SERVED_CELLS;
    let best: Waiting | undefined;
    for (const waiting of this.#waiting) {
      if (this.#mayGo(waiting.peer, isRoom) && (best === undefined || this.#isBefore(waiting, best))) best = waiting;
    }
    return best;
  }

  #mayGo(peer: OnionId, isRoom: boolean): boolean {
    const turns = this.#turnsOf(peer);
    return turns === 0 || (turns <= SERVED_CELLS / 2 && isRoom);
  }

  /** Turns beyond the one that is each peer's own. */
  #shared(): number {
    return [...this.#turns.values()].reduce((sum, turns) => sum + turns - 1, 0);
  }

  /** What waits longer is earlier in the list. */
  #isBefore(a: Waiting, b: Waiting): boolean {
    if (a.isUrgent !== b.isUrgent) return a.isUrgent;
    return this.#turnsOf(a.peer) < this.#turnsOf(b.peer);
  }

  #turnsOf(peer: OnionId): number {
    return this.#turns.get(peer) ?? 0;
  }

  #endOf(peer: OnionId): () => void {
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const left = this.#turnsOf(peer) - 1;
      if (left > 0) this.#turns.set(peer, left);
      else this.#turns.delete(peer);
      this.#serve();
    };
  }
}
