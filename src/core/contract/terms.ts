// Terms of mutual storage and their canonical bytes, which both sides sign with their onion keys
// (docs/protocol.md, "Terms"). Invariant: one Terms has exactly one byte form, and `decodeTerms` accepts
// only bytes that `encodeTerms` makes; what travels and what is signed are these bytes, never protobuf.
//
// Layout, big-endian, 133 bytes:
//   0   u8   layout version, 1         85  u64  duration_s (0 = open)
//   1   u32  version of the terms      93  u32  check_period_s
//   5   32   proposer (onion key)      97  u32  hold_s
//   37  32   acceptor (onion key)     101  u32  grace_initial_s
//   69  u64  bytes_proposer           105  u32  grace_rate_permille
//   77  u64  bytes_acceptor           109  u32  grace_cap_s
//                                     113  u32  notice_s
//                                     117  16   nonce

import { sha256 } from '../crypto/hash.ts';
import { BbError, invariant } from '../errors.ts';

export const TERMS_BYTES = 133;
const LAYOUT = 1;
const CONTEXT = Buffer.from('bb1/terms\0', 'latin1');
const MAX_U32 = 0xffff_ffff;
const HOUR_SECONDS = 3600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

export type Terms = {
  /** 1 for the first terms of a pair, +1 at each amendment. */
  readonly version: number;
  /** 32-byte onion keys. */
  readonly proposer: Buffer;
  readonly acceptor: Buffer;
  /** What the acceptor stores for the proposer, and the proposer for the acceptor. */
  readonly bytesProposer: number;
  readonly bytesAcceptor: number;
  /** 0 = open. */
  readonly durationSeconds: number;
  readonly checkPeriodSeconds: number;
  readonly holdSeconds: number;
  readonly graceInitialSeconds: number;
  /** Remaining seconds earned per 1,000 seconds ACTIVE. */
  readonly graceRatePermille: number;
  readonly graceCapSeconds: number;
  readonly noticeSeconds: number;
  /** 16 bytes; a proposal is idempotent by it. */
  readonly nonce: Buffer;
};

type NumberField = Exclude<keyof Terms, 'proposer' | 'acceptor' | 'nonce'>;

/** Inclusive range of each number. */
export const TERMS_RANGES: { readonly [field in NumberField]: readonly [number, number] } = {
  version: [1, MAX_U32],
  bytesProposer: [0, Number.MAX_SAFE_INTEGER],
  bytesAcceptor: [0, Number.MAX_SAFE_INTEGER],
  durationSeconds: [0, Number.MAX_SAFE_INTEGER],
  checkPeriodSeconds: [HOUR_SECONDS, 30 * DAY_SECONDS],
  holdSeconds: [DAY_SECONDS, 90 * DAY_SECONDS],
  graceInitialSeconds: [0, 90 * DAY_SECONDS],
  graceRatePermille: [0, 1000],
  graceCapSeconds: [DAY_SECONDS, 90 * DAY_SECONDS],
  noticeSeconds: [0, 365 * DAY_SECONDS],
};

/** Throws BAD_PEER_DATA on any other length, layout or range. */
export function decodeTerms(bytes: Buffer): Terms {
  if (bytes.length !== TERMS_BYTES) throw bad(`terms have ${TERMS_BYTES} bytes`);
  if (bytes.readUInt8(0) !== LAYOUT) throw bad('the layout of the terms is unknown');
  const terms: Terms = {
    version: bytes.readUInt32BE(1),
    proposer: Buffer.from(bytes.subarray(5, 37)),
    acceptor: Buffer.from(bytes.subarray(37, 69)),
    bytesProposer: readU64(bytes, 69),
    bytesAcceptor: readU64(bytes, 77),
    durationSeconds: readU64(bytes, 85),
    checkPeriodSeconds: bytes.readUInt32BE(93),
    holdSeconds: bytes.readUInt32BE(97),
    graceInitialSeconds: bytes.readUInt32BE(101),
    graceRatePermille: bytes.readUInt32BE(105),
    graceCapSeconds: bytes.readUInt32BE(109),
    noticeSeconds: bytes.readUInt32BE(113),
    nonce: Buffer.from(bytes.subarray(117, 133)),
  };
  const defect = termsDefect(terms);
  if (defect !== undefined) throw bad(defect);
  return terms;
}

/** By the buffer of a record. */
const opened = new WeakMap<Buffer, Terms>();

/** decodeTerms for the terms of a record, whose bytes never change: every tick asks for those of every contract. */
export function signedTermsOf(bytes: Buffer): Terms {
  const known = opened.get(bytes);
  if (known !== undefined) return known;
  const terms = decodeTerms(bytes);
  opened.set(bytes, terms);
  return terms;
}

/** Canonical bytes of terms without a defect. */
export function encodeTerms(terms: Terms): Buffer {
  const defect = termsDefect(terms);
  invariant(defect === undefined, defect ?? '');
  const bytes = Buffer.alloc(TERMS_BYTES);
  bytes.writeUInt8(LAYOUT, 0);
  bytes.writeUInt32BE(terms.version, 1);
  terms.proposer.copy(bytes, 5);
  terms.acceptor.copy(bytes, 37);
  bytes.writeBigUInt64BE(BigInt(terms.bytesProposer), 69);
  bytes.writeBigUInt64BE(BigInt(terms.bytesAcceptor), 77);
  bytes.writeBigUInt64BE(BigInt(terms.durationSeconds), 85);
  bytes.writeUInt32BE(terms.checkPeriodSeconds, 93);
  bytes.writeUInt32BE(terms.holdSeconds, 97);
  bytes.writeUInt32BE(terms.graceInitialSeconds, 101);
  bytes.writeUInt32BE(terms.graceRatePermille, 105);
  bytes.writeUInt32BE(terms.graceCapSeconds, 109);
  bytes.writeUInt32BE(terms.noticeSeconds, 113);
  terms.nonce.copy(bytes, 117);
  return bytes;
}

/** Why these terms cannot be signed, or undefined. For proposals that a user makes. */
export function termsDefect(terms: Terms): string | undefined {
  if (terms.proposer.length !== 32 || terms.acceptor.length !== 32) return 'an onion key has 32 bytes';
  if (terms.nonce.length !== 16) return 'the nonce of terms has 16 bytes';
  if (terms.proposer.equals(terms.acceptor)) return 'a contract needs two different sides';
  if (terms.bytesProposer === 0 && terms.bytesAcceptor === 0) return 'a contract about no bytes is none';
  for (const [field, [min, max]] of Object.entries(TERMS_RANGES)) {
    const value = terms[field as NumberField];
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      return `${field} of the terms must be between ${min} and ${max}`;
    }
  }
  return undefined;
}

/** What both sides sign. */
export function termsMessage(bytes: Uint8Array): Buffer {
  return Buffer.concat([CONTEXT, bytes]);
}

/** 32 bytes that name the terms on the wire: SHA-256 of the signed message. */
export function termsDigest(bytes: Uint8Array): Buffer {
  return sha256(CONTEXT, bytes);
}

function readU64(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64BE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw bad('a number of the terms is too large');
  return Number(value);
}

function bad(message: string): BbError {
  return new BbError('BAD_PEER_DATA', message);
}
