// What the daemon answers to local programs (bb), in plain data. The protobuf edge in `rpc/local`
// translates and nothing more; every surface shows the same views.

import type { Entry } from '../core/content/entry.ts';
import type { OnionId } from '../core/ids.ts';
import type { NodeMode, TransitionRecord } from '../core/records.ts';
import type { TorState } from '../ports/onion-host.ts';
import type { ReadItem, WeakestFiles } from '../ports/workers.ts';

export type NodeState = 'NOT_INITIALISED' | 'LOCKED' | 'UNLOCKED';
export type Verdict = 'PROTECTED' | 'AT_RISK' | 'NOT_PROTECTED';
export type ReasonView = { readonly code: string; readonly message: string; readonly next: string };

export type InitArgs = {
  readonly mode: 'phrase' | 'password';
  readonly generate: boolean;
  /** UTF-8; empty with generate. The callee wipes it. */
  readonly secret: Buffer;
  readonly account: string;
  readonly allowWeak: boolean;
  readonly name: string;
  readonly newIdentity: boolean;
};

export type RevisionView = {
  readonly contentId: Buffer;
  readonly generation: number;
  readonly sequence: number;
  readonly createdMs: number;
  readonly contentBytes: number;
  readonly fileCount: number;
  readonly fileBytes: number;
};

export type ReplicaView = {
  readonly peer: OnionId;
  readonly name: string;
  readonly newest: boolean;
  readonly verified: boolean;
  readonly outcome: string;
  readonly checkedMs: number;
  readonly heldMs: number;
  readonly state: 'offering' | 'pulling' | 'acknowledged' | 'refused' | 'idle';
  readonly sequence: number;
  /** Of the revision that the last judged check proved, 0 for none. */
  readonly provedSequence: number;
};

export type TransferView = {
  readonly peer: OnionId;
  readonly name: string;
  readonly servedBytes: number;
  readonly pulledBytes: number;
  readonly recoveredBytes: number;
  readonly returnedBytes: number;
};

export type ProgressView = {
  readonly job: string;
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  readonly bytesPerSec: number;
  readonly etaSec: number;
};

export type StatusView = {
  readonly state: NodeState;
  readonly mode: NodeMode | undefined;
  readonly verdict: Verdict | undefined;
  readonly reasons: readonly ReasonView[];
  readonly onionId: string;
  readonly name: string;
  readonly tor: TorState;
  readonly revision: RevisionView | undefined;
  readonly replicas: readonly ReplicaView[];
  readonly verifiedReplicas: number;
  /** Copies weighted by the scores of their holders. */
  readonly effectiveReplicas: number;
  /** What one more lost peer would mean, in a sentence; empty without a proved copy. */
  readonly forecast: string;
  /** The files with the fewest proved copies; undefined while nothing is set or nothing is known. */
  readonly weakest: WeakestFiles | undefined;
  readonly minReplicas: number;
  readonly provenMs: number;
  readonly jobs: readonly ProgressView[];
  readonly transfers: readonly TransferView[];
  readonly timeDivisor: number;
  readonly version: string;
  readonly pending: boolean;
  readonly missingFiles: number;
  readonly forks: readonly Buffer[];
  readonly secretMode: 'phrase' | 'password' | undefined;
  readonly heldBytes: number;
};

export type DaemonEvent = {
  readonly sequence: number;
  readonly atMs: number;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly progress: ProgressView | undefined;
};

export type PeerView = {
  readonly onionId: OnionId;
  readonly name: string;
  readonly added: boolean;
  readonly connected: boolean;
  /** Connected, or it answered within the last tick and no call to it has failed since. */
  readonly online: boolean;
  readonly lastReachedMs: number;
  readonly group: string;
  readonly introducer: string;
  readonly contractState: string;
  readonly addedMs: number;
  readonly pinned: boolean;
  readonly blocked: boolean;
  readonly unlisted: boolean;
  readonly limitBytes: number;
};

export type PeerChange =
  | { readonly kind: 'rename'; readonly name: string }
  | { readonly kind: 'pin' | 'unpin' | 'block' | 'unblock' }
  | { readonly kind: 'remove' }
  /** 0 = no limit of its own. */
  | { readonly kind: 'limit'; readonly limitBytes: number };

export type SetFileSource =
  | { readonly kind: 'path'; readonly path: Buffer; readonly name: Buffer }
  | { readonly kind: 'stream'; readonly name: Buffer; readonly bytes: AsyncIterable<Buffer>; readonly mode: number };

export type SetFileResult = {
  readonly revision: RevisionView | undefined;
  readonly addedFiles: number;
  readonly removedFiles: number;
  readonly skippedFiles: number;
  /** Stored names of the first of them, at most MISSING_NAMES. */
  readonly skippedNames: readonly Buffer[];
  readonly unchanged: boolean;
};

