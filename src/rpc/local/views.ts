// Small views that several local messages share: peers, revisions, progress, replicas, transfers.

import type { ProgressView, ReplicaView, RevisionView, TransferView } from '../../daemon/local-api.ts';
import type { Peer, Progress, Replica, RevisionInfo, Transfer } from '../../gen/clirpc/v1/clirpc.ts';

export function peerMessage(onionServiceId: string, name: string): Peer {
  return { onionServiceId, name };
}

export function revisionMessage(revision: RevisionView): RevisionInfo {
  return {
    contentId: revision.contentId,
    generation: revision.generation,
    sequence: BigInt(revision.sequence),
    createdMs: BigInt(revision.createdMs),
    contentLength: BigInt(revision.contentBytes),
    fileCount: BigInt(revision.fileCount),
    fileBytes: BigInt(revision.fileBytes),
  };
}

export function progressMessage(progress: ProgressView): Progress {
  return {
    job: progress.job,
    phase: progress.phase,
    done: count(progress.done),
    total: count(progress.total),
    bytesPerSec: count(progress.bytesPerSec),
    etaSec: count(progress.etaSec),
  };
}

export function replicaMessage(replica: ReplicaView): Replica {
  return {
    peer: peerMessage(replica.peer, replica.name),
    newest: replica.newest,
    verified: replica.verified,
    outcome: replica.outcome,
    checkedMs: BigInt(replica.checkedMs),
    state: replica.state,
    sequence: BigInt(replica.sequence),
    heldMs: BigInt(replica.heldMs),
    provedSequence: BigInt(replica.provedSequence),
  };
}

export function transferMessage(transfer: TransferView): Transfer {
  return {
    peer: peerMessage(transfer.peer, transfer.name),
    servedBytes: BigInt(transfer.servedBytes),
    pulledBytes: BigInt(transfer.pulledBytes),
    recoveredBytes: BigInt(transfer.recoveredBytes),
    returnedBytes: BigInt(transfer.returnedBytes),
  };
}

/** Speeds and estimates are quotients; the wire has whole numbers. */
export function count(value: number): bigint {
  return Number.isFinite(value) && value > 0 ? BigInt(Math.round(value)) : 0n;
}
