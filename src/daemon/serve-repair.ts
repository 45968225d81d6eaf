// Cells of ours that a storer had acknowledged and lost: given again within the repair allowance, or, when that is not
// enough, all of them once, while the contract is in GRACE (docs/protocol.md, "Damage").
// Invariant: what is given within the allowance is written down before it is served, so a restart gives nothing twice.

import { BLOB_CELLS } from '../core/limits.ts';
import { repairLeftCells, withRepaired } from '../core/policy/repair.ts';
import { UploadServing } from '../core/policy/serving.ts';
import type { OnionId } from '../core/ids.ts';
import { PeerRefusal } from '../core/refusal.ts';
import { updateReplica } from './replica.ts';
import { defaulted, grantRepull, needsCure } from './repull.ts';
import type { Session } from './session.ts';

export type ServingRule = {
  /** Counts a cell; throws the refusal of one that may not be served. */
  readonly take: (cell: number) => void;
  /** A cell that was counted could not be served. */
  readonly takeBack: (cell: number) => void;
};

export type Repair = ServingRule & { readonly end: () => Promise<void> };

/** How long a storer waits that had everything once: the window is days. */
const NOT_AGAIN_SECONDS = 3600;

/** For `cells` cells of a revision that this peer acknowledged. BAD_RANGE, CHALLENGE_BUSY, RATE_LIMITED. */
export async function openRepair(
  session: Session,
  peer: OnionId,
  contentId: Buffer,
  blobCells: number,
  cells: number,
): Promise<Repair> {
  const contract = session.registry.contract(peer);
  if (contract?.replica.acknowledged.equals(contentId) !== true) throw new PeerRefusal('BAD_RANGE');
  if (session.uploads.isChallenged(peer, contentId)) throw new PeerRefusal('CHALLENGE_BUSY', 1);
  if (needsCure(contract)) return openRepull(session, peer, contentId, blobCells);
  if (!(await reserve(session, peer, blobCells, cells))) {
    await defaulted(session, peer, 'the peer lost more of its copy than may be repaired');
    throw new PeerRefusal('RATE_LIMITED', 1);
  }
  let unused = cells;
  return {
    take: () => {
      unused -= 1;
    },
    takeBack: () => {
      unused += 1;
    },
    end: () => giveBack(session, peer, Math.max(0, unused)),
  };
}

async function openRepull(session: Session, peer: OnionId, contentId: Buffer, blobCells: number): Promise<Repair> {
  if (!(await grantRepull(session, peer))) throw new PeerRefusal('RATE_LIMITED', NOT_AGAIN_SECONDS);
  const open = session.uploads.serving(peer, contentId);
  const nowMs = session.deps.clock.monotonicMs();
  const serving =
    open?.kind === 'repull' ? open : new UploadServing(contentId, blobCells, () => false, nowMs, 'repull');
  if (serving !== open) session.uploads.begin(peer, serving);
  return {
    take: (cell) => {
      if (serving.serve(cell, true, session.deps.clock.monotonicMs()) !== 'serve') {
        throw new PeerRefusal('RATE_LIMITED', NOT_AGAIN_SECONDS);
      }
    },
    takeBack: (cell) => serving.takeBack(cell),
    end: () => Promise.resolve(),
  };
}

/** False when so many are not left. Judged inside the write, so that two requests cannot have the same cells. */
async function reserve(session: Session, peer: OnionId, blobCells: number, cells: number): Promise<boolean> {
  const nowSeconds = session.node.countedSeconds;
  let isGranted = false;
  await updateReplica(session, peer, (replica) => {
    isGranted = cells <= Math.min(BLOB_CELLS, repairLeftCells(replica.loss, blobCells, nowSeconds));
    return isGranted ? { ...replica, loss: withRepaired(replica.loss, cells, nowSeconds) } : replica;
  });
  return isGranted;
}

async function giveBack(session: Session, peer: OnionId, cells: number): Promise<void> {
  if (cells === 0) return;
  const nowSeconds = session.node.countedSeconds;
  await updateReplica(session, peer, (replica) => ({
    ...replica,
    loss: withRepaired(replica.loss, -cells, nowSeconds),
  }));
}
