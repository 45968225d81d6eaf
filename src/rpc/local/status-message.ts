// Status and Events for local programs: the one status object that every surface shows, and what happens.

import type { DaemonEvent, NodeState, StatusView, Verdict } from '../../daemon/local-api.ts';
import {
  NodeMode as WireMode,
  NodeState as WireState,
  SecretMode as WireSecret,
  Verdict as WireVerdict,
} from '../../gen/clirpc/v1/clirpc.ts';
import type { Event, StatusResponse } from '../../gen/clirpc/v1/clirpc.ts';
import type { NodeMode } from '../../core/records.ts';
import { progressMessage, replicaMessage, revisionMessage, transferMessage } from './views.ts';

const STATES: Readonly<Record<NodeState, WireState>> = {
  NOT_INITIALISED: WireState.NODE_STATE_NOT_INITIALISED,
  LOCKED: WireState.NODE_STATE_LOCKED,
  UNLOCKED: WireState.NODE_STATE_UNLOCKED,
};

const MODES: Readonly<Record<NodeMode, WireMode>> = {
  normal: WireMode.NODE_MODE_NORMAL,
  blocked: WireMode.NODE_MODE_BLOCKED,
  recovering: WireMode.NODE_MODE_RECOVERING,
};

const VERDICTS: Readonly<Record<Verdict, WireVerdict>> = {
  PROTECTED: WireVerdict.VERDICT_PROTECTED,
  AT_RISK: WireVerdict.VERDICT_AT_RISK,
  NOT_PROTECTED: WireVerdict.VERDICT_NOT_PROTECTED,
};

const SECRETS: Readonly<Record<'phrase' | 'password', WireSecret>> = {
  phrase: WireSecret.SECRET_MODE_PHRASE,
  password: WireSecret.SECRET_MODE_PASSWORD,
};

export function stateNumber(state: NodeState): WireState {
  return STATES[state];
}

/** A locked node has no mode. */
export function modeNumber(mode: NodeMode | undefined): WireMode {
  return mode === undefined ? WireMode.NODE_MODE_UNSPECIFIED : MODES[mode];
}

export function statusMessage(status: StatusView): StatusResponse {
  return {
    state: STATES[status.state],
    mode: modeNumber(status.mode),
    verdict: status.verdict === undefined ? WireVerdict.VERDICT_UNSPECIFIED : VERDICTS[status.verdict],
    reasons: status.reasons.map((reason) => ({ ...reason })),
    onionServiceId: status.onionId,
    name: status.name,
    tor: { ...status.tor, percent: Math.round(status.tor.percent), version: status.tor.version ?? '' },
    revision: status.revision && revisionMessage(status.revision),
    replicas: status.replicas.map(replicaMessage),
    verifiedReplicas: status.verifiedReplicas,
    effectiveReplicasPermille: Math.round(status.effectiveReplicas * 1000),
    forecast: status.forecast,
    weakest: status.weakest && {
      copies: status.weakest.copies,
      files: BigInt(status.weakest.files),
      names: [...status.weakest.names],
    },
    minReplicas: status.minReplicas,
    provenMs: BigInt(status.provenMs),
    jobs: status.jobs.map(progressMessage),
    transfers: status.transfers.map(transferMessage),
    timeDivisor: status.timeDivisor,
    version: status.version,
    pending: status.pending,
    missingFiles: BigInt(status.missingFiles),
    forks: [...status.forks],
    secretMode: status.secretMode === undefined ? WireSecret.SECRET_MODE_UNSPECIFIED : SECRETS[status.secretMode],
    heldBytes: BigInt(status.heldBytes),
    fileCount: BigInt(status.revision?.fileCount ?? 0),
    fileBytes: BigInt(status.revision?.fileBytes ?? 0),
  };
}

export function eventMessage(event: DaemonEvent): Event {
  return {
    sequence: BigInt(event.sequence),
    atMs: BigInt(event.atMs),
    name: event.name,
    attributes: { ...event.attributes },
    progress: event.progress && progressMessage(event.progress),
  };
}
