// Cells of other revisions that are cells of the wanted one, too: a cell is known by its cell_id, whatever revision lists it.
// So a storer that missed the newest revision, or one that lost a part of it, still gives what did not change since.

import { compareRevisions } from '../core/content/revision-order.ts';
import type { OnionId } from '../core/ids.ts';
import { CONTENT_CELLS, PULL_WINDOW_CELLS, RESTORE_SOURCES } from '../core/limits.ts';
import type { RevisionRow } from '../ports/catalog.ts';
import type { RecoverySession } from '../ports/workers.ts';
import { splitIds } from './commit-revision.ts';
import { CellSource } from './cell-source.ts';
import { openHead } from './open-head.ts';
import type { FoundId } from './recovery.ts';
import type { Session } from './session.ts';

type Keep = (peer: OnionId, cell: number, bytes: Buffer) => Promise<boolean>;

/** One of the other revisions. */
type Other = {
  readonly id: FoundId;
  readonly source: CellSource;
  /** Its cells that the wanted revision has as well: number in its blob -> number in the wanted one. */
  places: ReadonlyMap<number, number>;
  /** Whether `places` covers its data cells. */
  isWhole: boolean;
};

export class OlderCells {
  readonly #session: Session;
  readonly #row: RevisionRow;
  readonly #work: RecoverySession;
  readonly #others = new Map<string, Other>();

  constructor(session: Session, row: RevisionRow, work: RecoverySession) {
    this.#session = session;
    this.#row = row;
    this.#work = work;
  }

  /** Asks the first of the other revisions that may have something. False when none gives anything. */
  async round(keep: Keep, signal: AbortSignal): Promise<boolean> {
    const wanted = new Set(await this.#work.wanted(CONTENT_CELLS));
    for (const id of this.#candidates()) {
      const other = await this.#look(id, signal);
      const cells = [...other.places].filter(([, cell]) => wanted.has(cell)).map(([number]) => number);
      if (cells.length === 0) continue;
      const keepHere: Keep = (peer, cell, bytes) => keep(peer, other.places.get(cell) ?? -1, bytes);
      const { hasMoved } = await other.source.round(cells.slice(0, PULL_WINDOW_CELLS), keepHere, signal);
      if (hasMoved) return true;
    }
    return false;
  }

  /** The newest first: they have most in common with what is wanted. */
  #candidates(): FoundId[] {
    const found = new Map<string, FoundId>();
    for (const holder of this.#session.recovery.holders.values()) {
      for (const id of holder.found) {
        if (!id.contentId.equals(this.#row.contentId)) found.set(id.contentId.toString('hex'), id);
      }
    }
    return [...found.values()].sort((a, b) => compareRevisions(b, a)).slice(0, RESTORE_SOURCES);
  }

  /** Its index is read once the data cells of the wanted revision are known. */
  async #look(id: FoundId, signal: AbortSignal): Promise<Other> {
    const name = id.contentId.toString('hex');
    const other = this.#others.get(name) ?? {
      id,
      source: new CellSource(this.#session, id.contentId, this.#work),
      places: new Map<number, number>(),
      isWhole: false,
    };
    this.#others.set(name, other);
    const { indexDone } = await this.#work.counts();
    if (other.isWhole || (other.places.size > 0 && !indexDone)) return other;
    const { headCells, ids } = await this.#idsOf(id, indexDone, signal);
    other.places = this.#places(headCells, ids, await this.#work.cellIds());
    other.isWhole = indexDone;
    return other;
  }

  #places(otherHeadCells: number, otherIds: readonly Buffer[], wantedIds: Buffer): Map<number, number> {
    const wanted = new Map<string, number>();
    for (const [at, id] of splitIds(wantedIds).entries()) {
      wanted.set(id.toString('latin1'), this.#row.headCells + at);
    }
    const places = new Map<number, number>();
    for (const [at, id] of otherIds.entries()) {
      const cell = wanted.get(id.toString('latin1'));
      if (cell !== undefined) places.set(otherHeadCells + at, cell);
    }
    return places;
  }

  /** As many of its cell ids as can be learned; none when nobody gives its head. */
  async #idsOf(
    id: FoundId,
    withData: boolean,
    signal: AbortSignal,
  ): Promise<{ readonly headCells: number; readonly ids: readonly Buffer[] }> {
    const head = await openHead(this.#session, id, signal).catch((error: unknown) => {
      this.#session.deps.log.debug('an older head could not be fetched', { detail: String(error) });
    });
    if (head === undefined) return { headCells: 0, ids: [] };
    const { headCells } = head.row;
    const index = splitIds(head.metadata.indexCells);
    if (!withData) return { headCells, ids: index };
    const work = await this.#session.deps.workers.startRecovery(head.row, index);
    try {
      const source = new CellSource(this.#session, id.contentId, work);
      for (;;) {
        if ((await work.counts()).indexDone) break;
        const wanted = await work.wanted(PULL_WINDOW_CELLS);
        const { hasMoved } = await source.round(wanted, (peer, cell, bytes) => work.offer(peer, cell, bytes), signal);
        if (!hasMoved) break;
      }
      return { headCells, ids: splitIds(await work.cellIds()) };
    } finally {
      await work.close();
    }
  }
}
