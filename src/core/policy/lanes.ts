// Hands runs of missing cells to lanes (channels on circuits of their own). Circuits differ in speed by
// a factor of ten, so a lane that has nothing left takes half of what the slowest still has to do.
// Invariant: at any time each wanted cell is either queued or in the range of exactly one lane, until it is done.
// A cell is taken over at most once, and never after a cut: an owner serves each cell three times only
// (serving.ts), and what is taken over may already be on its way to the slow lane.

import type { CellRange } from '../challenge/question.ts';

type Run = CellRange & { readonly mayBeStolen: boolean };
type Active = { nextCell: number; endCell: number; readonly mayBeStolen: boolean };

/** Less than this is not worth another stream. */
const MIN_STEAL_CELLS = 4;

export class LaneQueue {
  readonly #queue: Run[];
  readonly #active = new Map<number, Active>();
  readonly #runCells: number;

  /** `missing` are disjoint runs; a lane gets at most `runCells` at a time. */
  constructor(missing: readonly CellRange[], runCells: number) {
    this.#queue = missing.map((run) => ({ ...run, mayBeStolen: true }));
    this.#runCells = runCells;
  }

  /** The next run for an idle lane; undefined when nothing is left to take. */
  take(lane: number): CellRange | undefined {
    const run = this.#fromQueue() ?? this.#steal();
    if (run === undefined) return undefined;
    const { startCell, cells, mayBeStolen } = run;
    this.#active.set(lane, { nextCell: startCell, endCell: startCell + cells, mayBeStolen });
    return { startCell, cells };
  }

  /** Marks a cell as done; false when it is no longer this lane's, which may then stop its stream. */
  done(lane: number, cell: number): boolean {
    const active = this.#active.get(lane);
    if (active === undefined || cell < active.nextCell || cell >= active.endCell) return false;
    active.nextCell = cell + 1;
    return true;
  }

  /** True while the lane has cells left of the run it took. */
  hasWork(lane: number): boolean {
    const active = this.#active.get(lane);
    return active !== undefined && active.nextCell < active.endCell;
  }

  /** The lane stops, finished or cut: what it has not done goes back to the front of the queue. */
  release(lane: number): void {
    const active = this.#active.get(lane);
    this.#active.delete(lane);
    if (active !== undefined && active.nextCell < active.endCell) {
      const cells = active.endCell - active.nextCell;
      this.#queue.unshift({ startCell: active.nextCell, cells, mayBeStolen: false });
    }
  }

  /** Cells that are not done. */
  get remainingCells(): number {
    let cells = 0;
    for (const run of this.#queue) cells += run.cells;
    for (const active of this.#active.values()) cells += active.endCell - active.nextCell;
    return cells;
  }

  #fromQueue(): Run | undefined {
    const run = this.#queue.shift();
    if (run === undefined || run.cells <= this.#runCells) return run;
    const cells = this.#runCells;
    this.#queue.unshift({ ...run, startCell: run.startCell + cells, cells: run.cells - cells });
    return { ...run, cells };
  }

  #steal(): Run | undefined {
    let victim: Active | undefined;
    for (const active of this.#active.values()) {
      if (!active.mayBeStolen) continue;
      if (victim === undefined || active.endCell - active.nextCell > victim.endCell - victim.nextCell) victim = active;
    }
    const left = victim === undefined ? 0 : victim.endCell - victim.nextCell;
    if (victim === undefined || left < 2 * MIN_STEAL_CELLS) return undefined;
    const cells = Math.floor(left / 2);
    victim.endCell -= cells;
    return { startCell: victim.endCell, cells, mayBeStolen: false };
  }
}
