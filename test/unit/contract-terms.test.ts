// Terms: one byte form, strict on the way in, and the two sides of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_TERMS } from '../../src/core/contract/default-terms.ts';
import { doesOwnProposalStand, isTermsSignature, ownSide } from '../../src/core/contract/sides.ts';
import {
  TERMS_BYTES,
  TERMS_RANGES,
  decodeTerms,
  encodeTerms,
  termsDefect,
  termsDigest,
  termsMessage,
} from '../../src/core/contract/terms.ts';
import type { Terms } from '../../src/core/contract/terms.ts';
import { ed25519Pair, ed25519Sign } from '../../src/core/crypto/ed25519.ts';
import { isBbError } from '../../src/core/errors.ts';

const A = ed25519Pair(Buffer.alloc(32, 1));
const B = ed25519Pair(Buffer.alloc(32, 2));
const TERMS: Terms = {
  ...DEFAULT_TERMS,
  version: 1,
  proposer: A.pubkey,
  acceptor: B.pubkey,
  bytesProposer: 3_000,
  bytesAcceptor: 2_000,
  nonce: Buffer.alloc(16, 7),
};

/** Where each number stands in the layout. */
const FIELDS = {
  version: [1, 4],
  bytesProposer: [69, 8],
  bytesAcceptor: [77, 8],
  durationSeconds: [85, 8],
  checkPeriodSeconds: [93, 4],
  holdSeconds: [97, 4],
  graceInitialSeconds: [101, 4],
  graceRatePermille: [105, 4],
  graceCapSeconds: [109, 4],
  noticeSeconds: [113, 4],
} as const;

function withNumber(field: keyof typeof FIELDS, value: bigint): Buffer {
  const bytes = encodeTerms(TERMS);
  const [at, size] = FIELDS[field];
  if (size === 4) bytes.writeUInt32BE(Number(value), at);
  else bytes.writeBigUInt64BE(value, at);
  return bytes;
}

function assertRefused(bytes: Buffer): void {
  assert.throws(
    () => decodeTerms(bytes),
    (error) => isBbError(error, 'BAD_PEER_DATA'),
  );
}

test('terms survive their bytes', () => {
  const bytes = encodeTerms(TERMS);
  assert.equal(bytes.length, TERMS_BYTES);
  assert.deepEqual(decodeTerms(bytes), TERMS);
});

test('terms of any other length or layout are refused', () => {
  const bytes = encodeTerms(TERMS);
  for (const length of [0, 1, TERMS_BYTES - 1]) assertRefused(bytes.subarray(0, length));
  assertRefused(Buffer.concat([bytes, Buffer.of(0)]));
  for (const layout of [0, 2, 255]) {
    const other = Buffer.from(bytes);
    other[0] = layout;
    assertRefused(other);
  }
});

for (const field of Object.keys(FIELDS) as (keyof typeof FIELDS)[]) {
  test(`${field} is read inside its range and refused outside`, () => {
    const [min, max] = TERMS_RANGES[field];
    for (const value of [min, min + 1, max - 1, max]) {
      assert.equal(decodeTerms(withNumber(field, BigInt(value)))[field], value);
    }
    const limit = FIELDS[field][1] === 4 ? 2n ** 32n : 2n ** 64n;
    for (const value of [BigInt(min) - 1n, BigInt(max) + 1n, limit - 1n]) {
      if (value >= 0n && value < limit && value !== BigInt(max)) assertRefused(withNumber(field, value));
    }
  });
}

test('terms with one side twice, or about nothing, have a defect', () => {
  assert.match(termsDefect({ ...TERMS, acceptor: A.pubkey }) ?? '', /two different sides/);
  assert.match(termsDefect({ ...TERMS, bytesProposer: 0, bytesAcceptor: 0 }) ?? '', /no bytes/);
  assert.equal(termsDefect({ ...TERMS, bytesProposer: 0 }), undefined);
  assert.match(termsDefect({ ...TERMS, bytesProposer: 1.5 }) ?? '', /bytesProposer/);
  assert.match(termsDefect({ ...TERMS, nonce: Buffer.alloc(15) }) ?? '', /nonce/);
  assert.match(termsDefect({ ...TERMS, proposer: Buffer.alloc(31) }) ?? '', /onion key/);
});

test('a signature counts only for its signer, its role and these bytes', () => {
  const bytes = encodeTerms(TERMS);
  const signature = ed25519Sign(A.privateKey, termsMessage(bytes));
  assert.equal(isTermsSignature(bytes, TERMS, 'proposer', signature), true);
  assert.equal(isTermsSignature(bytes, TERMS, 'acceptor', signature), false);
  assert.equal(isTermsSignature(encodeTerms({ ...TERMS, version: 2 }), TERMS, 'proposer', signature), false);
  assert.equal(isTermsSignature(bytes, TERMS, 'proposer', ed25519Sign(A.privateKey, bytes)), false);
  assert.equal(isTermsSignature(bytes, TERMS, 'proposer', signature.subarray(1)), false);
});

test('the digest names the signed message', () => {
  const bytes = encodeTerms(TERMS);
  assert.equal(termsDigest(bytes).length, 32);
  assert.notDeepEqual(termsDigest(bytes), termsDigest(encodeTerms({ ...TERMS, version: 2 })));
});

test('each side sees what it gives and gets', () => {
  assert.deepEqual(ownSide(TERMS, A.pubkey), {
    proposedByUs: true,
    other: B.pubkey,
    giveBytes: 2_000,
    getBytes: 3_000,
  });
  assert.deepEqual(ownSide(TERMS, B.pubkey), {
    proposedByUs: false,
    other: A.pubkey,
    giveBytes: 3_000,
    getBytes: 2_000,
  });
  assert.equal(ownSide(TERMS, Buffer.alloc(32, 9)), undefined);
});

test('of crossing proposals exactly one stands', () => {
  assert.notEqual(doesOwnProposalStand(A.pubkey, B.pubkey), doesOwnProposalStand(B.pubkey, A.pubkey));
  assert.equal(doesOwnProposalStand(Buffer.alloc(32, 1), Buffer.alloc(32, 2)), true);
});
