// A storer fetches an accepted revision: first the plan (leaves and references), then what is missing,
// over several lanes. Resume after a cut, a changed target and a first pull are this one procedure.
// Invariant: acknowledged = durable: the revision becomes current only when its tree root was verified
// and every cell of it is durable; until then the old one is served. What does not fit, and what its owner cannot
// give, is let go in whole: the owner may offer it again.

import { HASH_BYTES, leafHash, MerkleRoot } from '../core/content/merkle.ts';
import { BbError, invariant, isBbError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import {
  BULK_LANES,
  CELL_BYTES,
  CELLS_IN_FLIGHT,
  LEAVES_PER_READ,
  PULL_FAULTS,
  PULL_WINDOW_CELLS,
} from '../core/limits.ts';
import { CELL_KIND } from '../core/crypto/cell-seal.ts';
import { equalBytes } from '../core/crypto/compare.ts';
import { pubkeyFromOnionId } from '../core/ids.ts';
import { backOffMs } from '../core/policy/back-off.ts';
import { DownloadPlan } from '../core/policy/download-plan.ts';
import type { PlannedRun } from '../core/policy/download-plan.ts';
import { PeerRefusal } from '../core/refusal.ts';
import type { PullState } from '../ports/peer-client.ts';
import { requireFit, requireSpace } from './allowance.ts';
import { meet } from './contact.ts';
import { fetchCells, runsOf } from './fetch-cells.ts';
import { currentHeld, dropPull, pullTarget, setPulledList, switchHeld } from './held.ts';
import type { Held } from './held.ts';
import type { Job } from './jobs.ts';
import { planFor } from './plan.ts';
import { PullTurn } from './pull-turn.ts';
import type { Session } from './session.ts';

/** The task: pull what was accepted; a cut pull is planned again. */
export async function pullTask(session: Session, owner: OnionId, signal: AbortSignal): Promise<void> {
  const target = pullTarget(session, owner);
  if (target === undefined) {
    // Offered again what is here: the owner has missed our report.
    if (currentHeld(session, owner) !== undefined) await meet(session, owner, signal);
    return;
  }
  const job = session.jobs.start('pull');
  const turn = new PullTurn(session);
  try {
    await pull(session, target, job, turn, AbortSignal.any([signal, turn.signal]));
    job.end('done');
    session.pullFailures.delete(owner);
  } catch (error) {
    job.end('failed');
    if (signal.aborted) return;
    if (turn.signal.aborted) return planFor(session, 'pull', owner, 0); // after those that wait
    session.deps.log.debug('pull failed', { detail: String(error) });
    await pullFailed(session, target, error);
    return;
  } finally {
    turn.end();
  }
  await meet(session, owner, signal); // tells the owner; if it cannot be told now, the next contact or tick does
}

/** Tried again after a while, or let go: at once when it does not fit, after PULL_FAULTS when it is the owner's fault. */
async function pullFailed(session: Session, target: Held, error: unknown): Promise<void> {
  const { owner } = target.value;
  if (isSuperseded(session, target, error)) return superseded(session, target);
  const misfit = isBbError(error) ? MISFITS[error.code] : undefined;
  const { tries, faults } = session.pullFailures.get(owner) ?? { tries: 0, faults: 0 };
  const failures = { tries: tries + 1, faults: faults + (isOwnersFault(error) ? 1 : 0) };
  session.pullFailures.set(owner, failures);
  session.bus.emit('pull-failed', { peer: owner, reason: reasonOf(error) });
  if (misfit !== undefined || (failures.faults >= PULL_FAULTS && isOwnersFault(error))) {
    await dropPull(session, target);
    await settlePull(session, owner, misfit ?? 'NONE');
    session.bus.emit('pull-dropped', { peer: owner, reason: misfit ?? reasonOf(error) });
  }
  if (pullTarget(session, owner) === undefined) return;
  planRetry(session, owner, tries);
}

/** The owner has a newer revision, whose offer is here or on its way: expected, and counted against nobody. */
function isSuperseded(session: Session, target: Held, error: unknown): boolean {
  const isSaid = error instanceof PeerRefusal && error.refusal === 'SUPERSEDED';
  return isSaid || isNewerHere(session, target);
}

function isNewerHere(session: Session, { id, value }: Held): boolean {
  const now = pullTarget(session, value.owner);
  return now !== undefined && now.id !== id;
}

/** What was fetched stays: the plan of the newer one reuses it. Without a newer offer it is tried again as after a cut. */
function superseded(session: Session, target: Held): void {
  const { owner } = target.value;
  session.bus.emit('pull-superseded', { peer: owner });
  if (isNewerHere(session, target)) return planFor(session, 'pull', owner, 0);
  const { tries, faults } = session.pullFailures.get(owner) ?? { tries: 0, faults: 0 };
  session.pullFailures.set(owner, { tries: tries + 1, faults });
  planRetry(session, owner, tries);
}

function planRetry(session: Session, owner: OnionId, tries: number): void {
  const { publishRetry, publishRetryMax } = session.deps.periods;
  planFor(session, 'pull', owner, backOffMs(tries, publishRetry, publishRetryMax));
}

const MISFITS: Partial<Record<ErrorCode, 'QUOTA' | 'NO_SPACE'>> = { OVER_BUDGET: 'QUOTA', NO_SPACE: 'NO_SPACE' };

/** The owner answered, and what it said can never become the revision that it offered. */
function isOwnersFault(error: unknown): boolean {
  if (error instanceof PeerRefusal) return error.refusal === 'UNKNOWN_CONTENT' || error.refusal === 'BAD_RANGE';
  return isBbError(error, 'BAD_PEER_DATA');
}

function reasonOf(error: unknown): string {
  if (error instanceof PeerRefusal) return error.refusal;
  return isBbError(error) ? error.code : 'INTERNAL';
}

async function pull(session: Session, target: Held, job: Job, turn: PullTurn, signal: AbortSignal): Promise<void> {
  const { owner } = target.value;
  const planned = target.value.list >= 0 ? target : await fetchPlan(session, target, signal);
  if (planned !== undefined) {
    await requireFit(session, planned.value);
    await fetchMissing(session, planned, job, turn, signal);
  }
  if (planned === undefined || turn.isOver || pullTarget(session, owner)?.id !== target.id) {
    planFor(session, 'pull', owner, 0); // others wait; or a newer offer came meanwhile, and its plan reuses what is here
    return;
  }
  await switchHeld(session, planned);
  session.untold.add(owner);
  await settlePull(session, owner, 'NONE');
  session.bus.emit('revision-held', { peer: owner, cells: String(planned.value.cells) });
}

/** Undefined when a newer offer replaced this one while its plan was fetched. */
async function fetchPlan(session: Session, target: Held, signal: AbortSignal): Promise<Held | undefined> {
  const { owner, cells, contentId, root } = target.value;
  const current = currentHeld(session, owner);
  const plan = new DownloadPlan(cells, current?.value.cells ?? 0);
  const leaves = Buffer.alloc(cells * HASH_BYTES);
  const tree = new MerkleRoot();
  const request = {
    contentId,
    offset: 0,
    length: 0,
    referenceContentId: current?.value.contentId ?? Buffer.alloc(0),
    repair: false,
    leaves: true,
  };
  for await (const section of session.client.download(owner, request, 1, { signal })) {
    if (section.kind === 'head') {
      if (section.totalBytes !== cells * CELL_BYTES) throw new BbError('BAD_PEER_DATA', 'the blob has another size');
      continue;
    }
    if (section.kind === 'raw') throw new BbError('BAD_PEER_DATA', 'a plan has no raw bytes');
    const run = plan.add(section);
    for (let at = 0; at < run.cells; at += LEAVES_PER_READ) {
      const part = await leavesOf(session, run, current, at, Math.min(LEAVES_PER_READ, run.cells - at));
      part.copy(leaves, (run.cell + at) * HASH_BYTES);
      for (let leaf = 0; leaf < part.length; leaf += HASH_BYTES) tree.push(part.subarray(leaf, leaf + HASH_BYTES));
    }
  }
  plan.finish();
  if (!equalBytes(tree.root(), root)) throw new BbError('BAD_PEER_DATA', 'the tree root is wrong');
  const list = await session.deps.catalog.createHeldList(owner, leaves);
  if (!(await setPulledList(session, target, list))) return undefined;
  return { id: target.id, value: { ...target.value, list } };
}

/** `count` leaves from the `at`-th cell of a planned run on: sent by the owner, or of the revision that we hold. */
async function leavesOf(
  { deps }: Session,
  run: PlannedRun,
  current: Held | undefined,
  at: number,
  count: number,
): Promise<Buffer> {
  if (run.kind === 'leaves') return run.leaves.subarray(at * HASH_BYTES, (at + count) * HASH_BYTES);
  invariant(current !== undefined, 'a plan without a reference has no references');
  return deps.catalog.heldLeaves(current.value.list, run.referenceCell + at, count);
}

async function fetchMissing(
  session: Session,
  target: Held,
  job: Job,
  turn: PullTurn,
  signal: AbortSignal,
): Promise<void> {
  const { owner, cells, list, contentId } = target.value;
  const { catalog } = session.deps;
  const writer = new HeldWriter(session, owner);
  let fetched = 0;
  let from = 0;
  for (;;) {
    const missing = await catalog.heldMissing(list, from, PULL_WINDOW_CELLS);
    const [first] = missing;
    if (first === undefined || turn.isOver) return;
    from = first;
    await requireSpace(session, missing.length); // others fill the disk, too
    const before = fetched;
    const failures = await fetchCells(
      session,
      {
        contentId,
        missing: runsOf(missing),
        lanes: lanesTo(owner),
        keep: async (_peer, cell, bytes) => {
          const leaf = leafHash(bytes);
          if (!equalBytes(leaf, await catalog.heldLeaves(list, cell, 1))) return false;
          await writer.add(leaf, bytes);
          fetched += 1;
          session.transfers.add(owner, 'pulled', CELL_BYTES);
          job.progress('pull', fetched * CELL_BYTES, cells * CELL_BYTES);
          return true;
        },
        mayGoOn: () => !turn.isOver,
        settle: () => writer.flush(),
      },
      signal,
    );
    await writer.flush();
    if (turn.isOver && !signal.aborted) return;
    if (fetched > before) session.pullFailures.delete(owner);
    const [failure] = failures;
    if (signal.aborted || fetched === before)
      throw failure?.error ?? new BbError('PEER_UNREACHABLE', 'the pull was cut');
    if (pullTarget(session, owner)?.id !== target.id) return;
  }
}

export function lanesTo(peer: OnionId): { readonly peer: OnionId; readonly lane: number }[] {
  return Array.from({ length: BULK_LANES }, (_, index) => ({ peer, lane: index + 1 }));
}

/** Makes verified cells durable in batches, in the store first, then in the catalog. */
export class HeldWriter {
  readonly #session: Session;
  readonly #owner: OnionId;
  #pending: { leaf: Buffer; bytes: Buffer }[] = [];

  constructor(session: Session, owner: OnionId) {
    this.#session = session;
    this.#owner = owner;
  }

  async add(leaf: Buffer, bytes: Buffer): Promise<void> {
    this.#pending.push({ leaf, bytes });
    if (this.#pending.length >= CELLS_IN_FLIGHT) await this.flush();
  }

  flush(): Promise<void> {
    const batch = this.#pending;
    this.#pending = [];
    if (batch.length === 0) return Promise.resolve();
    const { cells, cellsLock, deps } = this.#session;
    const address = pubkeyFromOnionId(this.#owner);
    return cellsLock.run(async () => {
      const positions = await cells.append(batch.map((cell) => ({ ...cell, kind: CELL_KIND.DATA, address })));
      const marks = await cells.sync();
      const kept = positions.map((position, index) => ({ leaf: batch[index]?.leaf ?? Buffer.alloc(0), position }));
      await deps.catalog.addHeldCells(this.#owner, kept, marks);
    });
  }
}

/** What became of a pull, for the owner that asks; a newer offer of it is under way all the same. */
function settlePull(session: Session, owner: OnionId, outcome: PullState): Promise<unknown> {
  return session.registry.updateContract(owner, (contract) => {
    if (contract === undefined) throw new BbError('CONFLICT', 'the contract is gone');
    return { ...contract, theirPull: pullTarget(session, owner) === undefined ? outcome : 'PULLING' };
  });
}
