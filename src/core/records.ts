// Sealed records of the catalog: few, small, all in memory after unlock. Values are plain data
// (strings, numbers, booleans, Buffers, arrays, objects); the catalog seals each as one row.

import type { ChallengeOutcome } from './challenge/question.ts';
import type { ContractEventKind } from './contract/machine.ts';
import type { Conduct } from './contract/score.ts';
import type { ContractState } from './contract/state.ts';
import type { OnionId } from './ids.ts';

/** 32 hex digits: the random id of a sealed row. */
export type RecordId = string & { readonly brand: 'RecordId' };

export type PeerRecord = {
  readonly onionId: OnionId;
  readonly name: string;
  /** Typed, pinned or approved by the user; all others are strangers. */
  readonly added: boolean;
  readonly addedMs: number;
  readonly introducer: OnionId | undefined;
  readonly pinned: boolean;
  /** 32 bytes or empty. */
  readonly aeadKey: Buffer;
  readonly lastReachedMs: number;
  /** Dial-back: we reached HealthCheck at its onion. */
  readonly dialledBack: boolean;
  /** The user wants nothing to do with it: it is neither answered nor called. */
  readonly blocked: boolean;
  /** It asked not to be passed on. */
  readonly unlisted: boolean;
  /** The most that is promised to it; 0 = no limit of its own. */
  readonly limitBytes: number;
};

/** Our content at a peer: what it was offered, acknowledged and proved. */
export type ReplicaRecord = {
  readonly offered: Buffer;
  readonly offeredMs: number;
  readonly acknowledged: Buffer;
  readonly acknowledgedMs: number;
  /** The storer's latest_known for us, the base of the compare-and-swap. */
  readonly latestKnown: Buffer;
  readonly lastChecked: Buffer;
  readonly lastOutcome: ChallengeOutcome | undefined;
  readonly lastCheckMs: number;
  readonly lastHeldMs: number;
  /** Revision that the last judged check (held or wrong) proved; emptied by a wrong one. Late and unreachable keep it. */
  readonly proved: Buffer;
  /** Where the coverage sweep of spot checks goes on. */
  readonly sweep: { readonly indexCell: number; readonly dataCell: number };
  /** Wall clock of the last judged check that swept, or of the first check ever; 0 if none. */
  readonly lastSweepMs: number;
  /** Counted seconds since which a revision is offered and not acknowledged, and when the peer last fetched a fair part of it. */
  readonly offerSeconds: number;
  readonly progressSeconds: number;
  /** Revision ids of ours that this peer holds or pulls. */
  readonly lists: readonly Buffer[];
  readonly loss: LossRecord;
};

/** What a peer lost of our content and got again, in counted seconds; -1 = never. */
export type LossRecord = {
  /** Cells served for repair; they count until `repairAllowance` has passed since the last of them. */
  readonly repairedCells: number;
  readonly repairedSeconds: number;
  /** When it was last given everything again. */
  readonly repullSeconds: number;
  /** The first of the wrong proofs in a row. */
  readonly wrongSeconds: number;
  /** Cells of a revision that were swept `held` in a row by checks of kind `cure`. */
  readonly cure: { readonly contentId: Buffer; readonly cells: number };
};

/** Where the background reading of all cells goes on: by number of the own cell, by list and cell of what is held. */
export type ScrubRecord = {
  readonly ownCell: number;
  readonly heldList: number;
  readonly heldCell: number;
};

/** Remaining seconds as (value, slope, counted seconds at the last change). */
export type LedgerRecord = {
  readonly valueSeconds: number;
  readonly slopePermille: number;
  readonly countedSeconds: number;
};

/** What the state machine of contracts remembers besides state and ledger, in counted seconds; -1 = never. */
export type LifeRecord = {
  /** Entry into the present state. */
  readonly enteredSeconds: number;
  /** Seconds spent ACTIVE before the present state. */
  readonly activeSeconds: number;
  /** When the disaster floor was last given. */
  readonly floorSeconds: number;
  /** When the last pause for a recovering owner began. */
  readonly pauseSeconds: number;
  /** When notice ends, in state ENDING. */
  readonly noticeEndSeconds: number;
};

/** One step of a contract, kept to be shown. */
export type TransitionRecord = {
  readonly atMs: number;
  readonly from: ContractState;
  readonly to: ContractState;
  readonly event: ContractEventKind;
  /** In words; empty when the event says it all. */
  readonly reason: string;
  /** What we owe the peer from then on. */
  readonly remainingSeconds: number;
};

/** Terms that are not agreed yet, as far as they are signed. */
export type OpenTermsRecord = {
  readonly terms: Buffer;
  readonly proposerSignature: Buffer;
  /** Empty until the acceptor signed. */
  readonly acceptorSignature: Buffer;
  readonly sinceMs: number;
};

