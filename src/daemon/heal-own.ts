// Heals damage of our own cells: heads are made again, other cells come back from any storer that holds them, are sealed
// for ourselves, written once more, and the catalog is told (docs/protocol.md, "Damage"). What nobody in reach gives back
// is named by the files that need it; setting these again stores it anew.
// Invariant: peer byte = hostile: what comes back counts only if it opens to its cell_id. A damaged own cell is never
// served and never blamed on a peer.

import { blobCellCount } from '../core/challenge/plan.ts';
import { isBbError } from '../core/errors.ts';
import type { ContractRecord } from '../core/records.ts';
import type { RevisionRow } from '../ports/catalog.ts';
import { splitIds } from './commit-revision.ts';
import { fetchOwnCells, unlessDropped } from './fetch-own-cells.ts';
import { plan, planPublishAll } from './plan.ts';
import type { Suspects } from './own-damage.ts';
import type { Session } from './session.ts';

const NO_CELLS = Buffer.alloc(0);
/** Chunks that are put right at a time. */
const PLACES_PER_WRITE = 65_536;

/** The task: looks at whatever is suspect, and once more at what nobody could give back so far. */
export async function healOwn(session: Session, signal: AbortSignal): Promise<void> {
  if (session.node.mode !== 'normal') return; // a recovery brings back what is missing
  session.ownDamage.suspect({ cellIds: await session.deps.workers.takeMetDamage(), packs: [] });
  await session.ownDamage.lock.run(() => heal(session, session.ownDamage.takeSuspects(), signal));
}

/** Heals now what a check or a peer's request met in a blob of ours. */
export async function healBlobCells(
  session: Session,
  contentId: Buffer,
  cells: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  await suspectBlobCells(session, contentId, cells);
  await healOwn(session, signal);
}

/** These are looked at by the next healing, which is planned. */
export async function suspectBlobCells(session: Session, contentId: Buffer, cells: readonly number[]): Promise<void> {
  session.ownDamage.suspect(await suspectsOf(session, contentId, cells));
  plan(session, 'heal', 0);
}

/**
 * Runs a read of our own content; when it meets damage, that is healed and it runs once more. `suspect` names what it
 * read, where reading itself does not (Workers.takeMetDamage).
 */
export async function withHealing<T>(
  session: Session,
  signal: AbortSignal,
  read: () => Promise<T>,
  suspect: () => Promise<void> = () => Promise.resolve(),
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isBbError(error, 'INTEGRITY') || session.node.mode !== 'normal') throw error;
    await suspectMet(session);
    await suspect();
    await healOwn(session, signal);
    return read();
  }
}

/** Passes on what is read of our own content. What has begun cannot be read twice: damage ends it, and is healed after. */
export async function* notingDamage<T>(session: Session, items: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    if (isBbError(error, 'INTEGRITY') && session.node.mode === 'normal') {
      await suspectMet(session);
      plan(session, 'heal', 0);
    }
    throw error;
  }
}

async function suspectMet({ deps, ownDamage }: Session): Promise<void> {
  const met = await deps.workers.takeMetDamage();
  ownDamage.suspect({ cellIds: met, packs: [] });
  ownDamage.areChunksDoubted ||= met.length === 0; // no cell was bad: one could not be found
}

/** Heads have no cell id: they are looked at anyway. */
async function suspectsOf(session: Session, contentId: Buffer, cells: readonly number[]): Promise<Suspects> {
  const { catalog } = session.deps;
  const row = await catalog.revision(contentId);
  if (row === undefined) return { cellIds: NO_CELLS, packs: [] };
  const end = blobCellCount(row) - row.headCells;
  const body = cells.filter((cell) => cell >= row.headCells && cell < end);
  const ids = await Promise.all(body.map((cell) => catalog.cellIds(contentId, cell, 1)));
  return { cellIds: Buffer.concat(ids), packs: [] };
}

async function heal(session: Session, suspects: Suspects, signal: AbortSignal): Promise<void> {
  await healHeads(session);
  const damaged = splitIds(await session.deps.workers.damagedOwn(suspects.cellIds, suspects.packs));
  if (damaged.length > 0) session.bus.emit('own-cells-damaged', { cells: String(damaged.length) });
  if (damaged.some((id) => !session.ownDamage.isLost(id))) session.ownDamage.asked.clear();
  const left = damaged.length === 0 ? [] : await fetchOwnCells(session, damaged, signal);
  await placeChunks(session, signal);
  await noteLost(session, Buffer.concat(left));
  const healed = damaged.length - left.length;
  if (healed === 0) return;
  session.bus.emit('own-cells-healed', { cells: String(healed) });
  planPublishAll(session, 0); // what could not be sealed for a peer can be now
}

