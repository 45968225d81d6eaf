// A storer that lost cells of an owner confesses it and fetches them again (docs/protocol.md, "Damage"): ReportLoss, then
// Download with `repair`. What comes is held to the same leaves as in the pull, so an owner cannot put other bytes there.
// Invariant: acknowledged = durable: a cell counts as repaired when it is durable and the catalog names its new place.

import type { CellRange } from '../core/challenge/question.ts';
import { leafHash } from '../core/content/merkle.ts';
import { equalBytes } from '../core/crypto/compare.ts';
import type { OnionId } from '../core/ids.ts';
import { CELL_BYTES, CHALLENGE_RANGES, REPAIR_ROUND_CELLS } from '../core/limits.ts';
import { backOffMs } from '../core/policy/back-off.ts';
import { requireSpace } from './allowance.ts';
import { meet } from './contact.ts';
import { fetchCells, runsOf } from './fetch-cells.ts';
import { currentHeld } from './held.ts';
import type { Held } from './held.ts';
import { lostCells } from './held-damage.ts';
import { planFor } from './plan.ts';
import { HeldWriter, lanesTo } from './pull.ts';
import type { Session } from './session.ts';

/** The task: confesses and repairs what is known to be lost of an owner's current revision. */
export async function repairHeld(session: Session, owner: OnionId, signal: AbortSignal): Promise<void> {
  const held = currentHeld(session, owner);
  if (held === undefined) return;
  const lost = await lostCells(session, held.value);
  if (lost.length === 0) return;
  session.bus.emit('held-cells-lost', { peer: owner, cells: String(lost.length) });
  try {
    const ranges = runsOf(lost).slice(0, CHALLENGE_RANGES);
    await session.client.reportLoss(owner, { contentId: held.value.contentId, ranges }, { signal });
    await fetchLost(session, held, runsOf(lost.slice(0, REPAIR_ROUND_CELLS)), signal);
  } catch (error) {
    if (signal.aborted) return;
    session.deps.log.debug('a repair failed', { detail: String(error) });
  }
  const left = (await lostCells(session, held.value)).length;
  if (left > 0) return planAgain(session, owner, left < lost.length);
  session.heldDamage.failures.delete(owner);
  session.bus.emit('held-cells-repaired', { peer: owner, cells: String(lost.length) });
  await meet(session, owner, signal); // the owner checks this copy at once
}

function planAgain(session: Session, owner: OnionId, hasProgressed: boolean): void {
  const { contractRetry, challengeRefill } = session.deps.periods;
  const failures = hasProgressed ? 0 : (session.heldDamage.failures.get(owner) ?? 0);
  session.heldDamage.failures.set(owner, failures + 1);
  planFor(session, 'repair', owner, hasProgressed ? 0 : backOffMs(failures, contractRetry, challengeRefill));
}

async function fetchLost(
  session: Session,
  { value: { owner, list, contentId } }: Held,
  missing: readonly CellRange[],
  signal: AbortSignal,
): Promise<void> {
  const { catalog } = session.deps;
  await requireSpace(
    session,
    missing.reduce((sum, run) => sum + run.cells, 0),
  );
  const writer = new HeldWriter(session, owner);
  const failures = await fetchCells(
    session,
    {
      contentId,
      missing,
      lanes: lanesTo(owner),
      repair: true,
      keep: async (_peer, cell, bytes) => {
        const leaf = leafHash(bytes);
        if (!equalBytes(leaf, await catalog.heldLeaves(list, cell, 1))) return false;
        await writer.add(leaf, bytes);
        session.transfers.add(owner, 'pulled', CELL_BYTES);
        return true;
      },
      settle: () => writer.flush(),
    },
    signal,
  );
  await writer.flush();
  if (failures[0] !== undefined) throw failures[0].error;
}