export type StorageView = {
  readonly limitBytes: number;
  readonly minReplicas: number;
  readonly onlineBytes: number;
  readonly offlineBytes: number;
  readonly expiredBytes: number;
  readonly ourContentBytes: number;
  readonly acceptableBytes: number;
  readonly promisedBytes: number;
  readonly diskFreeBytes: number;
};

/** What lies here for one owner. */
export type HeldView = {
  readonly peer: OnionId;
  readonly name: string;
  readonly state: string;
  /** What it uses of what is promised to it, shared cells counted once. */
  readonly chargeBytes: number;
  readonly promisedBytes: number;
  readonly currentBytes: number;
  readonly pullingBytes: number;
  readonly keptRevisions: number;
  /** Until the last hold is over. */
  readonly holdSeconds: number;
  readonly remainingSeconds: number;
  /** What goes when space is needed. */
  readonly evictableBytes: number;
};

export type ContractView = {
  readonly peer: OnionId;
  readonly name: string;
  readonly synced: boolean;
  readonly ourRemainingSeconds: number;
  readonly theirRemainingSeconds: number;
  readonly theirContentBytes: number;
  readonly online: boolean;
  readonly state: string;
  readonly explanation: string;
  readonly giveBytes: number;
  readonly getBytes: number;
  readonly durationSeconds: number;
  readonly holdSeconds: number;
  readonly checkPeriodSeconds: number;
  readonly noticeSeconds: number;
  readonly replica: ReplicaView;
  readonly termsVersion: number;
  readonly proposedByUs: boolean;
  readonly pullingBytes: number;
  /** Terms that wait for an answer, ours or the peer's; undefined if none. */
  readonly open: OpenTermsView | undefined;
  readonly endedBy: 'nobody' | 'us' | 'peer';
  /** Notice was given, and the peer has not answered yet. */
  readonly noticeUnanswered: boolean;
  readonly transitions: readonly TransitionRecord[];
};

export type OpenTermsView = {
  readonly proposedByUs: boolean;
  /** Waits for a word of our user. */
  readonly waitsForUs: boolean;
  readonly giveBytes: number;
  readonly getBytes: number;
  readonly durationSeconds: number;
  readonly holdSeconds: number;
  readonly sinceMs: number;
};

export type ProposeArgs = {
  readonly peer: string;
  readonly giveBytes: number;
  readonly getBytes: number;
  readonly durationSeconds: number;
  readonly holdSeconds: number;
  /** Of the standing terms; a size or time of 0 keeps what they say. Else a first proposal, where 0 is the default. */
  readonly amend: boolean;
};

export type ContractAnswer = { readonly contract: ContractView; readonly told: boolean };

/** Settings by their names in `bb config`. */
export type ConfigView = readonly { readonly key: string; readonly value: string; readonly meaning: string }[];

export type OperationState =
  | 'NOT_STARTED'
  | 'CONNECTING_TO_PEER'
  | 'PROPOSING_CONTRACT'
  | 'PEER_REFUSED'
  | 'SYNCING_CONTENTS'
  | 'CHECKING_CONTENTS'
  | 'OUR_CONTENT_REVISION_MISSING'
  | 'INVALID_CONTENT_RETURNED'
  | 'COMPLETED'
  | 'PENDING_PERSON';

export type ProposeUpdate = {
  readonly state: OperationState;
  readonly success: boolean;
  readonly reason: string;
  readonly contract: ContractView | undefined;
};

export type CheckUpdate = {
  readonly state: OperationState;
  readonly success: boolean;
  readonly outcome: string;
  readonly contentBytes: number;
  readonly sectionOffset: number;
  readonly sectionBytes: number;
  readonly blocks: number;
  readonly cells: number;
  readonly newest: boolean;
};

export type RecoverArgs = {
  /** A peer reference, or empty. */
  readonly from: string;
  readonly complete: boolean;
  readonly acceptSequence: number;
  readonly acceptLoss: boolean;
};

export type RecoverUpdate = {
  readonly phase: 'looking' | 'comparing' | 'index' | 'data' | 'committing' | 'restored' | 'complete';
  readonly mode: NodeMode;
  readonly newest: RevisionView | undefined;
  readonly holdersOfNewest: number;
  readonly holders: number;
  readonly versions: number;
  readonly downloadedBytes: number;
  readonly totalDownloadedBytes: number;
  readonly completeFiles: number;
  readonly missingFiles: number;
  /** Names of files that nobody could give back, at most MISSING_NAMES. */
  readonly missingNames: readonly Buffer[];
  readonly recovered: boolean;
  readonly waitingFor: string;
  readonly transfers: readonly TransferView[];
  readonly done: boolean;
};

export type DoctorArgs = {
  readonly fix: boolean;
  /** Every own and held cell is read and verified; LOCKED without keys. */
  readonly readData: boolean;
};

export type FindingCheck =
  | 'header'
  | 'catalog'
  | 'copy'
  | 'packs'
  | 'chunks'
  | 'permissions'
  | 'space'
  | 'clock'
  | 'tor'
  | 'own-cells'
  | 'held-cells';

