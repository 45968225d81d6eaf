// What is known of damage to our own cells, in memory: where to look, and what nobody in reach could give back. After a
// restart the background reading finds it again (docs/protocol.md, "Damage").

import type { DamagedFiles } from '../ports/workers.ts';
import type { OnionId } from '../core/ids.ts';
import { splitIds } from './commit-revision.ts';
import { Mutex } from './mutex.ts';

export type Suspects = { readonly cellIds: Buffer; readonly packs: readonly number[] };

const NO_FILES: DamagedFiles = { isIndexLost: false, files: 0, names: [] };

export class OwnDamage {
  /** Held while damaged cells are fetched and written again. */
  readonly lock = new Mutex();
  #suspects: Buffer[] = [];
  readonly #packs = new Set<number>();
  /** Packed ids of cells that nobody in reach could give back. */
  #lost: Buffer = Buffer.alloc(0);
  #lostNames: ReadonlySet<string> = new Set();
  #files = NO_FILES;
  /** The catalog may not say of each chunk where it lies. */
  areChunksDoubted = false;
  /** Storers that were asked for all that is lost. */
  readonly asked = new Set<OnionId>();

  suspect({ cellIds, packs }: Suspects): void {
    if (cellIds.length > 0) this.#suspects.push(cellIds);
    for (const pack of packs) this.#packs.add(pack);
  }

  /** Everything that should be looked at now: new suspects, and what was lost so far. */
  takeSuspects(): Suspects {
    const suspects = { cellIds: Buffer.concat([this.#lost, ...this.#suspects]), packs: [...this.#packs] };
    this.#suspects = [];
    this.#packs.clear();
    return suspects;
  }

  setLost(cellIds: Buffer, files: DamagedFiles | undefined): void {
    this.#lost = cellIds;
    this.#lostNames = new Set(splitIds(cellIds).map((id) => id.toString('latin1')));
    if (cellIds.length === 0) this.asked.clear();
    this.#files = files ?? NO_FILES;
  }

  isLost(cellId: Buffer): boolean {
    return this.#lostNames.has(cellId.toString('latin1'));
  }

  get lost(): Buffer {
    return this.#lost;
  }

  /** Files of the newest revision that need lost cells. */
  get files(): DamagedFiles {
    return this.#files;
  }
}
