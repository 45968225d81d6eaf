// The background reading of everything on disk: own cells and cells of others are opened or hashed, a few at each step,
// all of them once per pass, so that rot is found while somebody still has a good copy (docs/protocol.md, "Damage").
// Damage seldom comes alone: where one cell is bad, the rest of its pack is read at once.

import { BbError, isBbError } from '../core/errors.ts';
import { CELLS_IN_FLIGHT } from '../core/limits.ts';
import { scrubStepCells } from '../core/policy/scrub.ts';
import type { HeldRecord, ScrubRecord } from '../core/records.ts';
import { cellsAt, lostCells, noteHeldDamage } from './held-damage.ts';
import { plan, planFor } from './plan.ts';
import type { Session } from './session.ts';

/** The task: one step over our own cells and one over those of others. */
export async function scrub(session: Session, signal: AbortSignal): Promise<void> {
  plan(session, 'scrub', session.deps.periods.scrubStep);
  const ownCell = await scrubOwn(session, session.node.scrub.ownCell, signal);
  const held = await scrubHeld(session, session.node.scrub, signal);
  await session.registry.updateNode((node) => {
    if (node === undefined) throw new BbError('INTERNAL', 'the node record is gone');
    return { ...node, scrub: { ownCell, ...held } };
  });
}

/** The task, at start and after damage was met: suspect packs are read whole, then what is bad is healed or repaired. */
export async function lookAtPacks(session: Session, signal: AbortSignal): Promise<void> {
  const { workers, catalog } = session.deps;
  const suspect = await workers.suspectPacks();
  for (const pack of suspect.peers) session.heldDamage.suspectPack(pack);
  session.ownDamage.suspect({ cellIds: Buffer.alloc(0), packs: suspect.own });
  plan(session, 'heal', 0);
  const packs = session.heldDamage.takeSuspectPacks();
  for (const held of keptLists(session)) {
    if (signal.aborted) return;
    const inPacks =
      packs.size === 0 ? [] : await cellsAt(session, held, (at) => at !== undefined && packs.has(at.pack));
    for (const cell of await damagedHeld(session, held, inPacks, signal)) {
      const [position] = await catalog.heldPositions(held.list, cell, 1);
      if (position !== undefined) session.heldDamage.add(position);
    }
    if (held.role === 'current' && (await lostCells(session, held)).length > 0) {
      planFor(session, 'repair', held.owner, 0);
    }
  }
}

/** Where to go on. */
async function scrubOwn(session: Session, from: number, signal: AbortSignal): Promise<number> {
  let at = from;
  let left = 1;
  for (let isFirst = true; left > 0 && !signal.aborted; isFirst = false) {
    const { damaged, next, total } = await session.deps.workers.scrubOwn(at, CELLS_IN_FLIGHT);
    if (isFirst) left = scrubStepCells(total, session.deps.periods);
    if (damaged.length > 0) session.ownDamage.suspect({ cellIds: damaged, packs: [] });
    if (next === 0) session.ownDamage.areChunksDoubted = true;
    // Heads have no number; they are looked at once in each pass.
    if (damaged.length > 0 || next === 0) plan(session, 'heal', 0);
    at = next;
    left = next === 0 ? 0 : left - CELLS_IN_FLIGHT;
  }
  return at;
}

async function scrubHeld(
  session: Session,
  { heldList, heldCell }: ScrubRecord,
  signal: AbortSignal,
): Promise<Pick<ScrubRecord, 'heldList' | 'heldCell'>> {
  const lists = keptLists(session);
  let left = scrubStepCells(
    lists.reduce((sum, { cells }) => sum + cells, 0),
    session.deps.periods,
  );
  for (const held of lists.filter(({ list }) => list >= heldList)) {
    for (let at = held.list === heldList ? heldCell : 0; at < held.cells; at += CELLS_IN_FLIGHT) {
      if (left <= 0 || signal.aborted) return { heldList: held.list, heldCell: at };
      const cells = numbers(at, Math.min(held.cells, at + CELLS_IN_FLIGHT));
      await noteHeldDamage(session, held, await damagedHeld(session, held, cells, signal));
      left -= cells.length;
    }
  }
  return { heldList: 0, heldCell: 0 };
}

/** In the order of their lists. */
function keptLists(session: Session): HeldRecord[] {
  return session.registry
    .held()
    .map(({ value }) => value)
    .filter(({ role, list }) => role !== 'pulling' && list >= 0)
    .sort((a, b) => a.list - b.list);
}

/** Read in small batches, so that serving and proving go on beside it. */
async function damagedHeld(
  session: Session,
  held: HeldRecord,
  cells: readonly number[],
  signal: AbortSignal,
): Promise<number[]> {
  const damaged: number[] = [];
  try {
    for (let at = 0; at < cells.length && !signal.aborted; at += CELLS_IN_FLIGHT) {
      const batch = cells.slice(at, at + CELLS_IN_FLIGHT);
      damaged.push(...(await session.deps.workers.damagedHeld(held.list, batch)));
    }
  } catch (error) {
    if (!isBbError(error, 'NOT_FOUND')) throw error; // its hold was over meanwhile
  }
  return damaged;
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at);
}
