// `bb recover` and `bb init complete`: gives the user's words to the recovery and follows it to its
// end, or to where only the user or another peer can help.

import { CELL_BYTES } from '../core/limits.ts';
import { BbError } from '../core/errors.ts';
import type { Daemon } from './daemon.ts';
import { refuseOnLiving } from './held-revisions.ts';
import type { RecoverArgs, RecoverUpdate } from './local-api.ts';
import { askNamed, takeWords } from './recovery-words.ts';
import type { Session } from './session.ts';
import { revisionView, transferViews } from './views.ts';
import { isRestored } from './complete-recovery.ts';
import { mergeForks } from './merge-forks.ts';
import { giveUpMissing } from './missing-files.ts';
import { outliveForks } from './outlive-forks.ts';

export async function* followRecovery(
  daemon: Daemon,
  args: RecoverArgs,
  signal: AbortSignal,
): AsyncGenerator<RecoverUpdate> {
  const { session } = daemon;
  const { recovery } = session;
  const stop = AbortSignal.any([signal, session.scheduler.signal]);
  if (args.from !== '') await askNamed(session, args, signal);
  if (session.node.mode === 'normal' && args.acceptSequence !== 0) throw await refuseOnLiving(session, stop);
  const word = session.node.mode === 'normal' ? undefined : await takeWords(session, args);
  if (word === undefined && args.complete) await completeNormal(session, args, stop);
  try {
    for await (const event of daemon.bus.subscribe(true, stop)) {
      if (!INTERESTING.has(event.name)) continue;
      const refusal = recovery.incompatible ?? recovery.refusal;
      if (refusal !== undefined) throw refusal;
      // A look that began before the word was given ends without it.
      const hasLooked = AFTER_LOOK.has(event.name) && recovery.looks > (word?.afterLook ?? -1);
      const update = recoveryView(session, hasLooked && recovery.isStuck);
      if (update.done && update.newest === undefined) {
        throw new BbError('NOT_FOUND', 'nobody is known to hold content of this node', {
          hint: 'Name a peer that does: bb recover --from bb:<its id>. Check the secret if the address is not yours.',
        });
      }
      // The last report still names it.
      if (update.done && args.acceptLoss && session.node.mode === 'normal') await giveUpMissing(session);
      yield update;
      if (update.done) return;
    }
  } finally {
    if (word !== undefined) recovery.words.delete(word);
  }
}

/** `init complete` where nothing is recovered: forks are outlived and merged. */
async function completeNormal(session: Session, { acceptLoss }: RecoverArgs, signal: AbortSignal): Promise<void> {
  // Only what was shown can be accepted, and what is found missing from now on was not.
  const word = { shown: new Set(session.recovery.stuckForks), isLossAccepted: acceptLoss };
  await outliveForks(session);
  await mergeForks(session, signal, word);
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

/** Everything was looked at; before that nobody knows whether the words of the user helped. */
const AFTER_LOOK = new Set(['recovery', 'recovery-stuck']);

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
    missingNames: node.missingNames,
    recovered: restored,
    waitingFor: isNormal ? '' : recovery.waitingFor,
    transfers: transferViews(session),
    done: isNormal || isHalted,
  };
}

function hexOf(id: { readonly contentId: Buffer }): string {
  return id.contentId.toString('hex');
}