export type Finding = {
  readonly check: FindingCheck;
  /** `fixed`: it was not ok, and now it is, or will be at the next unlock. */
  readonly state: 'ok' | 'warning' | 'damaged' | 'fixed' | 'cannot-fix';
  readonly message: string;
  /** The next step, empty when there is none. */
  readonly hint: string;
};

export type DoctorUpdate =
  | { readonly kind: 'finding'; readonly finding: Finding }
  | { readonly kind: 'progress'; readonly progress: ProgressView };

/** What a reading of every cell found. */
export type VerifiedView = {
  readonly ownCells: number;
  readonly ownDamaged: number;
  /** Of these what no peer in reach gave back. */
  readonly ownLost: number;
  /** The index is lost, so nothing is known of files. */
  readonly isIndexLost: boolean;
  readonly damagedFiles: number;
  /** At most MISSING_NAMES. */
  readonly damagedNames: readonly Buffer[];
  /** One per owner of held cells. */
  readonly peers: readonly VerifiedPeerView[];
};

export type VerifiedPeerView = {
  readonly peer: OnionId;
  readonly name: string;
  readonly cells: number;
  /** The owner is told, and they are fetched again. */
  readonly damaged: number;
};

export type VerifyUpdate =
  | { readonly kind: 'progress'; readonly progress: ProgressView }
  | { readonly kind: 'result'; readonly result: VerifiedView };

/** Peers are named by onion id, bb: URI, name or unique prefix. All methods throw BbError. */
export interface LocalApi {
  health(): { readonly version: string; readonly state: NodeState };
  init(args: InitArgs): Promise<{ readonly words: readonly string[]; readonly onionId: OnionId }>;
  /** The callee wipes the secret. */
  unlock(secret: Buffer): Promise<{ readonly onionId: OnionId }>;
  lock(): Promise<void>;
  status(): Promise<StatusView>;
  /** `recent`: the last events first, as EventBus.subscribe. */
  events(withProgress: boolean, signal: AbortSignal, recent?: boolean): AsyncIterable<DaemonEvent>;
  connectPeer(
    reference: string,
    name: string,
    wait: boolean,
  ): Promise<{ readonly peer: PeerView; readonly reached: boolean }>;
  peers(): Promise<readonly PeerView[]>;
  /** Undefined after a removal. */
  changePeer(reference: string, change: PeerChange): Promise<PeerView | undefined>;
  /** Milliseconds of one answered call. */
  pingPeer(reference: string, signal: AbortSignal): Promise<number>;
  /** The job goes on when the caller is gone, unless `signal` of a streamed source aborts. */
  setFile(
    source: SetFileSource,
    onProgress: (progress: ProgressView) => void,
    signal: AbortSignal,
  ): Promise<SetFileResult>;
  readFiles(name: Buffer): AsyncIterable<ReadItem>;
  listFiles(name: Buffer): AsyncIterable<readonly Entry[]>;
  removeFile(
    name: Buffer,
    dryRun: boolean,
  ): Promise<{ readonly removedFiles: number; readonly revision: RevisionView | undefined }>;
  storage(): Promise<StorageView>;
  /** 0 keeps the old value. `broken` names peers whose contracts may be broken for a smaller limit. */
  setStorage(limitBytes: number, minReplicas: number, broken?: readonly string[]): Promise<StorageView>;
  held(): Promise<readonly HeldView[]>;
  /** `rewrittenPacks`: in one bounded run; more goes in the background. */
  collectGarbage(
    evict: boolean,
  ): Promise<{ readonly droppedRevisions: number; readonly freedBytes: number; readonly rewrittenPacks: number }>;
  /** Joins the reading that runs, if one does; it goes on when `signal` aborts. */
  verifyStorage(signal: AbortSignal): AsyncIterable<VerifyUpdate>;
  contracts(reference: string): Promise<readonly ContractView[]>;
  propose(args: ProposeArgs, signal: AbortSignal): AsyncIterable<ProposeUpdate>;
  /** The word about a proposal that waits; `told` = the peer knows already. */
  answerProposal(reference: string, accept: boolean, signal: AbortSignal): Promise<ContractAnswer>;
  /** 0 = the notice of the terms. */
  endContract(reference: string, noticeSeconds: number, signal: AbortSignal): Promise<ContractAnswer>;
  config(): Promise<ConfigView>;
  /** USAGE for an unknown key or value. */
  setConfig(key: string, value: string): Promise<ConfigView>;
  check(reference: string, signal: AbortSignal): AsyncIterable<CheckUpdate>;
  recover(args: RecoverArgs, signal: AbortSignal): AsyncIterable<RecoverUpdate>;
  /** Works locked, and when header or catalog cannot be opened. */
  doctor(args: DoctorArgs, signal: AbortSignal): AsyncIterable<DoctorUpdate>;
}
