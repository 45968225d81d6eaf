// Metadata <-> storedpb.v1.Metadata. The bytes come out of an authentic head, yet every length, range and count is
// checked: another version, or our own bug, may have written them.

import { CONTENT_FORMAT } from '../../core/content/metadata.ts';
import type { Metadata, MetadataPeer } from '../../core/content/metadata.ts';
import type { MetadataCodec } from '../../ports/metadata-codec.ts';
import { ANCESTOR_BYTES } from '../../core/content/ancestors.ts';
import { CHUNK_ID_BYTES } from '../../core/content/chunk-id.ts';
import { CONTRACT_STATES } from '../../core/contract/state.ts';
import { CONTENT_ID_BYTES } from '../../core/crypto/content-id.ts';
import { BbError } from '../../core/errors.ts';
import { APPROVALS } from '../../core/records.ts';
import {
  ANCESTORS,
  CELL_LOG2,
  CONTENT_BYTES,
  CONTENT_CELLS,
  GENERATIONS,
  INDEX_ROOT_CHUNKS,
  METADATA_BYTES,
  METADATA_TEXT_BYTES,
  MIN_REPLICAS_MAX,
  PEERS,
  ROOT_LEVELS,
} from '../../core/limits.ts';
import * as pb from '../../gen/storedpb/v1/stored.ts';

const EMPTY = Buffer.alloc(0);
const MS_PER_S = 1000;
const NS_PER_MS = 1_000_000;
/** Every time of these seconds is an exact number of milliseconds. */
const SECONDS_MAX = Math.floor(Number.MAX_SAFE_INTEGER / MS_PER_S) - 1;

export const metadataCodec: MetadataCodec = {
  encode(metadata) {
    const bytes = Buffer.from(pb.Metadata.encode(toMessage(metadata)).finish());
    if (bytes.length > METADATA_BYTES) throw new BbError('TOO_LARGE', 'there is too much metadata for one revision');
    return bytes;
  },
  decode(bytes) {
    if (bytes.length > METADATA_BYTES) return undefined;
    const message = messageOf(bytes);
    if (message === undefined) return undefined;
    if (message.formatMin > CONTENT_FORMAT) {
      throw new BbError('INCOMPATIBLE', 'this content was written by a newer version');
    }
    try {
      return fromMessage(message);
    } catch {
      return undefined;
    }
  },
};

function messageOf(bytes: Buffer): pb.Metadata | undefined {
  try {
    return pb.Metadata.decode(bytes);
  } catch {
    return undefined;
  }
}

function toMessage(metadata: Metadata): pb.Metadata {
  return {
    mostRecentContent: {
      createdAt: BigInt(Math.floor(metadata.createdMs / MS_PER_S)),
      createdAtNs: BigInt(Math.floor(metadata.createdMs % MS_PER_S) * NS_PER_MS),
      metadataAeadLength: 0n,
      generation: metadata.generation,
      sequence: BigInt(metadata.sequence),
      revNonce: EMPTY,
      cellCount: 0,
      cellLog2: CELL_LOG2,
      flags: 0,
    },
    contentLength: BigInt(metadata.contentBytes),
    contentSha256: metadata.contentRoot,
    peers: metadata.peers.map(peerToMessage),
    previousContentId: metadata.previousContentId,
    ancestors: metadata.ancestors,
    generations: metadata.generations.map(({ generation, lastSequence }) => ({
      generation,
      lastSequence: BigInt(lastSequence),
    })),
    indexCells: metadata.indexCells,
    indexRoot: { level: metadata.indexRoot.level, chunkIds: Buffer.concat([...metadata.indexRoot.chunkIds]) },
    dataCells: metadata.dataCells,
    fileCount: BigInt(metadata.fileCount),
    fileBytes: BigInt(metadata.fileBytes),
    settings: { ...metadata.settings, storageLimitBytes: BigInt(metadata.settings.storageLimitBytes) },
    formatMin: metadata.formatMin,
    settled: metadata.settled,
  };
}

function peerToMessage(peer: MetadataPeer): pb.Peer {
  return {
    onionPubkey: peer.pubkey,
    aeadKey: peer.aeadKey,
    scoreSeconds: BigInt(Math.floor(peer.scoreSeconds)),
    scoreMeasuredAt: BigInt(Math.floor(peer.scoreMeasuredAtSeconds)),
    terms: peer.terms,
    proposerSig: peer.proposerSignature,
    acceptorSig: peer.acceptorSignature,
    introducer: peer.introducer,
    added: peer.added,
    pinned: peer.pinned,
    name: peer.name,
    addedAt: BigInt(Math.floor(peer.addedAtSeconds)),
    contractState: peer.contractState,
    role: peer.role,
    blocked: peer.blocked,
    limitBytes: BigInt(peer.limitBytes),
    unreachabilityPermille: permille(1 - peer.reachability),
    distrustPermille: permille(1 - peer.integrity),
  };
}

