// How much is stored for peers and how many copies are wanted: shown, and changed within the promises.

import { blobCellCount } from '../core/challenge/plan.ts';
import { BbError } from '../core/errors.ts';
import { formatBytes } from '../core/format-bytes.ts';
import { acceptableBytes } from '../core/contract/default-policy.ts';
import { CELL_BYTES, MIN_REPLICAS_MAX } from '../core/limits.ts';
import { chargeOf } from './allowance.ts';
import { dropOpen, promisedBytes, step } from './contracts.ts';
import type { OnionId } from '../core/ids.ts';
import { markDirty } from './dirty.ts';
import { dropReleased } from './held.ts';
import { planFor } from './plan.ts';
import type { StorageView } from './local-api.ts';
import type { Session } from './session.ts';

export async function showStorage(session: Session): Promise<StorageView> {
  const { registry, settings, newest } = session;
  const owners = [...new Set(registry.held().map(({ value }) => value.owner))];
  // As the allowance counts it: what several revisions of an owner share is there once.
  const charges = await Promise.all(owners.map(async (owner) => ({ owner, bytes: await chargeOf(session, owner) })));
  const bytes = (counts: (owner: OnionId) => boolean) =>
    charges.filter(({ owner }) => counts(owner)).reduce((sum, charge) => sum + charge.bytes, 0);
  const promised = promisedBytes(session, undefined, () => true);
  return {
    limitBytes: settings.storageLimitBytes,
    minReplicas: settings.minReplicas,
    onlineBytes: bytes((owner) => session.reach.isReachable(owner)),
    offlineBytes: bytes((owner) => !session.reach.isReachable(owner)),
    expiredBytes: bytes((owner) => registry.contract(owner)?.state === 'EXPIRED'),
    ourContentBytes: newest === undefined ? 0 : blobCellCount(newest.row) * CELL_BYTES,
    acceptableBytes: acceptableBytes(settings.storageLimitBytes, promised),
    promisedBytes: promised,
    diskFreeBytes: await session.deps.dataDir.freeBytes(),
  };
}

/**
 * 0 keeps a value. OVER_BUDGET when the limit would not cover what is promised to others than `broken`, whose contracts end
 * at once; USAGE out of range.
 */
export async function setStorage(
  session: Session,
  limitBytes: number,
  minReplicas: number,
  broken: readonly OnionId[],
): Promise<StorageView> {
  if (!Number.isSafeInteger(limitBytes) || limitBytes < 0) throw new BbError('USAGE', 'the limit is out of range');
  if (!Number.isInteger(minReplicas) || minReplicas < 0 || minReplicas > MIN_REPLICAS_MAX) {
    throw new BbError('USAGE', `min-replicas goes from 1 to ${MIN_REPLICAS_MAX}`);
  }
  const promised = promisedBytes(session, undefined, (peer) => !broken.includes(peer));
  if (limitBytes > 0 && acceptableBytes(limitBytes, 0) < promised) {
    const hint = 'End contracts with bb contracts end, or name who loses its bytes: --break-promises PEER.';
    throw new BbError('OVER_BUDGET', `the limit is below what is promised to peers (${formatBytes(promised)})`, {
      hint,
    });
  }
  for (const peer of broken) await breakPromise(session, peer);
  await session.registry.updateSettings((old) => ({
    ...session.settings,
    ...old,
    storageLimitBytes: limitBytes === 0 ? session.settings.storageLimitBytes : limitBytes,
    minReplicas: minReplicas === 0 ? session.settings.minReplicas : minReplicas,
  }));
  session.bus.emit('settings-changed', {
    limit: String(session.settings.storageLimitBytes),
    replicas: String(session.settings.minReplicas),
  });
  await markDirty(session);
  return showStorage(session);
}

/** The user's own decision, by name: the bytes go now, and the peer is told at the next contact. */
async function breakPromise(session: Session, peer: OnionId): Promise<void> {
  const reason = 'broken by its user to free space';
  const contract = session.registry.contract(peer);
  // Nothing is stored for a proposal; whoever accepts it later hears that it does not stand any more.
  if (contract?.state === 'PROPOSED') return dropOpen(session, peer, contract.terms, reason);
  await step(session, peer, { kind: 'ended-by-both' }, reason);
  await session.registry.updateContract(peer, (contract) => {
    if (contract === undefined) throw new BbError('NO_CONTRACT', 'there is no contract with this peer');
    return { ...contract, noticeGivenSeconds: 0, endedBy: 'us' };
  });
  await dropReleased(session, peer);
  planFor(session, 'close', peer, 0);
}
