// Reads own cells and, while the last one is being opened, already the one behind it in its pack: what was written
// together is read together. What was read ahead may be older than what is there by now, so the caller, who checks it
// anyway, reads again from the disk before it calls a cell damaged.

import { PACK_SLOTS } from '../../core/limits.ts';
import type { CellPosition } from '../../ports/cell-store.ts';
import type { CellBytes } from './own-cells.ts';

export class ReadAhead implements CellBytes {
  readonly #store: CellBytes;
  #ahead: { readonly position: CellPosition; readonly bytes: Promise<Buffer | undefined> } | undefined;

  constructor(store: CellBytes) {
    this.#store = store;
  }

  async read(position: CellPosition): Promise<Buffer> {
    const ahead = this.#ahead;
    const isAhead = ahead?.position.pack === position.pack && ahead.position.slot === position.slot;
    const bytes = (isAhead ? await ahead.bytes : undefined) ?? (await this.#store.read(position));
    this.#start({ pack: position.pack, slot: position.slot + 1 });
    return bytes;
  }

  /** There may be no such slot: that shows when somebody asks for it. */
  #start(position: CellPosition): void {
    this.#ahead =
      position.slot < PACK_SLOTS ? { position, bytes: this.#store.read(position).catch(() => undefined) } : undefined;
  }
}
