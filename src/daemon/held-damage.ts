// Slots of the peers store that are known to be damaged, in memory: by place, so that all lists that share a cell share
// what is known of it, and a cell that was fetched again is good because it lies elsewhere (docs/protocol.md, "Damage").

import type { OnionId } from '../core/ids.ts';
import type { HeldRecord } from '../core/records.ts';
import type { CellPosition } from '../ports/cell-store.ts';
import { isPlanned, plan, planFor } from './plan.ts';
import type { Session } from './session.ts';
import { SlotSet } from './slot-set.ts';

/** Cells of a list whose places are read at a time. */
const PLACES_PER_READ = 1024;

export class HeldDamage {
  readonly #slots = new SlotSet();
  readonly #suspectPacks = new Set<number>();
  readonly #seenPacks = new Set<number>();
  /** Tries of a repair in a row that did not bring everything back. */
  readonly failures = new Map<OnionId, number>();

  add(position: CellPosition): void {
    this.#slots.add(position);
    this.suspectPack(position.pack);
  }

  has(position: CellPosition): boolean {
    return this.#slots.has(position);
  }

  get isEmpty(): boolean {
    return this.#slots.isEmpty;
  }

  /** All of it will be read, once. */
  suspectPack(pack: number): void {
    if (!this.#seenPacks.has(pack)) this.#suspectPacks.add(pack);
  }

  takeSuspectPacks(): ReadonlySet<number> {
    const packs = new Set(this.#suspectPacks);
    for (const pack of packs) this.#seenPacks.add(pack);
    this.#suspectPacks.clear();
    return packs;
  }
}

/**
 * Cells of a held list turned out to be damaged: their neighbours are looked at, then they are fetched again. What was known
 * starts nothing anew: an owner that recovers meets the same cell with each of its tries.
 */
export async function noteHeldDamage(
  session: Session,
  { list, role, owner }: HeldRecord,
  cells: readonly number[],
): Promise<void> {
  let isNews = false;
  for (const cell of cells) {
    const [position] = await session.deps.catalog.heldPositions(list, cell, 1);
    if (position === undefined || session.heldDamage.has(position)) continue;
    session.heldDamage.add(position);
    isNews = true;
  }
  if (isNews) plan(session, 'packs', 0);
  else if (cells.length > 0 && role === 'current' && !isPlanned(session, 'repair', owner)) {
    planFor(session, 'repair', owner, 0);
  }
}

/** Cells of a held list that are known to be damaged, or are not on disk. */
export async function lostCells(session: Session, { list, cells }: HeldRecord): Promise<number[]> {
  if (session.heldDamage.isEmpty) return [...(await session.deps.catalog.heldMissing(list, 0, cells))];
  return cellsAt(session, { list, cells }, (position) => position === undefined || session.heldDamage.has(position));
}

/** Cells of a held list, by where they lie. */
export async function cellsAt(
  { deps }: Session,
  { list, cells }: Pick<HeldRecord, 'list' | 'cells'>,
  isMeant: (position: CellPosition | undefined) => boolean,
): Promise<number[]> {
  const found: number[] = [];
  for (let from = 0; from < cells; from += PLACES_PER_READ) {
    const positions = await deps.catalog.heldPositions(list, from, Math.min(PLACES_PER_READ, cells - from));
    for (const [at, position] of positions.entries()) if (isMeant(position)) found.push(from + at);
  }
  return found;
}
