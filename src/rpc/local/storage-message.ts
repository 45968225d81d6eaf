// The storage budget for local programs.

import type { HeldView, StorageView } from '../../daemon/local-api.ts';
import type { GetStorageConfigResponse, HeldInfo } from '../../gen/clirpc/v1/clirpc.ts';
import { peerMessage } from './views.ts';

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