/** Throws on the first field that is out of bounds. */
function fromMessage(message: pb.Metadata): Metadata {
  const revision = need(message.mostRecentContent);
  const root = need(message.indexRoot);
  const settings = need(message.settings);
  const dataCells = upTo(message.dataCells, CONTENT_CELLS);
  const minReplicas = upTo(settings.minReplicas, MIN_REPLICAS_MAX);
  if (revision.cellLog2 !== CELL_LOG2 || revision.flags !== 0) throw wrong();
  return {
    generation: revision.generation,
    sequence: natural(revision.sequence),
    createdMs:
      natural(revision.createdAt, SECONDS_MAX) * MS_PER_S +
      Math.floor(natural(revision.createdAtNs, 999_999_999) / NS_PER_MS),
    previousContentId: sized(message.previousContentId, 0, CONTENT_ID_BYTES),
    ancestors: packed(message.ancestors, ANCESTOR_BYTES, ANCESTORS),
    generations: counted(message.generations, GENERATIONS).map(({ generation, lastSequence }) => ({
      generation,
      lastSequence: natural(lastSequence),
    })),
    contentBytes: natural(message.contentLength, CONTENT_BYTES),
    contentRoot: sized(message.contentSha256, 32),
    indexCells: packed(message.indexCells, 32, CONTENT_CELLS),
    indexRoot: {
      level: upTo(root.level, ROOT_LEVELS),
      chunkIds: split(packed(root.chunkIds, CHUNK_ID_BYTES, INDEX_ROOT_CHUNKS), CHUNK_ID_BYTES),
    },
    dataCells,
    fileCount: natural(message.fileCount),
    fileBytes: natural(message.fileBytes),
    peers: counted(message.peers, PEERS).map(peerFromMessage),
    settings: {
      name: text(settings.name),
      storageLimitBytes: natural(settings.storageLimitBytes),
      minReplicas,
      approval: APPROVALS.find((word) => word === settings.approval) ?? 'added',
      unlisted: settings.unlisted,
    },
    formatMin: message.formatMin,
    settled: packed(message.settled, ANCESTOR_BYTES, ANCESTORS),
  };
}

function peerFromMessage(peer: pb.Peer): MetadataPeer {
  return {
    pubkey: sized(peer.onionPubkey, 32),
    name: text(peer.name),
    aeadKey: sized(peer.aeadKey, 0, 32),
    scoreSeconds: natural(peer.scoreSeconds),
    scoreMeasuredAtSeconds: natural(peer.scoreMeasuredAt),
    terms: packed(peer.terms, 1, METADATA_TEXT_BYTES),
    proposerSignature: sized(peer.proposerSig, 0, 64),
    acceptorSignature: sized(peer.acceptorSig, 0, 64),
    introducer: sized(peer.introducer, 0, 32),
    added: peer.added,
    pinned: peer.pinned,
    addedAtSeconds: natural(peer.addedAt),
    contractState: upTo(peer.contractState, CONTRACT_STATES.length),
    role: peer.role,
    blocked: peer.blocked,
    limitBytes: natural(peer.limitBytes),
    reachability: 1 - upTo(peer.unreachabilityPermille, 1000) / 1000,
    integrity: 1 - upTo(peer.distrustPermille, 1000) / 1000,
  };
}

function permille(part: number): number {
  return Math.round(Math.min(1, Math.max(0, part)) * 1000);
}

function wrong(): Error {
  return new Error('a field of the metadata is out of bounds');
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw wrong();
  return value;
}

function natural(value: bigint, max = Number.MAX_SAFE_INTEGER): number {
  if (value < 0n || value > BigInt(max)) throw wrong();
  return Number(value);
}

function upTo(value: number, max: number): number {
  if (value > max) throw wrong();
  return value;
}

function counted<T>(values: readonly T[], max: number): readonly T[] {
  if (values.length > max) throw wrong();
  return values;
}

function sized(bytes: Buffer, ...lengths: readonly number[]): Buffer {
  if (!lengths.includes(bytes.length)) throw wrong();
  return bytes;
}

function packed(bytes: Buffer, itemBytes: number, maxItems: number): Buffer {
  if (bytes.length % itemBytes !== 0 || bytes.length / itemBytes > maxItems) throw wrong();
  return bytes;
}

function split(bytes: Buffer, itemBytes: number): Buffer[] {
  return Array.from({ length: bytes.length / itemBytes }, (_, index) =>
    bytes.subarray(index * itemBytes, (index + 1) * itemBytes),
  );
}

function text(value: string): string {
  if (Buffer.byteLength(value) > METADATA_TEXT_BYTES) throw wrong();
  return value;
}
