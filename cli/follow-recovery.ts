// Follows the recovery that runs in the daemon, until it ends or, for a caller that does not wait, until it is under way.

import type { BbError } from '../src/core/errors.ts';
import { BbError as OperatingError, isBbError } from '../src/core/errors.ts';
import { BarterBackupClientService as Service } from '../src/gen/clirpc/v1/clirpc.ts';
import type { Progress, RecoverContentRequest, RecoverContentUpdate } from '../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from './context.ts';
import { formatCount } from './format.ts';
import { safeName, safeText } from './safe-text.ts';
import { modeWord, transferView } from './views.ts';
import type { View } from './views.ts';

export type RecoveryEnd = {
  readonly update: RecoverContentUpdate | undefined;
  readonly data: View;
  /** PARTIAL when files are missing. */
  readonly failure: BbError | undefined;
};

/** `wait` false: leaves after the first report; the job goes on in the daemon. */
export async function followRecovery(
  context: Context,
  request: RecoverContentRequest,
  wait = true,
): Promise<RecoveryEnd> {
  const { out } = context;
  let last: RecoverContentUpdate | undefined;
  let waitingFor = '';
  try {
    for await (const update of (await context.client()).stream(Service.recoverContent, request)) {
      last = update;
      // To a person the result says how it ended: what was not fetched because it is here looks like an unfinished job.
      if (!update.done || out.settings.json) out.progress(progressOf(update));
      if (update.waitingFor !== '' && update.waitingFor !== waitingFor) out.note(`* ${safeText(update.waitingFor)}`);
      waitingFor = update.waitingFor;
      for (const name of update.done ? update.missingNames : []) out.note(`* not recovered: ${safeName(name)}`);
      if (update.done || !wait) break;
    }
  } catch (error) {
    if (!isBbError(error, 'PARTIAL')) throw error;
    return { update: last, data: recoveryView(last), failure: error };
  }
  return { update: last, data: recoveryView(last), failure: wait ? failureOf(last) : undefined };
}

function progressOf(update: RecoverContentUpdate): Progress {
  return {
    job: 'recover',
    phase: update.phase,
    done: update.mostRecentDownloadedBytes,
    total: update.mostRecentLength,
    bytesPerSec: 0n,
    etaSec: 0n,
  };
}

function failureOf(update: RecoverContentUpdate | undefined): BbError | undefined {
  const isOpen =
    update === undefined || !update.done || (!update.recoveredMostRecentVersion && update.missingFiles === 0n);
  if (isOpen) {
    const waits = update === undefined || update.waitingFor === '' ? undefined : safeText(update.waitingFor);
    return new OperatingError(
      'PARTIAL',
      waits === undefined ? 'the recovery stopped early' : `not yet: waits for ${waits}`,
    );
  }
  if (update.missingFiles === 0n) return undefined;
  return new OperatingError('PARTIAL', `${missingText(update.missingFiles)} not brought back`, {
    hint: 'Set again what you have; bb init complete --accept-loss gives up the rest.',
  });
}

export function missingText(files: bigint): string {
  return formatCount(files, 'file was', 'files were');
}

function recoveryView(update: RecoverContentUpdate | undefined): View {
  if (update === undefined) return { phase: null };
  const createdMs = Number(update.mostRecentTs) * 1000 + Number(update.mostRecentTsNs / 1_000_000n);
  return {
    phase: update.phase,
    mode: modeWord(update.mode),
    done: update.done,
    recovered: update.recoveredMostRecentVersion,
    content_id: update.mostRecentContentId.toString('hex'),
    sequence: Number(update.mostRecentSequence),
    created: createdMs === 0 ? null : new Date(createdMs).toISOString(),
    content_bytes: Number(update.mostRecentLength),
    downloaded_bytes: Number(update.mostRecentDownloadedBytes),
    total_downloaded_bytes: Number(update.totalDownloadedBytes),
    complete_files: Number(update.mostRecentDownloadedFiles),
    missing_files: Number(update.missingFiles),
    missing_names: update.missingNames.map(safeName),
    holders_of_newest: Number(update.numPeersWithMostRecentVersion),
    holders: Number(update.numPeersWithAnyVersions),
    versions: Number(update.totalVersionsFound),
    waiting_for: update.waitingFor === '' ? null : update.waitingFor,
    transfers: update.transfers.map(transferView),
  };
}
