// Fetches own cells that were damaged here from the storers that hold them: one storer after the other, each asked for
// what is still missing, by its place in the revision that it acknowledged (docs/protocol.md, "Damage").
// Invariant: peer byte = hostile: a cell is kept only if it opens under its cell_id with the key of this storer; wrong
// bytes from one storer mean that the next one is asked.

import { CELL_KIND } from '../core/crypto/cell-seal.ts';
import { isBbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import { CELL_BYTES, CELLS_IN_FLIGHT } from '../core/limits.ts';
import { PeerRefusal } from '../core/refusal.ts';
import type { RevisionRow } from '../ports/catalog.ts';
import type { CellFromPeer } from '../ports/workers.ts';
import { splitIds } from './commit-revision.ts';
import { fetchCells, runsOf } from './fetch-cells.ts';
import type { Session } from './session.ts';

/** Cells of a revision whose ids are looked up at a time. */
const IDS_PER_READ = 1024;
const LANE = 1;

/** Heals what can be healed and gives back the ids of the rest. */
export async function fetchOwnCells(
  session: Session,
  damaged: readonly Buffer[],
  signal: AbortSignal,
): Promise<readonly Buffer[]> {
  const wanted = new Map(damaged.map((id) => [nameOf(id), id]));
  for (const { peer, replica } of session.registry.contracts()) {
    if (wanted.size === 0 || signal.aborted) break;
    if (replica.acknowledged.length === 0 || !session.reach.isReachable(peer)) continue;
    const row = await session.deps.catalog.revision(replica.acknowledged);
    if (row !== undefined) await fetchFrom(session, peer, row, wanted, signal);
    if (session.reach.isReachable(peer)) session.ownDamage.asked.add(peer);
  }
  return [...wanted.values()];
}

/** Takes out of `wanted` what this storer gave. */
async function fetchFrom(
  session: Session,
  peer: OnionId,
  row: RevisionRow,
  wanted: Map<string, Buffer>,
  signal: AbortSignal,
): Promise<void> {
  const places = await unlessDropped(() => placesIn(session, row, wanted));
  if (places === undefined) return;
  const batch: CellFromPeer[] = [];
  const flush = async () => {
    for (const id of await writeHealed(session, peer, batch.splice(0))) wanted.delete(nameOf(id));
  };
  const keep = async (_peer: OnionId, cell: number, bytes: Buffer): Promise<boolean> => {
    const cellId = places.get(cell);
    const kind = cell < row.headCells + row.indexCells ? CELL_KIND.INDEX : CELL_KIND.DATA;
    if (cellId === undefined || !(await session.deps.workers.isOwnCell(peer, kind, { cellId, bytes }))) {
      session.bus.emit('peer-fault', { peer, fault: 'wrong cell' });
      return false;
    }
    places.delete(cell);
    session.transfers.add(peer, 'recovered', CELL_BYTES);
    batch.push({ cellId, bytes: Buffer.from(bytes) });
    if (batch.length >= CELLS_IN_FLIGHT) await flush();
    return true;
  };
  while (places.size > 0 && !signal.aborted) {
    const missing = runsOf([...places.keys()].sort((a, b) => a - b));
    const lanes = [{ peer, lane: LANE }];
    const job = { contentId: row.contentId, missing, lanes, keep, settle: flush };
    const [failure] = await fetchCells(session, job, signal);
    if (failure !== undefined && !isLacking(failure.error)) break;
    // This one is lost or wrong there, too; the others may be good.
    if (failure !== undefined) places.delete(failure.cell);
  }
  await flush();
}

/** Where the wanted cells are in this revision: number in the blob -> id. */
async function placesIn(
  { deps }: Session,
  row: RevisionRow,
  wanted: ReadonlyMap<string, Buffer>,
): Promise<Map<number, Buffer>> {
  const places = new Map<number, Buffer>();
  const end = row.headCells + row.indexCells + row.dataCells;
  for (let from = row.headCells; from < end; from += IDS_PER_READ) {
    const ids = splitIds(await deps.catalog.cellIds(row.contentId, from, Math.min(IDS_PER_READ, end - from)));
    for (const [at, id] of ids.entries()) if (wanted.has(nameOf(id))) places.set(from + at, id);
  }
  return places;
}

/** Undefined when the revision that this is about was superseded and dropped meanwhile. */
export async function unlessDropped<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isBbError(error, 'NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Durable and read back, then known to the catalog; gives the ids of what was written. */
function writeHealed(session: Session, peer: OnionId, batch: readonly CellFromPeer[]): Promise<readonly Buffer[]> {
  if (batch.length === 0) return Promise.resolve([]);
  const { contentLock, deps } = session;
  return contentLock.run(async () => {
    const { positions, marks } = await deps.workers.healCells(peer, batch);
    const cells = batch.flatMap(({ cellId }, at) => {
      const position = positions[at];
      return position === undefined ? [] : [{ cellId, position }];
    });
    await deps.catalog.moveOwn({ cells, heads: [], marks });
    return cells.map(({ cellId }) => cellId);
  });
}

/** The storer answered, and does not have this cell as it should be. */
function isLacking(error: unknown): boolean {
  if (error instanceof PeerRefusal) return error.refusal === 'REPLICA_LOST' || error.refusal === 'UNKNOWN_CONTENT';
  return isBbError(error, 'BAD_PEER_DATA');
}

function nameOf(cellId: Buffer): string {
  return cellId.toString('latin1');
}
