// What the packs know and the catalog does not: a catalog that was put back from its copy, or lost its journal, is
// older than the packs. The newest own revision is found by its head and committed again from the cells beside it; where
// some are missing, peers are asked for them as in any recovery (docs/storage-format.md, "Rebuilding the catalog").
// Invariant: acknowledged = durable: while the packs are there, no revision that was told as set is forgotten. Every step
// can be cut: what is late stays late until the catalog has committed it.

import { compareRevisions } from '../core/content/revision-order.ts';
import { headCellCount } from '../core/crypto/head.ts';
import type { ContentRevision } from '../core/crypto/content-id.ts';
import type { Keyring } from '../core/crypto/keyring.ts';
import { isBbError } from '../core/errors.ts';
import { PERIODS_MS } from '../core/policy/periods.ts';
import type { ContractRecord } from '../core/records.ts';
import { changeMode } from './change-mode.ts';
import { commitRow } from './commit-revision.ts';
import type { Deps } from './deps.ts';
import { openedHead, takeRecordsBack } from './open-head.ts';
import { plan } from './plan.ts';
import type { OpenedHead } from './recovery.ts';
import { startWork } from './restore-content.ts';
import type { Session } from './session.ts';

/** The newest revision above the marks, if it is newer than what the catalog knows. INCOMPATIBLE for a later format. */
export async function findLate(deps: Deps, keyring: Keyring): Promise<OpenedHead | undefined> {
  const newest = await deps.catalog.newestRevision();
  const found: { readonly contentId: Buffer; readonly revision: ContentRevision }[] = [];
  for (const contentId of await deps.workers.lateRevisions()) {
    const revision = openOrUndefined(keyring, contentId);
    if (revision === undefined) continue;
    if (newest === undefined || compareRevisions(revision, newest) > 0) found.push({ contentId, revision });
  }
  found.sort((a, b) => compareRevisions(b.revision, a.revision));
  for (const { contentId, revision } of found) {
    const head = await openLateHead(deps, keyring, contentId, revision);
    if (head !== undefined) return head;
  }
  return undefined;
}

/** Ends a rebuild: the late revision is taken back, promises grow by what the copy may be behind, a new copy is made. */
export async function finishRebuild(session: Session, late: OpenedHead | undefined): Promise<void> {
  const { catalog, workers } = session.deps;
  if (late !== undefined) await takeLate(session, late);
  await workers.settleLate();
  if ((await catalog.rebuiltFrom()) === undefined) return;
  await session.registry.transact(async () => {
    const records = session.registry.contractRecords(grantDay);
    await catalog.endRebuild(records);
    return records;
  });
  session.ownDamage.areChunksDoubted = true;
  plan(session, 'heal', 0);
  plan(session, 'backup', 0);
  session.bus.emit('catalog-rebuilt', { sequence: String(session.newest?.row.sequence ?? 0) });
}

async function takeLate(session: Session, late: OpenedHead): Promise<void> {
  const { row, metadata } = late;
  await takeRecordsBack(session, metadata);
  await session.deps.workers.adoptLate(row.contentId);
  const isWhole = await session.contentLock.run(async () => {
    const work = await startWork(session, late);
    if ((await work.wanted(1)).length > 0) return false;
    const { staged } = await work.finish();
    await commitRow(session, staged, row, metadata);
    return true;
  });
  if (isWhole && session.node.mode === 'normal') return;
  // Its head is proof that it was made: nothing may be published beside it before it is back.
  session.recovery.heads.set(row.contentId.toString('hex'), late);
  await changeMode(session, 'newer-id-found', { recoveringId: row.contentId });
}

/** The copy is at most one period old, in which a peer may have earned so much; given twice it harms nobody. */
function grantDay(contract: ContractRecord): ContractRecord {
  if (contract.state === 'PROPOSED' || contract.state === 'RELEASED') return contract;
  const valueSeconds = contract.ledger.valueSeconds + PERIODS_MS.catalogBackup / 1000;
  return { ...contract, ledger: { ...contract.ledger, valueSeconds } };
}

/** Copy 0 was written before copy 1; either does. */
async function openLateHead(
  deps: Deps,
  keyring: Keyring,
  contentId: Buffer,
  revision: ContentRevision,
): Promise<OpenedHead | undefined> {
  const cells = await deps.workers.lateHeadCells(contentId);
  const headCells = headCellCount(revision.metaBytes);
  for (let from = 0; from + headCells <= cells.length; from++) {
    const copy = Buffer.concat(cells.slice(from, from + headCells));
    for (const number of [0, 1] as const) {
      const encoded = keyring.openHead(contentId, number, revision.metaBytes, copy);
      const head = encoded && openedHead(deps, { contentId, ...revision, revision }, encoded);
      if (head !== undefined) return head;
    }
  }
  return undefined;
}

function openOrUndefined(keyring: Keyring, contentId: Buffer): ContentRevision | undefined {
  try {
    return keyring.openContentId(contentId);
  } catch (error) {
    if (isBbError(error, 'INTEGRITY')) return undefined;
    throw error;
  }
}
