// The blobs that we keep for owners, as records: which is current, which is being pulled, which are
// kept for their hold. Dropping one frees its cells.
// Invariant: promised = kept: a revision that was reported as held leaves only when its hold is over.

import type { OnionId } from '../core/ids.ts';
import type { HeldRecord, RecordId } from '../core/records.ts';
import { signedTermsOf } from '../core/contract/terms.ts';
import { holdSecondsNow } from '../core/contract/transition.ts';
import { PERIODS_MS } from '../core/policy/periods.ts';
import { thinnedLists } from '../core/policy/thin-lists.ts';
import { plan } from './plan.ts';
import type { Session } from './session.ts';

/** Time is counted once a tick: a hold that begins between two of them would else end up to a tick too early. */
const UNCOUNTED_SECONDS = PERIODS_MS.tick / 1000;

export type Held = { readonly id: RecordId; readonly value: HeldRecord };

export function currentHeld(session: Session, owner: OnionId): Held | undefined {
  return session.registry.heldOf(owner).find(({ value }) => value.role === 'current');
}

/** The newest revision that is being pulled from this owner. */
export function pullTarget(session: Session, owner: OnionId): Held | undefined {
  return pulling(session, owner).toSorted((a, b) => b.value.sinceMs - a.value.sinceMs)[0];
}

/**
 * Begins to pull a revision. An older unfinished one stays until the new plan is known, so that its cells are reused; one
 * without a plan has no cells and is replaced, so that an owner whose plans never come has one record here, not many.
 */
export function addPulling(
  session: Session,
  owner: OnionId,
  content: { readonly contentId: Buffer; readonly root: Buffer; readonly cells: number },
): Promise<void> {
  return session.registry.changeHeld(() => {
    const older = pulling(session, owner);
    const newestMs = Math.max(0, ...older.map(({ value }) => value.sinceMs + 1));
    return {
      puts: [
        {
          id: undefined,
          value: {
            owner,
            ...content,
            list: -1,
            role: 'pulling',
            sinceMs: Math.max(session.deps.clock.nowMs(), newestMs),
            holdEndSeconds: 0,
            currentSeconds: 0,
            keptSeconds: 0,
            reported: false,
          },
        },
      ],
      deletes: older.filter(({ value }) => value.list < 0).map(({ id }) => id),
    };
  });
}

/**
 * The plan of a pull is known: older unfinished pulls of this owner are given up, a newer one is not. False when this
 * pull itself was replaced meanwhile; its list is dropped then.
 */
export async function setPulledList(session: Session, target: Held, list: number): Promise<boolean> {
  let dropped = [list];
  await session.registry.changeHeld(() => {
    const all = pulling(session, target.value.owner);
    if (!all.some(({ id }) => id === target.id)) return { puts: [], deletes: [] };
    const older = all.filter(({ value }) => value.sinceMs < target.value.sinceMs);
    dropped = older.map(({ value }) => value.list);
    return { puts: [{ id: target.id, value: { ...target.value, list } }], deletes: older.map(({ id }) => id) };
  });
  for (const old of dropped) await dropList(session, old);
  return !dropped.includes(list);
}

/** Gives up a pull and the older ones whose cells it was to reuse; a newer offer stays. */
export async function dropPull(session: Session, target: Held): Promise<void> {
  let dropped: readonly Held[] = [];
  await session.registry.changeHeld(() => {
    dropped = pulling(session, target.value.owner).filter(({ value }) => value.sinceMs <= target.value.sinceMs);
    return { puts: [], deletes: dropped.map(({ id }) => id) };
  });
  for (const { value } of dropped) await dropList(session, value.list);
}

/** The pulled revision is complete and durable: it becomes the current one. */
export async function switchHeld(session: Session, target: Held): Promise<void> {
  const current = currentHeld(session, target.value.owner);
  const keep = current !== undefined && current.value.reported;
  const currentSeconds = session.node.countedSeconds;
  const puts = [
    { id: target.id, value: { ...target.value, role: 'current' as const, currentSeconds, reported: false } },
  ];
  await session.registry.changeHeld(() => ({
    puts: keep ? [...puts, { id: current.id, value: kept(session, current.value) }] : puts,
    deletes: current === undefined || keep ? [] : [current.id],
  }));
  if (current !== undefined && !keep) await dropList(session, current.value.list);
}