/** The cells say which chunks they hold, so the catalog need not be believed. Without its index nothing can be said. */
async function placeChunks(session: Session, signal: AbortSignal): Promise<void> {
  const { ownDamage, deps, contentLock, bus } = session;
  if (!ownDamage.areChunksDoubted) return;
  let isDone = false;
  try {
    while (!isDone && !signal.aborted) {
      isDone = await contentLock.run(async () => {
        if (session.newest === undefined) return true;
        const places = await deps.workers.misplacedChunks(session.newest.row, PLACES_PER_WRITE);
        await deps.catalog.placeChunks(places);
        if (places.length > 0) bus.emit('own-chunks-placed', {});
        return places.length === 0;
      });
    }
  } catch (error) {
    if (!isBbError(error, 'INTEGRITY')) throw error;
    return;
  }
  ownDamage.areChunksDoubted = !isDone;
}

/** Some storer that has a copy was not asked yet for what is lost, so it is too early to call it lost. */
export function isHealingOpen(session: Session): boolean {
  return session.registry.contracts().some((contract) => contract.state === 'ACTIVE' && isUnasked(session, contract));
}

/** Something is lost, and a storer that was not asked for it is in reach now. */
export function isHealingDue(session: Session): boolean {
  if (session.ownDamage.lost.length === 0) return false;
  return session.registry
    .contracts()
    .some((contract) => isUnasked(session, contract) && session.reach.isReachable(contract.peer));
}

function isUnasked({ ownDamage }: Session, { peer, replica }: ContractRecord): boolean {
  return replica.acknowledged.length > 0 && !ownDamage.asked.has(peer);
}

/** A head is made anew from its content id and Metadata: sealing is deterministic. */
async function healHeads(session: Session): Promise<void> {
  for (const row of await keptRevisions(session)) {
    const damaged = await damagedHeads(session, row);
    if (damaged.length > 0) await writeHeads(session, row);
  }
}

/** Bad cells of both head copies; none of a revision that was dropped meanwhile. */
export async function damagedHeads({ deps }: Session, row: RevisionRow): Promise<readonly number[]> {
  const { contentId, headCells } = row;
  const end = blobCellCount(row);
  const cells = Array.from({ length: headCells }, (_, at) => [at, end - headCells + at]).flat();
  return (await unlessDropped(() => deps.workers.damagedOfBlob(contentId, cells))) ?? [];
}

function writeHeads({ contentLock, deps, keyring, bus }: Session, row: RevisionRow): Promise<void> {
  const { contentId, metadata } = row;
  return contentLock.run(async () => {
    if ((await deps.catalog.revision(contentId)) === undefined) return; // dropped meanwhile
    const heads = [keyring.sealHead(contentId, 0, metadata), keyring.sealHead(contentId, 1, metadata)] as const;
    const { positions, marks } = await deps.workers.appendHeads(contentId, heads);
    await deps.catalog.moveOwn({ cells: [], heads: [{ contentId, positions }], marks });
    bus.emit('own-heads-healed', { sequence: String(row.sequence) });
  });
}

/** Every revision of ours that is kept for somebody. */
export async function keptRevisions(session: Session): Promise<RevisionRow[]> {
  const ids = new Map<string, Buffer>();
  const add = (id: Buffer) => ids.set(id.toString('base64'), id);
  if (session.newest !== undefined) add(session.newest.row.contentId);
  for (const { replica } of session.registry.contracts()) for (const id of replica.lists) add(id);
  for (const fork of session.node.forks) add(fork);
  const rows = await Promise.all([...ids.values()].map((id) => session.deps.catalog.revision(id)));
  return rows.filter((row) => row !== undefined);
}

async function noteLost(session: Session, lost: Buffer): Promise<void> {
  const { ownDamage, deps, newest } = session;
  if (lost.length === 0 && ownDamage.lost.length === 0) return;
  await deps.workers.setLost(lost);
  const files = lost.length === 0 || newest === undefined ? undefined : await deps.workers.filesOfLost(newest.row);
  const isNews = !lost.equals(ownDamage.lost);
  ownDamage.setLost(lost, files);
  if (!isNews || lost.length === 0) return;
  session.bus.emit('own-cells-lost', { cells: String(splitIds(lost).length), files: String(files?.files ?? 0) });
}
