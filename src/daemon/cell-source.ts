// The holders of one revision of our own as a source of cells, several lanes to each.
// Invariant: peer byte = hostile: what a holder was found to lack is remembered, and one that lacks much is not asked again.

import { BbError, isBbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import { CELL_BYTES, LANES_PER_HOLDER, RECOVERY_REQUESTS } from '../core/limits.ts';
import { LackingCells } from '../core/recovery/lacking-cells.ts';
import { PeerRefusal } from '../core/refusal.ts';
import type { RefusalName } from '../core/refusal.ts';
import type { RecoverySession } from '../ports/workers.ts';
import { fetchCells, runsOf } from './fetch-cells.ts';
import type { Lane } from './fetch-cells.ts';
import type { Session } from './session.ts';

/** The holders of one revision, and what they were found to lack. */
export class CellSource {
  readonly #session: Session;
  readonly #contentId: Buffer;
  readonly #work: Pick<RecoverySession, 'save'>;
  readonly #lacking = new LackingCells();

  constructor(session: Session, contentId: Buffer, work: Pick<RecoverySession, 'save'>) {
    this.#session = session;
    this.#contentId = contentId;
    this.#work = work;
  }

  /**
   * Asks once for cells by their number in this revision. `hasMoved`: something came, or was learned. Where nothing did,
   * those that broke off are left out and the others asked: who takes every call and gives nothing holds up nobody.
   */
  async round(
    wanted: readonly number[],
    keep: (peer: OnionId, cell: number, bytes: Buffer) => Promise<boolean>,
    signal: AbortSignal,
    broken: ReadonlySet<OnionId> = new Set(),
  ): Promise<{ readonly hasMoved: boolean; readonly error: unknown }> {
    const session = this.#session;
    const all = session.recovery.holdersOf(this.#contentId).map(({ peer }) => peer);
    const holders = all.filter((peer) => !broken.has(peer));
    const round = this.#lacking.nextRound(holders, wanted);
    if (round === undefined) return { hasMoved: false, error: undefined };
    let came = 0;
    const failures = await fetchCells(
      session,
      {
        contentId: this.#contentId,
        missing: runsOf(round.cells),
        lanes: lanesTo(round.peers),
        keep: async (peer, cell, bytes) => {
          if (await keep(peer, cell, bytes)) {
            came += 1;
            session.transfers.add(peer, 'recovered', CELL_BYTES);
            return true;
          }
          session.bus.emit('peer-fault', { peer, fault: 'wrong cell' });
          return false;
        },
        settle: () => this.#work.save(),
      },
      signal,
    );
    if (signal.aborted) throw new BbError('INTERRUPTED', 'the recovery was stopped');
    const learned = failures.filter(({ peer, cell, error }) => isLacking(error) && this.#lacking.add(peer, cell));
    const error = failures[0]?.error;
    if (error === undefined || came > 0 || learned.length > 0) return { hasMoved: came + learned.length > 0, error };
    const rest = await this.round(wanted, keep, signal, new Set([...broken, ...failures.map(({ peer }) => peer)]));
    return { hasMoved: rest.hasMoved, error: rest.error ?? error };
  }
}

/** The holder answered, and what it has of this cell is nothing or wrong. */
function isLacking(error: unknown): boolean {
  if (error instanceof PeerRefusal) return LACKING.has(error.refusal);
  return isBbError(error, 'BAD_PEER_DATA');
}

const LACKING = new Set<RefusalName>(['REPLICA_LOST', 'UNKNOWN_CONTENT', 'BAD_RANGE']);

/** Several lanes to each peer, a bounded number in all. */
function lanesTo(peers: readonly OnionId[]): Lane[] {
  const lanes: Lane[] = [];
  for (let lane = 1; lane <= LANES_PER_HOLDER; lane += 1) {
    for (const peer of peers) if (lanes.length < RECOVERY_REQUESTS) lanes.push({ peer, lane });
  }
  return lanes;
}
