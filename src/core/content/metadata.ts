// Metadata: what survives a dead disk beside the files (docs/storage-format.md, "Metadata"). Plain data; the protobuf
// codec is src/storage/stored.

import type { GenerationEnd } from './ancestors.ts';
import type { Approval } from '../records.ts';
import type { RootList } from './root-list.ts';

/** What this version writes, and the newest that it reads (docs/storage-format.md). */
export const CONTENT_FORMAT = 1;

export type MetadataPeer = {
  /** 32 bytes. */
  readonly pubkey: Buffer;
  readonly name: string;
  /** 32 bytes or empty. */
  readonly aeadKey: Buffer;
  /** Verified peer-seconds behind the score, and when it was measured. */
  readonly scoreSeconds: number;
  readonly scoreMeasuredAtSeconds: number;
  /** Both 0 to 1, see core/contract/score. */
  readonly reachability: number;
  readonly integrity: number;
  /** Canonical terms; empty without a contract, as both signatures. */
  readonly terms: Buffer;
  readonly proposerSignature: Buffer;
  readonly acceptorSignature: Buffer;
  /** 32 bytes or empty. */
  readonly introducer: Buffer;
  /** Typed, pinned or approved by the user. */
  readonly added: boolean;
  readonly pinned: boolean;
  readonly addedAtSeconds: number;
  /** 1 + index in CONTRACT_STATES, 0 without a contract. */
  readonly contractState: number;
  /** 0: nothing special. */
  readonly role: number;
  readonly blocked: boolean;
  /** The most that is promised to it; 0 = no limit of its own. */
  readonly limitBytes: number;
};

export type MetadataSettings = {
  readonly name: string;
  readonly storageLimitBytes: number;
  readonly minReplicas: number;
  readonly approval: Approval;
  readonly unlisted: boolean;
};

export type Metadata = {
  /** Place of the revision it belongs to; the sealed content_id is authoritative. */
  readonly generation: number;
  readonly sequence: number;
  readonly createdMs: number;
  /** 64 bytes, or empty for the first revision. */
  readonly previousContentId: Buffer;
  /** Packed, 8 bytes each, see ancestors.ts. */
  readonly ancestors: Buffer;
  readonly generations: readonly GenerationEnd[];
  /** Bytes of index and data cells. */
  readonly contentBytes: number;
  /** Tree root over the cell ids of index, then data cells (merkle.ts, contentRoot). */
  readonly contentRoot: Buffer;
  /** Packed, 32 bytes each, in blob order. */
  readonly indexCells: Buffer;
  readonly indexRoot: RootList;
  readonly dataCells: number;
  readonly fileCount: number;
  readonly fileBytes: number;
  readonly peers: readonly MetadataPeer[];
  readonly settings: MetadataSettings;
  /** Oldest format version that reads this content, see CONTENT_FORMAT. */
  readonly formatMin: number;
  /** Packed, 8 bytes each, see ancestors.ts: forks that were merged or given up, newest first. */
  readonly settled: Buffer;
};
