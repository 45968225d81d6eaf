// The end of a recovery: a new generation is sealed over the restored content and publishing starts
// again. By itself when nothing is missing and every listed contract peer answered; else by the user.

import { settle } from '../core/content/ancestors.ts';
import { compareRevisions } from '../core/content/revision-order.ts';
import type { RevisionPlace } from '../core/content/revision-order.ts';
import type { OnionId } from '../core/ids.ts';
import { judgeCompletion } from '../core/recovery/completion.ts';
import { isBbError } from '../core/errors.ts';
import { PERIODS_MS } from '../core/policy/periods.ts';
import type { StagedContent } from '../ports/catalog.ts';
import { modeChange, sayMode } from './change-mode.ts';
import { commitRevision, unchangedContent } from './commit-revision.ts';
import { emptyContent } from './empty-content.ts';
import { noteForksBeside } from './holders.ts';
import { lineOf, rememberOwnFork } from './lineage.ts';
import { NONE_MISSING, withMissing } from './missing-files.ts';
import type { Missing } from './missing-files.ts';
import { listedContracts } from './open-head.ts';
import { plan, planPublishAll } from './plan.ts';
import type { OpenedHead } from './recovery.ts';
import { NO_RECOVERY, sinceFirstAnswerMs } from './recovery-waits.ts';
import { updateReplica } from './replica.ts';
import { startWork } from './restore-content.ts';
import type { Newest, Session } from './session.ts';
import { peerName } from './views.ts';
import { waitingWords } from './waiting-words.ts';

/** The revision that is being recovered is committed here. */
export function isRestored({ newest, node }: Session): boolean {
  return newest !== undefined && newest.row.contentId.equals(node.recoveringId);
}

/** Everything is back: a new generation over the same cells, once nobody can surprise us. */
export async function tryComplete(session: Session): Promise<void> {
  const { newest } = session;
  if (newest === undefined || !mayComplete(session, newest, true)) return;
  await complete(session, newest, async () => ({ staged: unchangedContent(newest), ...NONE_MISSING }));
}

/** Cells are missing that nobody gives: only the user can say that the rest is to be lived with. */
export async function tryCompletePartly(session: Session, target: OpenedHead): Promise<void> {
  const { recovery } = session;
  if (!mayComplete(session, target, false)) return;
  const work = await startWork(session, target);
  await complete(session, target, async () => {
    try {
      const { staged, missingFiles } = await work.finish();
      return { staged, ...withMissing(NONE_MISSING, missingFiles.length, missingFiles) };
    } catch (error) {
      // Without its index not even the names are known; the user accepted the loss of all of it.
      if (!isBbError(error, 'PARTIAL')) throw error;
      if (!recovery.acceptLoss) {
        recovery.waitingFor = waitingWords(session, 'INDEX', [], target.row.sequence);
        throw error;
      }
      const staged = await emptyContent(session, session.scheduler.signal);
      return { staged, ...withMissing(NONE_MISSING, target.row.fileCount, []) };
    }
  });
}

function mayComplete(session: Session, { row, metadata }: OpenedHead, isWhole: boolean): boolean {
  const { recovery, node, deps } = session;
  const listed = listedContracts(metadata).filter(({ state }) => state === 'ACTIVE');
  const sinceMs = sinceFirstAnswerMs(node) ?? 0;
  const completion = judgeCompletion(
    {
      isRestored: true,
      missingFiles: isWhole ? 0 : 1,
      listedPeers: listed.length,
      answeredPeers: listed.filter(({ peer }) => recovery.holders.has(peer)).length,
      sinceFirstAnswerMs: sinceMs,
      isSequenceAccepted: node.acceptedSequence !== 0 && node.acceptedSequence === row.sequence,
      isAsked: recovery.isAsked,
      isLossAccepted: recovery.acceptLoss,
    },
    PERIODS_MS,
  );
  const isHeldBack =
    completion.kind === 'complete' && sinceMs < PERIODS_MS.publishBlockWait && isNewerKnown(session, row);
  if (completion.kind === 'complete' && !isHeldBack) return true;
  const forWhat = completion.kind === 'complete' ? 'NEWER' : completion.forWhat;
  const silent = listed.filter(({ peer }) => !recovery.holders.has(peer)).map(({ peer }) => peerName(session, peer));
  recovery.waitingFor = waitingWords(session, forWhat, silent, row.sequence);
  // The files are back, or nobody gives the rest: whoever follows the recovery need not wait any longer.
  sayStuck(session, isWhole ? 0 : recovery.totalCells - recovery.doneCells, `${forWhat} ${silent.join(' ')}`);
  // What is whole waits for answers, and each answer plans this anyway.
  if (isWhole) plan(session, 'recover', deps.periods.tick);
  return false;
}

