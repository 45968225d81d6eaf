// Messages of the daemon as the data of --json: snake_case keys, times in RFC 3339 UTC or null, sizes as integers, ids and
// content ids as strings. Scripts depend on these names; they only ever grow.

import { peerUri } from '../src/core/ids.ts';
import type { OnionId } from '../src/core/ids.ts';
import { EntryKind, NodeMode, NodeState, SecretMode, Verdict } from '../src/gen/clirpc/v1/clirpc.ts';
import type {
  ContractInfo,
  HeldInfo,
  OpenTerms,
  Entry,
  PeerInfo,
  Progress,
  Replica,
  RevisionInfo,
  StatusResponse,
  StorageConfig,
  StorageInfo,
  Transfer,
  WeakestFiles,
} from '../src/gen/clirpc/v1/clirpc.ts';
import { progressJson } from './progress.ts';
import { utf8Name } from './safe-text.ts';

export type View = Readonly<Record<string, unknown>>;

/** Names of an enum on the wire without their prefix, in small letters. */
function wordOf(values: Readonly<Record<string, number>>, prefix: string, value: number): string {
  const name = Object.entries(values).find(([, number]) => number === value)?.[0] ?? '';
  return name.startsWith(prefix) ? name.slice(prefix.length).toLowerCase() : 'unknown';
}

export const stateWord = (state: NodeState): string => wordOf(NodeState, 'NODE_STATE_', state);
export const modeWord = (mode: NodeMode): string | null =>
  mode === NodeMode.NODE_MODE_UNSPECIFIED ? null : wordOf(NodeMode, 'NODE_MODE_', mode);
/** PROTECTED, AT_RISK or NOT_PROTECTED; null while locked. */
export const verdictWord = (verdict: Verdict): string | null =>
  verdict === Verdict.VERDICT_UNSPECIFIED ? null : wordOf(Verdict, 'VERDICT_', verdict).toUpperCase();
export const kindWord = (kind: EntryKind): string => wordOf(EntryKind, 'ENTRY_KIND_', kind);

export function timeView(ms: bigint): string | null {
  return ms === 0n ? null : new Date(Number(ms)).toISOString();
}

export function revisionView(revision: RevisionInfo | undefined): View | null {
  if (revision === undefined) return null;
  return {
    content_id: revision.contentId.toString('hex'),
    generation: revision.generation,
    sequence: Number(revision.sequence),
    created: timeView(revision.createdMs),
    content_bytes: Number(revision.contentLength),
    files: Number(revision.fileCount),
    file_bytes: Number(revision.fileBytes),
  };
}

export function replicaView(replica: Replica): View {
  return {
    peer: replica.peer?.onionServiceId ?? '',
    name: replica.peer?.name ?? '',
    newest: replica.newest,
    verified: replica.verified,
    state: replica.state,
    outcome: replica.outcome === '' ? null : replica.outcome,
    checked: timeView(replica.checkedMs),
    held: timeView(replica.heldMs),
    sequence: Number(replica.sequence),
    proved_sequence: Number(replica.provedSequence),
  };
}

function weakestView({ copies, files, names }: WeakestFiles): View {
  return { copies, files: Number(files), names: names.map((name) => name.toString('utf8')) };
}

export function jobView(job: Progress): View {
  const { t: _type, ...rest } = progressJson(job);
  return rest;
}

export function transferView(transfer: Transfer): View {
  return {
    peer: transfer.peer?.onionServiceId ?? '',
    name: transfer.peer?.name ?? '',
    served_bytes: Number(transfer.servedBytes),
    pulled_bytes: Number(transfer.pulledBytes),
    recovered_bytes: Number(transfer.recoveredBytes),
    returned_bytes: Number(transfer.returnedBytes),
  };
}

export function peerView(peer: PeerInfo, presence: string): View {
  const onionId = peer.peer?.onionServiceId ?? '';
  return {
    onion_id: onionId,
    uri: peerUri(onionId as OnionId),
    name: peer.peer?.name ?? '',
    added: peer.added,
    connected: peer.connected,
    presence,
    last_reached: timeView(peer.lastReachedMs),
    added_at: timeView(peer.addedMs),
    key_exchange: peer.keyExchange === '' ? null : peer.keyExchange,
    introducer: peer.introducer === '' ? null : peer.introducer,
    contract_state: peer.contractState === '' ? null : peer.contractState,
    pinned: peer.pinned,
    blocked: peer.blocked,
    unlisted: peer.unlisted,
    limit_bytes: peer.limitBytes === 0n ? null : Number(peer.limitBytes),
  };
}

export function contractView(contract: ContractInfo): View {
  return {
    peer: contract.peer?.onionServiceId ?? '',
    name: contract.peer?.name ?? '',
    state: contract.state,
    explanation: contract.explanation,
    online: contract.online,
    synced: contract.ourContentSynced,
    give_bytes: Number(contract.giveBytes),
    get_bytes: Number(contract.getBytes),
    term_seconds: Number(contract.durationSeconds),
    hold_seconds: Number(contract.holdSeconds),
    check_period_seconds: Number(contract.checkPeriodSeconds),
    notice_seconds: Number(contract.noticeSeconds),
    our_remaining_seconds: Number(contract.ourRemainingSeconds),
    their_remaining_seconds: Number(contract.theirRemainingSeconds),
    their_content_bytes: Number(contract.theirContentLength),
    pulling_bytes: Number(contract.pullingBytes),
    terms_version: contract.termsVersion,
    proposed_by_us: contract.proposedByUs,
    replica: contract.replica === undefined ? null : replicaView(contract.replica),
    ended_by: contract.endedBy === 'nobody' ? null : contract.endedBy,
    notice_unanswered: contract.noticeUnanswered,
    open_terms: contract.open === undefined ? null : openTermsView(contract.open),
  };
}