/** The owner deleted its content: the current revision is kept for its hold. */
export async function retireCurrent(session: Session, owner: OnionId): Promise<void> {
  const current = currentHeld(session, owner);
  if (current === undefined) return;
  await session.registry.changeHeld(() => ({
    puts: [{ id: current.id, value: kept(session, current.value) }],
    deletes: [],
  }));
}

export async function markReported(session: Session, id: RecordId): Promise<void> {
  const held = session.registry.held().find((other) => other.id === id);
  if (held === undefined || held.value.reported) return;
  await session.registry.changeHeld(() => ({ puts: [{ id, value: { ...held.value, reported: true } }], deletes: [] }));
}

/** True when a hold is over, and once in an hour, which is as fine as history is thinned. */
export function areHoldsDue(session: Session): boolean {
  const seconds = session.node.countedSeconds;
  const hour = Math.floor((seconds * 1000) / PERIODS_MS.thinFine);
  if (session.thinnedHour === hour) {
    return session.registry.held().some(({ value }) => value.role === 'kept' && value.holdEndSeconds <= seconds);
  }
  session.thinnedHour = hour;
  return true;
}

/** Drops kept revisions whose hold is over, and those that the thinning of history lets go. Returns how many. */
export async function dropExpiredHolds(session: Session): Promise<number> {
  const seconds = session.node.countedSeconds;
  const keptLists = session.registry.held().filter(({ value }) => value.role === 'kept');
  const byOwner = Map.groupBy(
    keptLists.map(({ value }) => value),
    ({ owner }) => owner,
  );
  const thinned = new Set([...byOwner.values()].flatMap((lists) => thinnedLists(lists, seconds, PERIODS_MS)));
  const over = keptLists.filter(({ value }) => value.holdEndSeconds <= seconds || thinned.has(value));
  for (const { id, value } of over) {
    await session.registry.changeHeld(() => ({ puts: [], deletes: [id] }));
    await dropList(session, value.list);
  }
  return over.length;
}

/** Drops everything of an owner whose contract is over, but what a hold still keeps. */
export async function dropReleased(session: Session, owner: OnionId): Promise<void> {
  const free = session.registry.heldOf(owner).filter(({ value }) => value.role !== 'kept');
  await session.registry.changeHeld(() => ({ puts: [], deletes: free.map(({ id }) => id) }));
  for (const { value } of free) await dropList(session, value.list);
}

function pulling(session: Session, owner: OnionId): Held[] {
  return session.registry.heldOf(owner).filter(({ value }) => value.role === 'pulling');
}

function kept(session: Session, value: HeldRecord): HeldRecord {
  const keptSeconds = session.node.countedSeconds;
  const holdEndSeconds = keptSeconds + UNCOUNTED_SECONDS + holdSeconds(session, value.owner);
  return { ...value, role: 'kept', keptSeconds, holdEndSeconds };
}

function holdSeconds(session: Session, owner: OnionId): number {
  const contract = session.registry.contract(owner);
  return contract === undefined
    ? 0
    : holdSecondsNow(contract, signedTermsOf(contract.terms), session.node.countedSeconds);
}

/** Frees the cells that only this list names; packs that became empty go with them. */
export async function dropList(session: Session, list: number): Promise<void> {
  if (list < 0) return;
  // Nothing may be on its way into a pack while it is judged whether that is empty.
  await session.cellsLock.run(async () => removePacks(session, await session.deps.catalog.dropHeldList(list)));
  plan(session, 'rewrite', session.deps.periods.tick);
}

/** Packs that the catalog knows no more; readers let go of their files, too. */
export async function removePacks({ cells, deps }: Session, packs: readonly number[]): Promise<void> {
  for (const pack of packs) await cells.removePack(pack);
  if (packs.length > 0) await deps.workers.forgetPacks(packs);
}