/** Only another peer or the user can help. Looked at again and again, but said once as long as nothing has changed. */
function sayStuck({ recovery, bus }: Session, cells: number, why: string): void {
  const reason = `${cells} ${why}`;
  if (recovery.stuckOn === reason) return;
  recovery.stuckOn = reason;
  bus.emit('recovery-stuck', { cells: String(cells) });
}

/** A peer was offered, or holds without a head that opens, something newer than what came back. */
function isNewerKnown({ recovery, node }: Session, row: RevisionPlace): boolean {
  if (recovery.acceptLoss || recovery.isAsked || node.acceptedSequence === row.sequence) return false;
  return [...recovery.holders.values()].some(({ latestKnown, found }) =>
    [latestKnown, ...found].some((place) => place !== undefined && compareRevisions(place, row) > 0),
  );
}

/** Seals the next generation after `line` and lets the node publish. */
async function complete(
  session: Session,
  line: Newest,
  stage: () => Promise<Missing & { readonly staged: StagedContent }>,
): Promise<void> {
  const { recovery } = session;
  await session.contentLock.run(async () => {
    if (session.node.mode !== 'recovering') return;
    const { staged, ...missing } = await stage();
    for (const holder of recovery.holders.values()) await takeReplicaBack(session, holder.peer, line);
    const before = session.node.mode;
    const settled = givenUp(session, line);
    await rememberOwnFork(session, line);
    const ended = { ...NO_RECOVERY, newIdentity: false, ...missing };
    // One transaction: a node that recovers what it has already replaced would never end.
    const base = { row: line.row, metadata: { ...line.metadata, settled } };
    await commitRevision(session, staged, base, nextGeneration(session, line), modeChange(session, 'completed', ended));
    sayMode(session, before);
  });
  await noteForksBeside(session);
  recovery.phase = 'complete';
  session.bus.emit('recovery-complete', { generation: String(session.node.baseGeneration) });
  planPublishAll(session, session.deps.periods.publishDebounce);
}

/** Above everything that anybody is known to have, so that nothing that was given up comes back as the newest. */
function nextGeneration({ recovery, node }: Session, line: Newest): number {
  const known = [...recovery.holders.values()].flatMap(({ latestKnown, found }) => [latestKnown, ...found]);
  return 1 + Math.max(line.row.generation, node.baseGeneration, ...known.map((place) => place?.generation ?? 0));
}

/** Who names an older sequence gives up the newer revisions, with their past up to this one: they are no forks to be merged. */
function givenUp({ recovery, node }: Session, line: Newest): Buffer {
  let { settled } = line.metadata;
  if (node.acceptedSequence !== line.row.sequence) return settled;
  const newer = [...recovery.holders.values()]
    .flatMap(({ found }) => found)
    .filter((id) => compareRevisions(id, line.row) > 0);
  for (const { contentId, sequence } of newer) {
    const ancestors = recovery.heads.get(contentId.toString('hex'))?.metadata.ancestors ?? Buffer.alloc(0);
    settled = settle({ ...lineOf(line), settled }, { contentId, sequence, ancestors });
  }
  return settled;
}

/** What a holder has counts as acknowledged if its cells are listed here; its latest_known is the base of the next offer. */
async function takeReplicaBack(session: Session, peer: OnionId, line: Newest): Promise<void> {
  const holder = session.recovery.holders.get(peer);
  if (holder === undefined || session.registry.contract(peer) === undefined) return;
  const isListed = session.newest?.row.contentId.equals(line.row.contentId) === true;
  const holds = isListed && holder.found.some((id) => id.contentId.equals(line.row.contentId));
  const held = holds ? line.row.contentId : Buffer.alloc(0);
  await updateReplica(session, peer, (replica) => ({
    ...replica,
    offered: held,
    acknowledged: held,
    acknowledgedMs: holds ? session.deps.clock.nowMs() : 0,
    latestKnown: holder.report.requesterLatestKnown,
    lists: holds ? [held] : [],
  }));
}
