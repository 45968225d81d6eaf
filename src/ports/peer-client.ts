// The bbrpc calls a daemon makes to another daemon, in the words of the core: no protobuf here.
// Every call has a deadline, may be aborted, and throws BbError: PEER_UNREACHABLE, REFUSED_BY_PEER
// or BAD_PEER_DATA; INTERRUPTED when the caller's own signal aborted. A refusal that the protocol names comes as PeerRefusal.

import type { OnionId } from '../core/ids.ts';
import type { ContractState } from '../core/contract/state.ts';
import type { CellRange, ChallengeQuestion } from '../core/challenge/question.ts';

export type ContentInfo = {
  /** 64 bytes, or empty for no content. */
  readonly contentId: Buffer;
  readonly contentBytes: number;
  /** Merkle root over the leaves of the blob as sealed for the storer, 32 bytes. */
  readonly root: Buffer;
};

export type PullState = 'NONE' | 'PULLING' | 'QUOTA' | 'NO_SPACE';

export type RevisionReport = {
  readonly requesterContent: ContentInfo | undefined;
  readonly requesterRemainingSeconds: number;
  readonly responderContent: ContentInfo | undefined;
  readonly requesterLatestKnown: Buffer;
  readonly requesterOlder: readonly ContentInfo[];
  readonly contractState: ContractState | undefined;
  readonly responderRecovering: boolean;
  readonly requesterPull: PullState;
};

export type OfferOutcome = 'ACCEPTED_PULLING' | 'REFUSED' | 'QUOTA' | 'NO_SPACE' | 'CAS_MISMATCH';

export type Offer = {
  readonly content: ContentInfo | undefined;
  readonly previousContentId: Buffer;
  readonly delete: boolean;
  readonly newCells: number;
};

export type DownloadRequest = {
  readonly contentId: Buffer;
  readonly offset: number;
  /** 0 = to the end. */
  readonly length: number;
  readonly referenceContentId: Buffer;
  readonly repair: boolean;
  readonly leaves: boolean;
};

/** One message of a Download stream. The first carries totalBytes and root. */
export type DownloadSection =
  | { readonly kind: 'head'; readonly totalBytes: number; readonly root: Buffer }
  | { readonly kind: 'raw'; readonly bytes: Buffer }
  | { readonly kind: 'reference'; readonly offsetBytes: number; readonly lengthBytes: number }
  | { readonly kind: 'leaves'; readonly leaves: Buffer };

export type Hello = {
  readonly clientOnion: OnionId;
  readonly serverOnion: OnionId;
  readonly protocolMin: number;
  readonly protocolMax: number;
  /** 16 bytes; only when we called our own onion. */
  readonly instance: Buffer;
};

/** Cells of the owner's revision that a storer lost. */
export type LossReport = { readonly contentId: Buffer; readonly ranges: readonly CellRange[] };

/** What either side of a PeerExchange says. */
export type PeerShare = {
  readonly peers: readonly OnionId[];
  /** The speaker asks not to be passed on. */
  readonly unlisted: boolean;
};

export type ProposalAnswer = {
  readonly answer: 'ACCEPTED' | 'PENDING' | 'REJECTED';
  readonly signature: Buffer;
  readonly reason: string;
};

export type SignedTerms = {
  readonly terms: Buffer;
  readonly proposerSignature: Buffer;
  readonly acceptorSignature: Buffer;
  readonly state: ContractState | undefined;
  readonly remainingSeconds: number;
};

/** `deadlineMs` counts from the moment the session is up; reaching the peer has a deadline of its own. */
export type CallOptions = { readonly signal?: AbortSignal; readonly deadlineMs?: number };

export interface PeerClient {
  healthCheck(peer: OnionId, options?: CallOptions): Promise<Hello>;
  exchangePeers(peer: OnionId, ours: PeerShare, options?: CallOptions): Promise<PeerShare>;
  getContentRevision(peer: OnionId, held: Buffer, options?: CallOptions): Promise<RevisionReport>;
  setContentRevision(
    peer: OnionId,
    offer: Offer,
    options?: CallOptions,
  ): Promise<{ readonly outcome: OfferOutcome; readonly latestKnown: Buffer }>;
  /** `lane` 0 is the control channel; 1 to BULK_LANES are bulk channels on circuits of their own. */
  download(
    peer: OnionId,
    request: DownloadRequest,
    lane: number,
    options?: CallOptions,
  ): AsyncIterable<DownloadSection>;
  proposeContract(peer: OnionId, terms: Buffer, signature: Buffer, options?: CallOptions): Promise<ProposalAnswer>;
  acceptContract(
    peer: OnionId,
    digest: Buffer,
    accept: boolean,
    signature: Buffer,
    reason: string,
    options?: CallOptions,
  ): Promise<{ readonly state: ContractState | undefined }>;
  endContract(
    peer: OnionId,
    digest: Buffer,
    noticeSeconds: number,
    signature: Buffer,
    options?: CallOptions,
  ): Promise<{ readonly state: ContractState | undefined }>;
  /** Confesses to an owner that cells of its content are lost here. */
  reportLoss(peer: OnionId, loss: LossReport, options?: CallOptions): Promise<void>;
  getContract(peer: OnionId, options?: CallOptions): Promise<SignedTerms | undefined>;
  challenge(
    peer: OnionId,
    question: ChallengeQuestion,
    options?: CallOptions,
  ): Promise<{ readonly mac: Buffer; readonly blocksRead: number }>;
  /** True while an authenticated control session to the peer is up. */
  isConnected(peer: OnionId): boolean;
  /** Drops all channels to a peer; the next call uses a fresh circuit. */
  forget(peer: OnionId): void;
  /** A connect to the peer that is still under way begins anew on a fresh circuit. */
  redial(peer: OnionId): void;
  onConnection(listener: (event: PeerConnection) => void): () => void;
  close(): Promise<void>;
}

export type PeerConnection = {
  readonly peer: OnionId;
  readonly up: boolean;
  /** TLS key exchange group, such as X25519MLKEM768; empty when the connection is down. */
  readonly group: string;
};
