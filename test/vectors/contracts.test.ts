// src agrees with the second implementation about terms and spot checks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampledBlock } from '../../src/core/challenge/blocks.ts';
import type { ChallengeQuestion } from '../../src/core/challenge/question.ts';
import { blocksRead, challengeReads } from '../../src/core/challenge/reads.ts';
import { validateQuestion } from '../../src/core/challenge/validate.ts';
import { isTermsSignature } from '../../src/core/contract/sides.ts';
import { decodeTerms, encodeTerms, termsDigest } from '../../src/core/contract/terms.ts';
import { startChallengeMac } from '../../src/core/crypto/challenge-mac.ts';
import { isBbError } from '../../src/core/errors.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';
import { applyChange, loadVectors, recipe, unhex } from './load.ts';

test('terms: bytes, digest and both signatures', () => {
  const vector = loadVectors('terms');
  for (const one of vector.cases) {
    const { bytes, digest, proposerSignature, acceptorSignature, ...fields } = one;
    const terms = decodeTerms(unhex(bytes));
    const { proposer, acceptor, nonce, ...numbers } = terms;
    assert.deepEqual({ ...numbers, nonce: nonce.toString('hex') }, fields);
    assert.equal(proposer.toString('hex'), vector.proposer);
    assert.equal(acceptor.toString('hex'), vector.acceptor);
    assert.equal(encodeTerms(terms).toString('hex'), bytes);
    assert.equal(termsDigest(unhex(bytes)).toString('hex'), digest);
    assert.ok(isTermsSignature(unhex(bytes), terms, 'proposer', unhex(proposerSignature)));
    assert.ok(isTermsSignature(unhex(bytes), terms, 'acceptor', unhex(acceptorSignature)));
    assert.ok(!isTermsSignature(unhex(bytes), terms, 'proposer', unhex(acceptorSignature)));
  }
});

test('terms: what must be refused', () => {
  const vector = loadVectors('terms');
  for (const { why, ...change } of vector.malformed) {
    assert.throws(
      () => decodeTerms(applyChange(unhex(vector.cases[0].bytes), change)),
      (error) => isBbError(error, 'BAD_PEER_DATA'),
      why,
    );
  }
});

test('spot checks: sampled blocks and mac', () => {
  for (const one of loadVectors('challenge').cases) {
    const blob = recipe(one.blob.recipe, one.blob.bytes);
    const blobCells = blob.length / CELL_BYTES;
    const question: ChallengeQuestion = {
      contentId: unhex(one.contentId),
      nonce: unhex(one.nonce),
      seed: unhex(one.seed),
      count: one.count,
      blockBytes: one.block,
      ranges: one.ranges,
    };
    validateQuestion(question, blobCells);
    const mac = startChallengeMac(question, unhex(one.challenger), unhex(one.responder), blobCells);
    const starts = [...challengeReads(question, blobCells)].map(({ cell, offsetBytes, lengthBytes }) => {
      const at = cell * CELL_BYTES + offsetBytes;
      mac.update(blob.subarray(at, at + lengthBytes));
      return at / one.block;
    });
    assert.deepEqual(starts.slice(0, one.count), one.blocks);
    assert.equal(mac.digest().toString('hex'), one.mac);
    assert.ok(blocksRead(question) >= one.count);
  }
});

test('spot checks: blocks drawn from blobs of any size', () => {
  for (const { blocks, drawn } of loadVectors('challenge').draws) {
    assert.deepEqual(
      [0, 1, 2].map((i) => sampledBlock(Buffer.alloc(32), i, blocks)),
      drawn,
    );
  }
});
