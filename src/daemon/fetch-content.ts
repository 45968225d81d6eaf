// Fetches the cells of one revision of our own from all its holders at once, several lanes to each; where they give no
// more, from holders of other revisions that have the same cells (docs/protocol.md, "Recovery").
// Invariant: peer byte = hostile: the worker keeps a cell only if it opens under its holder's key to its cell_id, whatever
// revision it was asked for by. Accepted cells are durable before the next ones are asked for.

import { BbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import { CELL_BYTES, PULL_WINDOW_CELLS } from '../core/limits.ts';
import type { RevisionRow } from '../ports/catalog.ts';
import type { RecoverySession } from '../ports/workers.ts';
import { CellSource } from './cell-source.ts';
import type { Job } from './jobs.ts';
import { OlderCells } from './older-cells.ts';
import type { Session } from './session.ts';

export type Fetch = {
  readonly row: RevisionRow;
  readonly work: RecoverySession;
  readonly job: Job;
  /** Something else became more urgent: what came is kept, and INTERRUPTED is thrown. */
  isOver(): boolean;
  onCounts(counts: { readonly done: number; readonly total: number; readonly indexDone: boolean }): void;
  onCell(): void;
};

/** True when nothing is wanted any more, false when everybody has said of each wanted cell that it cannot give it. */
export async function fetchContent(session: Session, fetch: Fetch, signal: AbortSignal): Promise<boolean> {
  const { work, row } = fetch;
  const own = new CellSource(session, row.contentId, work);
  const older = new OlderCells(session, row, work);
  for (;;) {
    if (fetch.isOver()) throw new BbError('INTERRUPTED', 'another revision is to be restored');
    const counts = await work.counts();
    fetch.onCounts(counts);
    fetch.job.progress(counts.indexDone ? 'data' : 'index', counts.done * CELL_BYTES, counts.total * CELL_BYTES);
    const wanted = await work.wanted(PULL_WINDOW_CELLS);
    if (wanted.length === 0) return true;
    const keep = async (peer: OnionId, cell: number, bytes: Buffer): Promise<boolean> => {
      if (!(await work.offer(peer, cell, bytes))) return false;
      fetch.onCell();
      return true;
    };
    const round = await own.round(wanted, keep, signal);
    if (round.hasMoved) continue;
    // A cut says nothing about what the holder has, and nobody waits for it while others have the same cells.
    if (await older.round(keep, signal)) continue;
    if (round.error !== undefined) throw asPeerError(round.error);
    return false;
  }
}

function asPeerError(error: unknown): BbError {
  return new BbError('PEER_UNREACHABLE', 'the peers that hold the content cannot be reached', { cause: error });
}
