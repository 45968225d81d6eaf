// Metadata: the sealed record beside the content. Whatever must survive the loss of a disk and is
// not a file is here (docs/storage-format.md, "Metadata"). Plain data; the protobuf codec is in
// storage/stored.

import type { OnionId } from '../ids.ts';

export type MetadataPeer = {
  readonly onionId: OnionId;
  /** 32 bytes or empty. */
  readonly aeadKey: Buffer;
  readonly scoreSeconds: number;
  /** Unix seconds. */
  readonly scoreMeasuredAt: number;
  /** Canonical terms and both signatures; empty without a contract. */
  readonly terms: Buffer;
  readonly proposerSignature: Buffer;
  readonly acceptorSignature: Buffer;
  /** Index in CONTRACT_STATES plus 1, 0 without a contract. */
  readonly contractState: number;
  readonly introducer: OnionId | undefined;
  readonly added: boolean;
  readonly pinned: boolean;
  readonly name: string;
  /** Unix seconds. */
  readonly addedAt: number;
};

export type GenerationEnd = { readonly generation: number; readonly lastSequence: number };

/** Chunk ids (16 bytes each) of a stream; above level 0 they name the stream of a longer list. */
export type RootList = { readonly level: number; readonly chunkIds: readonly Buffer[] };

export type Metadata = {
  readonly generation: number;
  readonly sequence: number;
  readonly createdMs: number;
  readonly previousContentId: Buffer;
  /** 8 bytes each: SHA-256(content_id)[0..8] of the last sequences, newest first. */
  readonly ancestors: Buffer;
  readonly generations: readonly GenerationEnd[];
  /** Bytes of index and data cells. */
  readonly contentBytes: number;
  /** Tree root over the cell ids of index then data cells, 32 bytes. */
  readonly contentRoot: Buffer;
  /** 32 bytes each, in blob order. */
  readonly indexCells: readonly Buffer[];
  readonly indexRoot: RootList;
  readonly dataCells: number;
  readonly fileCount: number;
  readonly fileBytes: number;
  readonly peers: readonly MetadataPeer[];
  readonly settings: { readonly name: string; readonly storageLimitBytes: number; readonly minReplicas: number };
  readonly formatMin: number;
};
