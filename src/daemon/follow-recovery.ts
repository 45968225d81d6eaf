// `bb recover` and `bb init complete`: gives the user's words to the recovery and follows it to its
// end, or to where only the user or another peer can help.

import { CELL_BYTES } from '../core/limits.ts';
import { BbError } from '../core/errors.ts';
import type { Daemon } from './daemon.ts';
import type { RecoverArgs, RecoverUpdate } from './local-api.ts';
import { connectPeer } from './peers.ts';
import { plan, planFor } from './plan.ts';
import { requireTor } from './require-tor.ts';
import type { Session } from './session.ts';
import { revisionView, transferViews } from './views.ts';
import { isRestored } from './complete-recovery.ts';
import { outliveForks } from './outlive-forks.ts';

export async function* followRecovery(
  daemon: Daemon,
  args: RecoverArgs,
  signal: AbortSignal,
): AsyncGenerator<RecoverUpdate> {
  const { session } = daemon;
  const { recovery } = session;
  if (args.from !== '') {
    requireTor(session);
    const { peer } = await connectPeer(session, args.from, '', session.node.mode === 'normal');
    planFor(session, 'ask', peer.onionId, 0);
  }
  if (session.node.mode !== 'normal') {
    requireTor(session);
    recovery.acceptSequence = args.acceptSequence || recovery.acceptSequence;
    // Only what was shown can be accepted: while cells still come there is nothing to say yes to.
    recovery.isAsked ||= args.complete && (recovery.isStuck || isRestored(session));
    recovery.acceptLoss ||= args.acceptLoss;
    if (args.complete && session.node.mode === 'blocked') {
      throw new BbError('PUBLISH_BLOCKED', 'no peer that holds your content was found yet', {
        hint: 'Name one with bb recover --from, or use bb init --new if there is none.',
      });
    }
    plan(session, 'recover', 0);
  } else if (args.complete) {
    await outliveForks(session);
  }
  const stop = AbortSignal.any([signal, session.scheduler.signal]);
  for await (const event of daemon.bus.subscribe(true, stop)) {
    if (!INTERESTING.has(event.name)) continue;
    if (recovery.incompatible !== undefined) throw recovery.incompatible;
    const update = recoveryView(session, event.name === 'recovery-stuck');
    if (update.done && update.newest === undefined) {
      throw new BbError('NOT_FOUND', 'nobody is known to hold content of this node', {
        hint: 'Name a peer that does: bb recover --from bb:<its id>. Check the secret if the address is not yours.',
      });
    }
    yield update;
    if (update.done) return;
  }
}

const INTERESTING = new Set([
  'subscribed',
  'recovery',
  'progress',
  'holder-found',
  'mode-changed',
  'recovery-complete',
  'recovery-stuck',
]);

/** `isHalted`: this moment only another peer or the user can help. */
function recoveryView(session: Session, isHalted: boolean): RecoverUpdate {
  const { recovery, node, newest } = session;
  const isNormal = node.mode === 'normal';
  const row = recovery.target?.row ?? newest?.row;
  const id = row?.contentId ?? Buffer.alloc(0);
  const versions = new Set([...recovery.holders.values()].flatMap(({ found }) => found.map(hexOf)));
  const restored = isNormal ? newest !== undefined : isRestored(session);
  return {
    phase: isNormal ? 'complete' : recovery.phase,
    mode: node.mode,
    newest: row === undefined ? undefined : revisionView(row),
    holdersOfNewest: recovery.holdersOf(id).length,
    holders: [...recovery.holders.values()].filter(({ found }) => found.length > 0).length,
    versions: versions.size,
    downloadedBytes: restored ? recovery.totalCells * CELL_BYTES : recovery.doneCells * CELL_BYTES,
    totalDownloadedBytes: recovery.downloadedBytes,
    completeFiles: restored ? (newest?.row.fileCount ?? 0) : 0,
    missingFiles: node.missingFiles,
    missingNames: recovery.missingNames,
    recovered: restored,
    waitingFor: isNormal ? '' : recovery.waitingFor,
    transfers: transferViews(session),
    done: isNormal || isHalted,
  };
}

function hexOf(id: { readonly contentId: Buffer }): string {
  return id.contentId.toString('hex');
}
