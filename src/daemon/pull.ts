// A storer fetches an accepted revision: first the plan (leaves and references), then what is missing,
// over several lanes. Resume after a cut, a changed target and a first pull are this one procedure.
// Invariant: acknowledged = durable: the revision becomes current only when its tree root was verified
// and every cell of it is durable; until then the old one is served.

import { leafHash, rootOfLeaves } from '../core/content/merkle.ts';
import { BbError, isBbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import { BULK_LANES, CELL_BYTES, CELLS_IN_FLIGHT, PULL_WINDOW_CELLS } from '../core/limits.ts';
import { CELL_KIND } from '../core/crypto/cell-seal.ts';
import { equalBytes } from '../core/crypto/compare.ts';
import { pubkeyFromOnionId } from '../core/ids.ts';
import { backOffMs } from '../core/policy/back-off.ts';
import { DownloadPlan } from '../core/policy/download-plan.ts';
import { meet } from './contact.ts';
import { fetchCells, runsOf } from './fetch-cells.ts';
import { currentHeld, pullTarget, setPulledList, switchHeld } from './held.ts';
import type { Held } from './held.ts';
import type { Job } from './jobs.ts';
import { planFor } from './plan.ts';
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
  try {
    await pull(session, target, job, signal);
    job.end('done');
    session.pullFailures.delete(owner);
  } catch (error) {
    job.end('failed');
    if (signal.aborted) return;
    if (isBbError(error, 'NO_SPACE')) await refuseForSpace(session, owner);
    session.bus.emit('pull-failed', { peer: owner, reason: isBbError(error) ? error.code : 'REFUSED' });
    session.deps.log.debug('pull failed', { detail: String(error) });
    const attempt = session.pullFailures.get(owner) ?? 0;
    session.pullFailures.set(owner, attempt + 1);
    const { publishRetry, publishRetryMax } = session.deps.periods;
    planFor(session, 'pull', owner, backOffMs(attempt, publishRetry, publishRetryMax));
    return;
  }
  await meet(session, owner, signal); // tells the owner; if it cannot be told now, the next contact or tick does
}

async function pull(session: Session, target: Held, job: Job, signal: AbortSignal): Promise<void> {
  const { owner } = target.value;
  const planned = target.value.list >= 0 ? target : await fetchPlan(session, target, signal);
  if (planned !== undefined) await fetchMissing(session, planned, job, signal);
  if (planned === undefined || pullTarget(session, owner)?.id !== target.id) {
    planFor(session, 'pull', owner, 0); // a newer offer came meanwhile; its plan reuses what is here
    return;
  }
  await switchHeld(session, planned);
  await session.registry.updateContract(owner, (contract) => {
    if (contract === undefined) throw new BbError('CONFLICT', 'the contract is gone');
    return { ...contract, theirPull: 'NONE' };
  });
  session.bus.emit('revision-held', { peer: owner, cells: String(planned.value.cells) });
}

/** Undefined when a newer offer replaced this one while its plan was fetched. */
async function fetchPlan(session: Session, target: Held, signal: AbortSignal): Promise<Held | undefined> {
  const { owner, cells, contentId, root } = target.value;
  const current = currentHeld(session, owner);
  const plan = new DownloadPlan(cells, current?.value.cells ?? 0);
  const leaves = Buffer.alloc(cells * 32);
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
    if (run.kind === 'leaves') run.leaves.copy(leaves, run.cell * 32);
    else if (current !== undefined) {
      const known = await session.deps.catalog.heldLeaves(current.value.list, run.referenceCell, run.cells);
      known.copy(leaves, run.cell * 32);
    }
  }
  plan.finish();
  if (!equalBytes(rootOfLeaves(leaves), root)) throw new BbError('BAD_PEER_DATA', 'the tree root is wrong');
  const list = await session.deps.catalog.createHeldList(owner, leaves);
  if (!(await setPulledList(session, target, list))) return undefined;
  return { id: target.id, value: { ...target.value, list } };
}

async function fetchMissing(session: Session, target: Held, job: Job, signal: AbortSignal): Promise<void> {
  const { owner, cells, list, contentId } = target.value;
  const { catalog } = session.deps;
  const writer = new HeldWriter(session, owner);
  let fetched = 0;
  for (;;) {
    const missing = await catalog.heldMissing(list, 0, PULL_WINDOW_CELLS);
    if (missing.length === 0) return;
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
      },
      signal,
    );
    await writer.flush();
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
class HeldWriter {
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

function refuseForSpace(session: Session, owner: OnionId): Promise<unknown> {
  return session.registry.updateContract(owner, (contract) => {
    if (contract === undefined) throw new BbError('CONFLICT', 'the contract is gone');
    return { ...contract, theirPull: 'NO_SPACE' };
  });
}
