// What the content of a peer costs here, and what of it still fits: the promise to this peer, and the disk.
// Invariant: what counts is what a plan really names; how much of it is new is only the owner's word before that.

import { chargeBytes } from '../core/contract/charge.ts';
import { BbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import { CELL_BYTES } from '../core/limits.ts';
import { bytesForPeers } from '../core/policy/offer.ts';
import type { HeldRecord } from '../core/records.ts';
import { giveBytes } from './agreed-bytes.ts';
import type { Session } from './session.ts';

/** What those of an owner's lists that count cost of its allowance, in bytes. */
export async function chargeOf(
  session: Session,
  owner: OnionId,
  counts: (held: HeldRecord) => boolean = () => true,
): Promise<number> {
  const held = session.registry.heldOf(owner).filter(({ value }) => value.list >= 0 && counts(value));
  const kept = held.filter(({ value }) => value.role === 'kept');
  return chargeBytes({
    distinctCells: await session.deps.catalog.heldDistinctCells(held.map(({ value }) => value.list)),
    keptEntries: kept.reduce((sum, { value }) => sum + value.cells, 0),
  });
}

/** Bytes of the disk that peers may still fill. */
export async function freeForPeers({ deps }: Session): Promise<number> {
  return bytesForPeers(await deps.dataDir.freeBytes(), await deps.dataDir.totalBytes());
}

/** A planned pull fits: OVER_BUDGET when it goes beyond what was promised, NO_SPACE beyond what the disk can take. */
export async function requireFit(session: Session, { owner, list, cells }: HeldRecord): Promise<void> {
  const contract = session.registry.contract(owner);
  const promised = contract === undefined ? 0 : giveBytes(session, contract);
  if ((await chargeOf(session, owner)) > promised) throw new BbError('OVER_BUDGET', 'this is more than was promised');
  await requireSpace(session, (await session.deps.catalog.heldMissing(list, 0, cells)).length);
}

/** NO_SPACE when the disk has no room for so many cells more. */
export async function requireSpace(session: Session, cells: number): Promise<void> {
  if (cells * CELL_BYTES > (await freeForPeers(session))) throw new BbError('NO_SPACE', 'the disk is too full');
}
