// A storer's answer to an offered revision (docs/protocol.md, "SetContentRevision"). Invariant: nothing
// changes on a compare-and-swap mismatch, and a revision that does not fit is refused before a byte of it
// is fetched; what superseded revisions occupy by their hold never makes room for it.

import { STATE_EFFECTS } from '../contract/effects.ts';
import type { ContractState } from '../contract/state.ts';
import {
  BALLAST_BYTES,
  BLOB_CELLS,
  CELL_BYTES,
  DISK_RESERVE_PERMILLE,
  MIN_BLOB_CELLS,
  REVISIONS_PER_DAY,
} from '../limits.ts';
import { BbError } from '../errors.ts';

export type OfferFacts = {
  /** Offered id, empty with delete, and its blob size in bytes. */
  readonly contentId: Buffer;
  readonly contentBytes: number;
  readonly previousId: Buffer;
  readonly delete: boolean;
  /** Cells that the owner says we lack. */
  readonly newCells: number;

  readonly state: ContractState;
  readonly latestKnown: Buffer;
  readonly currentId: Buffer;
  /** Id of the unfinished pull, empty if none. */
  readonly pullingId: Buffer;
  readonly currentBytes: number;
  readonly largestAcknowledgedBytes: number;
  /** What the owner occupies now without its unfinished pull (charge.ts), and what it may occupy. */
  readonly chargeBytes: number;
  readonly allowanceBytes: number;
  /** Bytes that peers may still fill (bytesForPeers). */
  readonly freeBytes: number;
  /** New revisions taken from this owner in the last day. */
  readonly revisionsToday: number;
};

export type OfferDecision = {
  readonly outcome: 'ACCEPTED_PULLING' | 'REFUSED' | 'QUOTA' | 'NO_SPACE' | 'CAS_MISMATCH';
  /**
   * The offered id becomes latest_known, also when refused: it tells the owner's next recovery how new it was. A
   * delete keeps the old one, because an empty latest_known means a lost replica.
   */
  readonly recordsLatest: boolean;
  /** What follows: fetch it, make the current revision empty, or nothing. */
  readonly effect: 'pull' | 'delete' | 'none';
};

/** Bytes that peers may still fill of a file system with so many bytes free of so many in all. */
export function bytesForPeers(freeBytes: number, totalBytes: number): number {
  return Math.max(0, freeBytes - Math.max(BALLAST_BYTES, Math.ceil((totalBytes * DISK_RESERVE_PERMILLE) / 1000)));
}

/** The owner's count of new cells is a hint: no less than the growth is believed, and the pull counts again. */
export function offeredBytes(newCells: number, contentBytes: number, currentBytes: number): number {
  return Math.max(0, newCells * CELL_BYTES, contentBytes - currentBytes);
}

/** BAD_PEER_DATA if the offer itself is out of shape. */
export function decideOffer(facts: OfferFacts): OfferDecision {
  assertShape(facts);
  if (!facts.delete && isTakenAlready(facts)) return decision('ACCEPTED_PULLING', false, 'none');
  if (!facts.previousId.equals(facts.latestKnown)) return decision('CAS_MISMATCH', false, 'none');
  const { accept } = STATE_EFFECTS[facts.state];
  if (facts.delete) return decision('ACCEPTED_PULLING', false, 'delete');
  if (accept === 'none') return decision('REFUSED', true, 'none');
  if (accept === 'no-larger' && facts.contentBytes > facts.largestAcknowledgedBytes) {
    return decision('REFUSED', true, 'none');
  }
  const newBytes = offeredBytes(facts.newCells, facts.contentBytes, facts.currentBytes);
  if (facts.chargeBytes + newBytes > facts.allowanceBytes) return decision('QUOTA', true, 'none');
  if (facts.revisionsToday >= REVISIONS_PER_DAY) return decision('QUOTA', true, 'none');
  if (newBytes > facts.freeBytes) return decision('NO_SPACE', true, 'none');
  return decision('ACCEPTED_PULLING', true, 'pull');
}

/** Idempotent: the same offer again, while it is pulled or after. */
function isTakenAlready({ contentId, currentId, pullingId, latestKnown }: OfferFacts): boolean {
  return latestKnown.equals(contentId) && (currentId.equals(contentId) || pullingId.equals(contentId));
}

function assertShape({ contentId, contentBytes, newCells, delete: isDelete, previousId }: OfferFacts): void {
  const cells = contentBytes / CELL_BYTES;
  const isContent =
    contentId.length === 64 && Number.isInteger(cells) && cells >= MIN_BLOB_CELLS && cells <= BLOB_CELLS;
  const isNothing = contentId.length === 0 && contentBytes === 0 && newCells === 0;
  const isCount = Number.isInteger(newCells) && newCells >= 0 && newCells <= cells;
  const isPrevious = previousId.length === 0 || previousId.length === 64;
  if (!(isDelete ? isNothing : isContent && isCount) || !isPrevious) {
    throw new BbError('BAD_PEER_DATA', 'an offered revision is out of range');
  }
}

function decision(
  outcome: OfferDecision['outcome'],
  recordsLatest: boolean,
  effect: OfferDecision['effect'],
): OfferDecision {
  return { outcome, recordsLatest, effect };
}
