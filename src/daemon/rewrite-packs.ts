// Gives back the space of packs in which little is needed any more: what is needed is copied to another pack, a few cells
// at a time, and a pack in which nothing is left goes (docs/protocol.md, "Commit").
// Invariant: acknowledged = durable: a cell lies at its old place until the copy is durable, read back and named by the
// catalog; the old pack goes only when nothing in it is needed and that cannot be forgotten any more. So a cut at any step
// loses nothing, and the next run goes on. What is bad is never copied: it is confessed and fetched again.

import { leafHash } from '../core/content/merkle.ts';
import { equalBytes } from '../core/crypto/compare.ts';
import { BbError, isBbError } from '../core/errors.ts';
import { CELLS_IN_FLIGHT, REWRITE_RUN_CELLS } from '../core/limits.ts';
import { worthRewriting } from '../core/policy/packs.ts';
import type { HeldMove } from '../ports/catalog.ts';
import type { CellPosition, CellToAppend } from '../ports/cell-store.ts';
import { removePacks } from './held.ts';
import { plan } from './plan.ts';
import type { Session } from './session.ts';

/** The task, after something was let go. */
export async function rewriteHeld(session: Session, signal: AbortSignal): Promise<void> {
  await rewritePacks(session, signal);
}

/** One bounded run; returns how many packs went. What is left is planned again. */
export async function rewritePacks(session: Session, signal: AbortSignal): Promise<number> {
  const packs = worthRewriting(await session.deps.catalog.heldPackUse()).map(({ pack }) => pack);
  const moved = await moveAll(session, packs, signal);
  const gone = packs.length === 0 ? [] : await dropEmpty(session, packs);
  if (gone.length > 0) session.bus.emit('packs-rewritten', { packs: String(gone.length) });
  if (moved >= REWRITE_RUN_CELLS) plan(session, 'rewrite', session.deps.periods.tick);
  return gone.length;
}

/** Returns how many cells moved. A full disk ends it: packs in which nothing is left give back their space all the same. */
async function moveAll(session: Session, packs: readonly number[], signal: AbortSignal): Promise<number> {
  let moved = 0;
  try {
    for (const pack of packs) {
      for (let slot: number | undefined = 0; slot !== undefined && moved < REWRITE_RUN_CELLS && !signal.aborted; ) {
        const limit = Math.min(REWRITE_RUN_CELLS - moved, CELLS_IN_FLIGHT);
        const some = await moveSome(session, pack, slot, limit);
        moved += some.moved;
        slot = some.next;
      }
    }
  } catch (error) {
    if (!isBbError(error, 'NO_SPACE')) throw error;
  }
  return moved;
}

function dropEmpty(session: Session, packs: readonly number[]): Promise<readonly number[]> {
  return session.cellsLock.run(async () => {
    const gone = await session.deps.catalog.dropHeldPacks(packs);
    await removePacks(session, gone);
    return gone;
  });
}

/** Cells of a pack from this slot on. `next`: where to go on, undefined when that was the last. */
function moveSome(
  session: Session,
  pack: number,
  slot: number,
  limit: number,
): Promise<{ readonly moved: number; readonly next: number | undefined }> {
  const { cells, cellsLock, deps, heldDamage } = session;
  return cellsLock.run(async () => {
    await cells.retirePack(pack);
    const places = await deps.catalog.heldInPack(pack, slot, limit);
    const good: { readonly from: CellPosition; readonly cell: CellToAppend }[] = [];
    for (const from of places) {
      const cell = await readWhole(session, from);
      if (cell !== undefined) good.push({ from, cell });
      else heldDamage.add(from);
    }
    if (good.length < places.length) plan(session, 'packs', 0);
    if (good.length > 0) await moveCells(session, good);
    const last = places.length < limit ? undefined : places.at(-1);
    return { moved: good.length, next: last === undefined ? undefined : last.slot + 1 };
  });
}

/** The caller holds session.cellsLock: between append and the word of the catalog nothing else may sync. */
async function moveCells(
  { cells, deps }: Session,
  good: readonly { readonly from: CellPosition; readonly cell: CellToAppend }[],
): Promise<void> {
  const places = await cells.append(good.map(({ cell }) => cell));
  const marks = await cells.sync();
  const moves: HeldMove[] = [];
  for (const [index, to] of places.entries()) {
    const { from, cell } = good[index] ?? {};
    if (from === undefined || cell === undefined) continue;
    if (!equalBytes(leafHash(await cells.read(to)), cell.leaf)) {
      throw new BbError('INTEGRITY', 'a moved cell does not read back as it was written');
    }
    moves.push({ from, to });
  }
  await deps.catalog.moveHeld(moves, marks);
}

/** As it was appended; undefined when it is damaged. */
async function readWhole({ cells }: Session, position: CellPosition): Promise<CellToAppend | undefined> {
  try {
    const trailer = await cells.readTrailer(position);
    const bytes = await cells.read(position);
    return trailer !== undefined && equalBytes(leafHash(bytes), trailer.leaf) ? { ...trailer, bytes } : undefined;
  } catch (error) {
    if (isBbError(error, 'INTEGRITY')) return undefined;
    throw error;
  }
}
