// bb storage set: what is not named keeps its value.

import { BbError } from '../../src/core/errors.ts';
import { formatBytes } from '../../src/core/format-bytes.ts';
import { MIN_REPLICAS_MAX } from '../../src/core/limits.ts';
import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { StorageInfo } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context, Options } from '../context.ts';
import { textOption } from '../context.ts';
import type { Result } from '../output.ts';
import { findPeer, knownPeers } from '../peers.ts';
import { requireConfirmation } from '../prompt.ts';
import { parseCount, parseSize } from '../quantity.ts';
import { storageText } from '../storage-text.ts';
import { storageView } from '../views.ts';

export async function run(context: Context, _args: readonly string[], options: Options): Promise<Result> {
  const limit = textOption(options, 'limit');
  const replicas = textOption(options, 'minReplicas');
  if (limit === undefined && replicas === undefined) {
    throw new BbError('USAGE', 'nothing to set', { hint: 'Use --limit SIZE or --min-replicas COUNT.' });
  }
  const limitBytes = limit === undefined ? 0 : parseSize(limit);
  if (limit !== undefined && limitBytes === 0) throw new BbError('USAGE', '--limit is at least one byte');
  const minReplicas = replicas === undefined ? 0 : parseCount(replicas, 1, MIN_REPLICAS_MAX);
  const wanted = { allocatedStorageForPeers: BigInt(limitBytes), minReplicas: BigInt(minReplicas) };
  const breakPromisesTo = (textOption(options, 'breakPromises') ?? '').split(',').filter((peer) => peer !== '');
  if (breakPromisesTo.length > 0) {
    const peers = await knownPeers(context);
    for (const peer of breakPromisesTo) findPeer(peers, peer);
    await requireConfirmation(context.settings, `Delete what is stored for ${breakPromisesTo.join(', ')}?`);
  }
  const request = { config: wanted, breakPromisesTo };
  const { config, info } = await (await context.client()).unary(Service.setStorageConfig, request);
  if (limitBytes > 0 && info !== undefined) warnBeyondDisk(context, limitBytes, info);
  return { data: storageView(config, info), text: storageText(config, info) };
}

/** What peers have here already is on the disk, too. */
function warnBeyondDisk({ out }: Context, limitBytes: number, info: StorageInfo): void {
  const held = info.onlinePeersStorageObligationsBytes + info.offlinePeersStorageObligationsBytes;
  const room = info.diskFreeBytes + held;
  if (BigInt(limitBytes) <= room) return;
  out.warn(`the disk has room for ${formatBytes(room)} of it only; peers will be promised more than can be kept`);
}
