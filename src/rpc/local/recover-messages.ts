// Recovery for local programs.

import type { RecoverArgs, RecoverUpdate } from '../../daemon/local-api.ts';
import type { RecoverContentRequest, RecoverContentUpdate } from '../../gen/clirpc/v1/clirpc.ts';
import { wireNumber } from '../wire-checks.ts';
import { optionalReference } from './peer-messages.ts';
import { modeNumber } from './status-message.ts';
import { transferMessage } from './views.ts';

const NS_PER_MS = 1_000_000n;

export function recoverArgs(request: RecoverContentRequest): RecoverArgs {
  return {
    from: optionalReference(request.from),
    complete: request.complete,
    acceptSequence: wireNumber(request.acceptSequence, 'accept_sequence'),
    acceptLoss: request.acceptLoss,
  };
}

export function recoverMessage(update: RecoverUpdate): RecoverContentUpdate {
  const createdMs = BigInt(update.newest?.createdMs ?? 0);
  return {
    mostRecentContentId: update.newest?.contentId ?? Buffer.alloc(0),
    mostRecentTs: createdMs / 1000n,
    mostRecentTsNs: (createdMs % 1000n) * NS_PER_MS,
    mostRecentLength: BigInt(update.newest?.contentBytes ?? 0),
    numPeersWithMostRecentVersion: BigInt(update.holdersOfNewest),
    totalVersionsFound: BigInt(update.versions),
    numPeersWithAnyVersions: BigInt(update.holders),
    mostRecentDownloadedBytes: BigInt(update.downloadedBytes),
    mostRecentDownloadedFiles: BigInt(update.completeFiles),
    totalDownloadedBytes: BigInt(update.totalDownloadedBytes),
    recoveredMostRecentVersion: update.recovered,
    phase: update.phase,
    mode: modeNumber(update.mode),
    mostRecentSequence: BigInt(update.newest?.sequence ?? 0),
    missingFiles: BigInt(update.missingFiles),
    waitingFor: update.waitingFor,
    transfers: update.transfers.map(transferMessage),
    done: update.done,
    missingNames: [...update.missingNames],
  };
}
