// Own cells that are known to be damaged: those that reading met, until the daemon asks for them, and those that nobody
// could give back, whose chunks an ingest stores anew wherever the source still has them (docs/protocol.md, "Damage").

import { splitBytes } from './byte-list.ts';

const CELL_ID_BYTES = 32;
/** More are not remembered: whoever looks at one looks at its neighbours. */
const MET_CELLS = 1024;

export class OwnDamage {
  readonly #met = new Map<string, Buffer>();
  #lost: ReadonlySet<string> = new Set();

  meet(cellId: Buffer): void {
    if (this.#met.size < MET_CELLS) this.#met.set(nameOf(cellId), Buffer.from(cellId));
  }

  /** Packed ids of what was met since the last time. */
  takeMet(): Buffer {
    const met = Buffer.concat([...this.#met.values()]);
    this.#met.clear();
    return met;
  }

  /** Replaces what is known to be lost; packed ids. */
  setLost(cellIds: Buffer): void {
    this.#lost = new Set([...splitBytes(cellIds, CELL_ID_BYTES)].map(nameOf));
  }

  isLost(cellId: Buffer): boolean {
    return this.#lost.has(nameOf(cellId));
  }

  get hasLost(): boolean {
    return this.#lost.size > 0;
  }
}

function nameOf(cellId: Buffer): string {
  return cellId.toString('latin1');
}
