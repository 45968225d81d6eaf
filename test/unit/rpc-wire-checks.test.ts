// Each check at its boundary: max-1, max, max+1.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CELL_BYTES } from '../../src/core/limits.ts';
import {
  atMost,
  boundedBytes,
  exactBytes,
  exactOrEmpty,
  inRange,
  knownWord,
  MalformedMessage,
  wholeCells,
  wireNumber,
} from '../../src/rpc/wire-checks.ts';

const refused = (check: () => unknown): void => assert.throws(check, MalformedMessage);

test('numbers are judged before they are converted', () => {
  assert.equal(wireNumber(0n, 'n'), 0);
  assert.equal(wireNumber(2n ** 53n - 2n, 'n'), Number.MAX_SAFE_INTEGER - 1);
  assert.equal(wireNumber(2n ** 53n - 1n, 'n'), Number.MAX_SAFE_INTEGER);
  for (const value of [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 64n - 1n, -1n, -(2n ** 63n)]) {
    refused(() => wireNumber(value, 'n'));
  }
  assert.equal(wireNumber(10n, 'n', 10), 10);
  refused(() => wireNumber(11n, 'n', 10));
});

test('lengths of blobs are whole cells', () => {
  const cell = BigInt(CELL_BYTES);
  assert.equal(wholeCells(3n * cell, 'n', 3), 3 * CELL_BYTES);
  assert.equal(wholeCells(0n, 'n', 3), 0);
  for (const value of [4n * cell, cell - 1n, cell + 1n, -cell]) refused(() => wholeCells(value, 'n', 3));
});

test('bytes have their length', () => {
  const bytes = (length: number): Buffer => Buffer.alloc(length);
  assert.equal(exactBytes(bytes(32), 32, 'b').length, 32);
  for (const length of [0, 31, 33]) refused(() => exactBytes(bytes(length), 32, 'b'));
  assert.equal(exactOrEmpty(bytes(0), 32, 'b').length, 0);
  for (const length of [1, 31, 33]) refused(() => exactOrEmpty(bytes(length), 32, 'b'));
  for (const length of [1, 2, 3]) assert.equal(boundedBytes(bytes(length), 1, 3, 'b').length, length);
  for (const length of [0, 4]) refused(() => boundedBytes(bytes(length), 1, 3, 'b'));
});

test('counts, ranges and words are closed', () => {
  assert.equal(inRange(1, 1, 2, 'n'), 1);
  assert.equal(inRange(2, 1, 2, 'n'), 2);
  for (const value of [0, 3, Number.NaN]) refused(() => inRange(value, 1, 2, 'n'));
  assert.equal(atMost([1, 2], 2, 'l').length, 2);
  refused(() => atMost([1, 2, 3], 2, 'l'));
  const words = new Map<number, string | undefined>([
    [0, undefined],
    [1, 'one'],
  ]);
  assert.equal(knownWord(words, 0, 'w'), undefined);
  assert.equal(knownWord(words, 1, 'w'), 'one');
  for (const value of [2, -1, 1.5]) refused(() => knownWord(words, value, 'w'));
});
