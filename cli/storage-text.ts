// The settings of storage and what follows from them, as people read them.

import { formatBytes } from '../src/core/format-bytes.ts';
import type { StorageConfig, StorageInfo } from '../src/gen/clirpc/v1/clirpc.ts';
import { formatTable } from './format.ts';

export function storageText(config: StorageConfig | undefined, info: StorageInfo | undefined): string {
  const bytes = (value: bigint | undefined): string => formatBytes(value ?? 0n);
  return formatTable([
    ['limit for peers', bytes(config?.allocatedStorageForPeers)],
    ['promised', bytes(info?.promisedBytes)],
    ['used by online peers', bytes(info?.onlinePeersStorageObligationsBytes)],
    ['used by offline peers', bytes(info?.offlinePeersStorageObligationsBytes)],
    ['  of it expired', bytes(info?.expiredOfflinePeersStorageObligationsBytes)],
    ['could be promised', bytes(info?.maximumPeerContentAcceptedBytes)],
    ['own content', bytes(info?.ourContentBytes)],
    ['free on disk', bytes(info?.diskFreeBytes)],
    ['min replicas', String(config?.minReplicas ?? 0n)],
  ]);
}
