// Reads every cell that must be here, our own and those held for peers, and verifies it, a few at a time: memory does not
// grow, and the node goes on with its work beside it. `bb doctor --read-data` and `bb storage verify` are made of it.
// Invariant: each cell is read once, however many lists name it; what is bad is only named here, and healed by `heal`.

import { isBbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import { CELLS_IN_FLIGHT } from '../core/limits.ts';
import type { HeldRecord } from '../core/records.ts';
import { splitIds } from './commit-revision.ts';
import { damagedHeads, keptRevisions } from './heal-own.ts';
import { noteHeldDamage } from './held-damage.ts';
import { plan } from './plan.ts';
import type { Session } from './session.ts';
import { SlotSet } from './slot-set.ts';

/** Some cells of one owner (for our own content: ourselves) that were read together. */
export type ReadBatch = {
  readonly owner: OnionId;
  readonly cells: number;
  readonly damaged: number;
  /** Has the bad ones looked at, and healed or confessed. */
  readonly heal: () => Promise<void>;
};

export type Reading = { readonly total: number; readonly batches: AsyncIterable<ReadBatch> };

export async function readOwnCells(session: Session): Promise<Reading> {
  const rows = await keptRevisions(session);
  const heads = rows.reduce((sum, { headCells }) => sum + 2 * headCells, 0);
  const { total } = await session.deps.workers.scrubOwn(0, 0);
  return { total: heads + total, batches: ownBatches(session, rows) };
}

async function* ownBatches(session: Session, rows: Awaited<ReturnType<typeof keptRevisions>>) {
  const batch = (cells: number, damaged: number, damagedIds: Buffer): ReadBatch => ({
    owner: session.self,
    cells,
    damaged,
    heal: async () => {
      session.ownDamage.suspect({ cellIds: damagedIds, packs: [] });
      plan(session, 'heal', 0); // heads have no id: they are looked at anyway
    },
  });
  for (const row of rows) {
    yield batch(2 * row.headCells, (await damagedHeads(session, row)).length, Buffer.alloc(0));
  }
  let at = 0;
  do {
    const { damaged, next, read } = await session.deps.workers.scrubOwn(at, CELLS_IN_FLIGHT);
    yield batch(read, splitIds(damaged).length, damaged);
    at = next;
  } while (at !== 0);
}

export async function readHeldCells(session: Session): Promise<Reading> {
  const byOwner = Map.groupBy(
    session.registry
      .held()
      .map(({ value }) => value)
      .filter(({ role, list }) => role !== 'pulling' && list >= 0),
    ({ owner }) => owner,
  );
  let total = 0;
  for (const lists of byOwner.values()) {
    total += await session.deps.catalog.heldDistinctCells(lists.map(({ list }) => list));
  }
  return { total, batches: heldBatches(session, byOwner) };
}

async function* heldBatches(session: Session, byOwner: ReadonlyMap<OnionId, readonly HeldRecord[]>) {
  for (const lists of byOwner.values()) {
    const seen = new SlotSet();
    for (const held of lists) yield* untilDropped(listBatches(session, held, seen));
  }
}

async function* listBatches(session: Session, held: HeldRecord, seen: SlotSet): AsyncGenerator<ReadBatch> {
  const { catalog, workers } = session.deps;
  for (let from = 0; from < held.cells; from += CELLS_IN_FLIGHT) {
    const positions = await catalog.heldPositions(held.list, from, Math.min(CELLS_IN_FLIGHT, held.cells - from));
    const cells: number[] = [];
    for (const [at, position] of positions.entries()) {
      if (position !== undefined && seen.has(position)) continue;
      if (position !== undefined) seen.add(position);
      cells.push(from + at);
    }
    if (cells.length === 0) continue;
    const damaged = await workers.damagedHeld(held.list, cells);
    const heal = () => noteHeldDamage(session, held, damaged);
    yield { owner: held.owner, cells: cells.length, damaged: damaged.length, heal };
  }
}

/** What is superseded while it is read needs no reading any more. */
async function* untilDropped(batches: AsyncGenerator<ReadBatch>): AsyncGenerator<ReadBatch> {
  try {
    yield* batches;
  } catch (error) {
    if (!isBbError(error, 'NOT_FOUND')) throw error;
  }
}
