// content_id: the sealed descriptor of a content revision. 48 fixed bytes under AES-SIV give 64 bytes that only the
// owner can recognise (docs/storage-format.md, "content_id").

import { BbError, invariant } from '../errors.ts';
import { CELL_LOG2, CONTENT_CELLS, METADATA_BYTES } from '../limits.ts';
import { sivOpen, sivSeal } from './aes-siv.ts';

export const REVISION_BYTES = 48;
export const CONTENT_ID_BYTES = 64;
const VERSION = 1;
const MAX_U32 = 0xffff_ffff;
const AAD = Buffer.from('bb1/cid');

/** One content revision. Order is (generation, sequence); the time is only informative. */
export type ContentRevision = {
  readonly generation: number;
  /** Never restarts, at most 2^53-1. */
  readonly sequence: number;
  readonly createdMs: number;
  /** 16 random bytes. */
  readonly nonce: Buffer;
  /** Bytes of the encoded Metadata. */
  readonly metaBytes: number;
  /** Cells of the whole blob, both head copies included. */
  readonly cellCount: number;
};

export function encodeRevision(revision: ContentRevision): Buffer {
  invariant(isInRange(revision), 'a content revision is in range');
  const bytes = Buffer.alloc(REVISION_BYTES);
  bytes.writeUInt8(VERSION, 0);
  bytes.writeUInt32BE(revision.generation, 2);
  bytes.writeBigUInt64BE(BigInt(revision.sequence), 6);
  bytes.writeBigUInt64BE(BigInt(revision.createdMs), 14);
  revision.nonce.copy(bytes, 22);
  bytes.writeUInt32BE(revision.metaBytes, 38);
  bytes.writeUInt32BE(revision.cellCount, 42);
  bytes.writeUInt8(CELL_LOG2, 46);
  return bytes;
}

/** INCOMPATIBLE for a version, flag or cell size of a later format, INTEGRITY for numbers out of range. */
export function decodeRevision(bytes: Buffer): ContentRevision {
  if (bytes.length !== REVISION_BYTES) throw new BbError('INTEGRITY', 'a content revision has 48 bytes');
  if (bytes[0] !== VERSION || bytes[1] !== 0 || bytes[46] !== CELL_LOG2 || bytes[47] !== 0) {
    throw new BbError('INCOMPATIBLE', 'this content revision was made by a newer version');
  }
  const revision: ContentRevision = {
    generation: bytes.readUInt32BE(2),
    sequence: Number(bytes.readBigUInt64BE(6)),
    createdMs: Number(bytes.readBigUInt64BE(14)),
    nonce: Buffer.from(bytes.subarray(22, 38)),
    metaBytes: bytes.readUInt32BE(38),
    cellCount: bytes.readUInt32BE(42),
  };
  if (!isInRange(revision)) throw new BbError('INTEGRITY', 'a number of the content revision is out of range');
  return revision;
}

/** 64 bytes under the key `bb1/cid/siv`. */
export function sealContentId(cidSiv: Uint8Array, revision: ContentRevision): Buffer {
  return sivSeal(cidSiv, AAD, encodeRevision(revision));
}

/** Undefined when this id was not sealed with our key; otherwise as decodeRevision. */
export function openContentId(cidSiv: Uint8Array, contentId: Uint8Array): ContentRevision | undefined {
  if (contentId.length !== CONTENT_ID_BYTES) return undefined;
  const bytes = sivOpen(cidSiv, AAD, contentId);
  return bytes === undefined ? undefined : decodeRevision(bytes);
}

function isInRange(revision: ContentRevision): boolean {
  return (
    isNatural(revision.generation, MAX_U32) &&
    isNatural(revision.sequence, Number.MAX_SAFE_INTEGER) &&
    isNatural(revision.createdMs, Number.MAX_SAFE_INTEGER) &&
    revision.nonce.length === 16 &&
    isNatural(revision.metaBytes, METADATA_BYTES) &&
    isNatural(revision.cellCount, CONTENT_CELLS)
  );
}

function isNatural(value: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= max;
}
