// The storage budget for local programs.

import type { HeldView, StorageView, VerifiedView, VerifyUpdate } from '../../daemon/local-api.ts';
import type {
  GetStorageConfigResponse,
  HeldInfo,
  VerifyStorageResult,
  VerifyStorageUpdate,
} from '../../gen/clirpc/v1/clirpc.ts';
import { peerMessage, progressMessage } from './views.ts';

/** GetStorageConfig and SetStorageConfig answer alike. */
export function storageMessage(storage: StorageView): GetStorageConfigResponse {
  return {
    config: {
      allocatedStorageForPeers: BigInt(storage.limitBytes),
      minReplicas: BigInt(storage.minReplicas),
    },
    info: {
      onlinePeersStorageObligationsBytes: BigInt(storage.onlineBytes),
      offlinePeersStorageObligationsBytes: BigInt(storage.offlineBytes),
      expiredOfflinePeersStorageObligationsBytes: BigInt(storage.expiredBytes),
      ourContentBytes: BigInt(storage.ourContentBytes),
      maximumPeerContentAcceptedBytes: BigInt(storage.acceptableBytes),
      promisedBytes: BigInt(storage.promisedBytes),
      diskFreeBytes: BigInt(storage.diskFreeBytes),
    },
  };
}

export function heldMessage(held: HeldView): HeldInfo {
  return {
    peer: peerMessage(held.peer, held.name),
    state: held.state,
    chargeBytes: BigInt(held.chargeBytes),
    promisedBytes: BigInt(held.promisedBytes),
    currentBytes: BigInt(held.currentBytes),
    pullingBytes: BigInt(held.pullingBytes),
    keptRevisions: held.keptRevisions,
    holdSeconds: BigInt(Math.floor(held.holdSeconds)),
    remainingSeconds: BigInt(Math.floor(held.remainingSeconds)),
    evictableBytes: BigInt(held.evictableBytes),
  };
}

export function verifyMessage(update: VerifyUpdate): VerifyStorageUpdate {
  return update.kind === 'progress'
    ? { progress: progressMessage(update.progress), result: undefined }
    : { progress: undefined, result: verifiedMessage(update.result) };
}

function verifiedMessage(result: VerifiedView): VerifyStorageResult {
  return {
    ownCells: BigInt(result.ownCells),
    ownDamaged: BigInt(result.ownDamaged),
    ownLost: BigInt(result.ownLost),
    indexLost: result.isIndexLost,
    damagedFiles: BigInt(result.damagedFiles),
    damagedNames: [...result.damagedNames],
    peers: result.peers.map(({ peer, name, cells, damaged }) => ({
      peer: peerMessage(peer, name),
      cells: BigInt(cells),
      damaged: BigInt(damaged),
    })),
  };
}
