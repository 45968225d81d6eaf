// Whether a peer fetches what it is offered: the facts behind COPY_STALE (core/contract/reasons). What was served is
// counted in memory; the moment of the last fair progress is in the record, so that a restart forgives nothing and blames
// nothing.

import type { OnionId } from '../core/ids.ts';
import { CELL_BYTES } from '../core/limits.ts';
import { PERIODS_MS } from '../core/policy/periods.ts';
import type { ContractRecord, ReplicaRecord } from '../core/records.ts';
import { blobCellCount } from '../core/challenge/plan.ts';
import { getBytes } from './agreed-bytes.ts';
import type { Session } from './session.ts';

export type OfferFacts = {
  readonly offerOpenMs: number | undefined;
  readonly missingCells: number;
  readonly fetchedCells: number;
  readonly excused: boolean;
};

/** Served bytes of each peer at the last progress that counted. */
export class ProgressMarks {
  readonly #bytes = new Map<OnionId, number>();

  /** True if at least `cells` were served since the last time this was true. */
  hasServed(peer: OnionId, servedBytes: number, cells: number): boolean {
    const mark = this.#bytes.get(peer);
    if (mark === undefined || servedBytes - mark >= cells * CELL_BYTES) this.#bytes.set(peer, servedBytes);
    return mark !== undefined && servedBytes - mark >= cells * CELL_BYTES;
  }
}

/** Counted seconds of the last fair progress, now. */
export function progressSeconds(session: Session, { peer, replica }: ContractRecord): number {
  const served = session.transfers.of(peer).served;
  const isProgress = session.progressMarks.hasServed(peer, served, Math.max(1, missingCells(session) / 100));
  return isProgress ? session.node.countedSeconds : replica.progressSeconds;
}

export function offerFacts(session: Session, contract: ContractRecord, replica: ReplicaRecord): OfferFacts {
  const { peer } = contract;
  const isOpen = replica.offered.length > 0 && !replica.offered.equals(replica.acknowledged);
  const nowSeconds = session.node.countedSeconds;
  const missing = missingCells(session);
  const isFresh = (nowSeconds - replica.progressSeconds) * 1000 < PERIODS_MS.uploadStallWindow;
  return {
    offerOpenMs: isOpen ? (nowSeconds - replica.offerSeconds) * 1000 : undefined,
    missingCells: missing,
    fetchedCells: isFresh ? missing : 0,
    excused: isExcused(session, peer, contract),
  };
}

/** No more than the newest revision can be missing. */
function missingCells({ newest }: Session): number {
  return newest === undefined ? 0 : blobCellCount(newest.row);
}

/** A full allowance is our fault, who owes no copy takes none, and who has us in GRACE or worse need not take anything new. */
function isExcused(session: Session, peer: OnionId, contract: ContractRecord): boolean {
  if (getBytes(session, contract) === 0) return true;
  const towardsUs = session.peerStates.get(peer);
  if (towardsUs === 'GRACE' || towardsUs === 'EXPIRED' || towardsUs === 'ENDING') return true;
  const { newest } = session;
  if (newest === undefined || session.uploads.refusal(peer, newest.row.contentId) !== 'QUOTA') return false;
  return missingCells(session) * CELL_BYTES > getBytes(session, contract);
}
