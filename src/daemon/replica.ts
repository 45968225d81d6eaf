// Our content at one peer, as a record: how it begins, how it changes, when it is behind.

import { STATE_EFFECTS } from '../core/contract/effects.ts';
import { BbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import type { ContractRecord, ReplicaRecord } from '../core/records.ts';
import { NO_LOSS } from '../core/policy/repair.ts';
import { getBytes } from './agreed-bytes.ts';
import type { Session } from './session.ts';

export function updateReplica(
  session: Session,
  peer: OnionId,
  change: (replica: ReplicaRecord) => ReplicaRecord,
): Promise<ContractRecord> {
  return session.registry.updateContract(peer, (contract) => {
    if (contract === undefined) throw new BbError('NO_CONTRACT', 'the contract is gone');
    return { ...contract, replica: change(contract.replica) };
  });
}

/** True when this peer should be told of our newest revision. */
export function wantsPublish(session: Session, contract: ContractRecord): boolean {
  return (
    session.node.mode === 'normal' &&
    session.newest !== undefined &&
    STATE_EFFECTS[contract.state].publish &&
    getBytes(session, contract) > 0 &&
    !contract.replica.acknowledged.equals(session.newest.row.contentId)
  );
}

/** The storer lost what it had: the next offer begins from nothing. */
export function emptyReplica(replica: ReplicaRecord): ReplicaRecord {
  const none = Buffer.alloc(0);
  return {
    ...replica,
    offered: none,
    acknowledged: none,
    latestKnown: none,
    lastOutcome: undefined,
    lastChecked: none,
    proved: none,
  };
}

export function freshReplica(): ReplicaRecord {
  const none = Buffer.alloc(0);
  return {
    offered: none,
    offeredMs: 0,
    acknowledged: none,
    acknowledgedMs: 0,
    latestKnown: none,
    lastChecked: none,
    proved: none,
    lastOutcome: undefined,
    lastCheckMs: 0,
    lastHeldMs: 0,
    sweep: { indexCell: 0, dataCell: 0 },
    lastSweepMs: 0,
    offerSeconds: 0,
    progressSeconds: 0,
    lists: [],
    loss: NO_LOSS,
  };
}
