// The storage budget for local programs.

import type { StorageView } from '../../daemon/local-api.ts';
import type { GetStorageConfigResponse } from '../../gen/clirpc/v1/clirpc.ts';

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