function openTermsView(open: OpenTerms): View {
  return {
    proposed_by_us: open.proposedByUs,
    waits_for_us: open.waitsForUs,
    give_bytes: Number(open.giveBytes),
    get_bytes: Number(open.getBytes),
    term_seconds: Number(open.durationSeconds),
    hold_seconds: Number(open.holdSeconds),
    since: timeView(open.sinceMs),
  };
}

export function ledgerView(contract: ContractInfo): View {
  return {
    peer: contract.peer?.onionServiceId ?? '',
    name: contract.peer?.name ?? '',
    state: contract.state,
    our_remaining_seconds: Number(contract.ourRemainingSeconds),
    their_remaining_seconds: Number(contract.theirRemainingSeconds),
    transitions: contract.transitions.map(({ atMs, from, to, event, reason, remainingSeconds }) => ({
      at: timeView(atMs),
      from,
      to,
      event,
      reason,
      remaining_seconds: Number(remainingSeconds),
    })),
  };
}

export function heldView(held: HeldInfo): View {
  return {
    peer: held.peer?.onionServiceId ?? '',
    name: held.peer?.name ?? '',
    state: held.state === '' ? null : held.state,
    charge_bytes: Number(held.chargeBytes),
    promised_bytes: Number(held.promisedBytes),
    current_bytes: Number(held.currentBytes),
    pulling_bytes: Number(held.pullingBytes),
    kept_revisions: held.keptRevisions,
    hold_seconds: Number(held.holdSeconds),
    remaining_seconds: Number(held.remainingSeconds),
    evictable_bytes: Number(held.evictableBytes),
  };
}

export function storageView(config: StorageConfig | undefined, info: StorageInfo | undefined): View {
  return {
    limit_bytes: Number(config?.allocatedStorageForPeers ?? 0n),
    min_replicas: Number(config?.minReplicas ?? 0n),
    online_peers_bytes: Number(info?.onlinePeersStorageObligationsBytes ?? 0n),
    offline_peers_bytes: Number(info?.offlinePeersStorageObligationsBytes ?? 0n),
    expired_peers_bytes: Number(info?.expiredOfflinePeersStorageObligationsBytes ?? 0n),
    promised_bytes: Number(info?.promisedBytes ?? 0n),
    acceptable_bytes: Number(info?.maximumPeerContentAcceptedBytes ?? 0n),
    our_content_bytes: Number(info?.ourContentBytes ?? 0n),
    disk_free_bytes: Number(info?.diskFreeBytes ?? 0n),
  };
}

/** A stored name as JSON: text under `key`; when that loses bytes, because it is no UTF-8, all of them under `<key>_b64`. */
export function bytesView(key: string, name: Buffer): View {
  const text = utf8Name(name);
  return text === undefined
    ? { [key]: name.toString('utf8'), [`${key}_b64`]: name.toString('base64') }
    : { [key]: text };
}

export function nameView(name: Buffer): View {
  return bytesView('path', name);
}

export function entryView(entry: Entry): View {
  return {
    ...nameView(entry.name),
    kind: kindWord(entry.kind),
    size: Number(entry.size),
    mtime: new Date(Number(entry.mtimeNs / 1_000_000n)).toISOString(),
    mtime_ns: entry.mtimeNs.toString(),
    mode: entry.mode.toString(8).padStart(4, '0'),
    uid: entry.uid,
    gid: entry.gid,
    ...(entry.target.length === 0 ? { target: null } : bytesView('target', entry.target)),
    sha256: entry.sha256.length === 0 ? null : entry.sha256.toString('hex'),
    changed_while_read: (entry.marks & 1) !== 0,
    unreadable: (entry.marks & 2) !== 0,
  };
}

export function statusView(status: StatusResponse): View {
  const { tor } = status;
  return {
    state: stateWord(status.state),
    mode: modeWord(status.mode),
    verdict: verdictWord(status.verdict),
    reasons: status.reasons.map(({ code, message, next }) => ({ code, message, next: next === '' ? null : next })),
    proven: timeView(status.provenMs),
    onion_id: status.onionServiceId === '' ? null : status.onionServiceId,
    uri: status.onionServiceId === '' ? null : peerUri(status.onionServiceId as OnionId),
    name: status.name,
    tor: {
      phase: tor?.phase ?? 'absent',
      percent: tor?.percent ?? 0,
      words: tor?.words ?? '',
      version: tor?.version ?? '',
      published: tor?.published ?? false,
    },
    revision: revisionView(status.revision),
    files: Number(status.fileCount),
    file_bytes: Number(status.fileBytes),
    replicas: status.replicas.map(replicaView),
    verified_replicas: status.verifiedReplicas,
    effective_replicas: status.effectiveReplicasPermille / 1000,
    forecast: status.forecast === '' ? null : status.forecast,
    weakest: status.weakest === undefined ? null : weakestView(status.weakest),
    min_replicas: status.minReplicas,
    pending: status.pending,
    jobs: status.jobs.map(jobView),
    transfers: status.transfers.map(transferView),
    missing_files: Number(status.missingFiles),
    forks: status.forks.map((fork) => fork.toString('hex')),
    held_bytes: Number(status.heldBytes),
    secret_mode:
      status.secretMode === SecretMode.SECRET_MODE_UNSPECIFIED
        ? null
        : wordOf(SecretMode, 'SECRET_MODE_', status.secretMode),
    time_divisor: status.timeDivisor,
    version: status.version,
  };
}