export type ContractRecord = {
  readonly peer: OnionId;
  readonly terms: Buffer;
  readonly proposerSignature: Buffer;
  readonly acceptorSignature: Buffer;
  readonly state: ContractState;
  readonly reason: string;
  readonly sinceMs: number;
  readonly ledger: LedgerRecord;
  readonly life: LifeRecord;
  readonly replica: ReplicaRecord;
  /** Newest content id that the peer offered us for itself, taken or not; the other half of the compare-and-swap. */
  readonly theirLatestKnown: Buffer;
  /** What became of that offer, for our answer to GetContentRevision. */
  readonly theirPull: 'NONE' | 'PULLING' | 'QUOTA' | 'NO_SPACE';
  /** Remaining seconds that the peer last reported for us. */
  readonly ourRemainingSeconds: number;
  /** Counted seconds of this node when the peer was last in touch, and when it last proved our copy or first had one. */
  readonly reachedSeconds: number;
  readonly provedSeconds: number;
  /** How the peer has behaved, as of these counted seconds. */
  readonly conduct: Conduct;
  readonly conductSeconds: number;
  /** Newest last, at most CONTRACT_TRANSITIONS. */
  readonly transitions: readonly TransitionRecord[];
  /** Proposed in place of the standing terms, by either side. */
  readonly amendment: OpenTermsRecord | undefined;
  /** Seconds of notice that we gave and the peer has not answered yet; -1 = none. */
  readonly noticeGivenSeconds: number;
  /** Who gave notice, once the contract is ENDING. */
  readonly endedBy: 'nobody' | 'us' | 'peer';
  /** After terms with a shorter hold were signed: the old hold, and until when it is kept, in counted seconds. */
  readonly oldHold: { readonly holdSeconds: number; readonly untilSeconds: number };
};

/** A blob we keep for an owner. */
export type HeldRecord = {
  readonly owner: OnionId;
  readonly contentId: Buffer;
  readonly root: Buffer;
  readonly cells: number;
  /** Number of the leaf list in the catalog; -1 while the plan is not fetched. */
  readonly list: number;
  readonly role: 'pulling' | 'current' | 'kept';
  readonly sinceMs: number;
  /** For `kept`: counted seconds of this node at which the hold ends. */
  readonly holdEndSeconds: number;
  /** Counted seconds at which it became current, and at which it was superseded; 0 before that. */
  readonly currentSeconds: number;
  readonly keptSeconds: number;
  /** For `current`: the owner was told. */
  readonly reported: boolean;
};

export type SettingsRecord = {
  readonly name: string;
  readonly storageLimitBytes: number;
  readonly minReplicas: number;
  /** Whose proposals are accepted without a person. */
  readonly approval: Approval;
  /** Peers that we meet are asked not to pass our address on. */
  readonly unlisted: boolean;
};

export const APPROVALS = ['nobody', 'added', 'everyone'] as const;
export type Approval = (typeof APPROVALS)[number];

export type NodeMode = 'normal' | 'blocked' | 'recovering';

export type NodeRecord = {
  readonly mode: NodeMode;
  readonly modeSinceMs: number;
  /** Highest (generation, sequence) that we sealed or recovered: the base of the lineage guard. */
  readonly baseGeneration: number;
  readonly baseSequence: number;
  readonly baseContentId: Buffer;
  /** Seconds counted in ticks in which we were up and connected. */
  readonly countedSeconds: number;
  /** A change of peers, terms or settings is not in a revision yet. */
  readonly dirty: boolean;
  /** While recovering: the revision being restored; empty before one was found. */
  readonly recoveringId: Buffer;
  /** While recovering: counted seconds at which the first holder answered; -1 = none did. */
  readonly firstAnswerSeconds: number;
  /** While recovering: the sequence that the user named as the one to restore; 0 = none. */
  readonly acceptedSequence: number;
  /** The user said (`bb init --new`) that nobody holds anything for this typed secret. */
  readonly newIdentity: boolean;
  /** Counted seconds at which the number of copies fell below the target; -1 = it did not. */
  readonly belowSeconds: number;
  /** Files that the last recovery could not bring back. */
  readonly missingFiles: number;
  /** Names of the first of them, at most MISSING_NAMES. */
  readonly missingNames: readonly Buffer[];
  readonly forks: readonly Buffer[];
  readonly scrub: ScrubRecord;
};

export type CatalogRecord =
  | { readonly id: RecordId; readonly kind: 'peer'; readonly value: PeerRecord }
  | { readonly id: RecordId; readonly kind: 'contract'; readonly value: ContractRecord }
  | { readonly id: RecordId; readonly kind: 'held'; readonly value: HeldRecord }
  | { readonly id: RecordId; readonly kind: 'settings'; readonly value: SettingsRecord }
  | { readonly id: RecordId; readonly kind: 'node'; readonly value: NodeRecord };

export type RecordKind = CatalogRecord['kind'];
