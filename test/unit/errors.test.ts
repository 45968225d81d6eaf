// The error table is closed and usable at every boundary: codes have exits, statuses and a next step.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BbError, ERRORS, InvariantError, invariant, isBbError, toBbError } from '../../src/core/errors.ts';

describe('error table', () => {
  for (const [code, row] of Object.entries(ERRORS)) {
    test(`${code} has an exit code, a gRPC status and a hint that is a sentence`, () => {
      assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
      assert.ok(Number.isInteger(row.exit) && row.exit > 0 && row.exit < 256);
      assert.ok(Number.isInteger(row.grpc) && row.grpc >= 1 && row.grpc <= 16);
      assert.match(row.hint, /^[A-Z].*\.$/);
    });
  }

  test('the exit codes scripts rely on', () => {
    assert.deepEqual(
      [ERRORS.NOT_INITIALISED.exit, ERRORS.LOCKED.exit, ERRORS.WRONG_SECRET.exit, ERRORS.DAEMON_NOT_RUNNING.exit],
      [10, 11, 12, 13],
    );
  });
});

describe('BbError', () => {
  test('carries the hint of its row unless it has a better one, and keeps its cause', () => {
    const cause = new Error('disk');
    const error = new BbError('NO_SPACE', 'the disk is full', { cause });
    assert.equal(error.hint, ERRORS.NO_SPACE.hint);
    assert.equal(error.cause, cause);
    assert.equal(new BbError('NO_SPACE', 'x', { hint: 'Buy a disk.' }).hint, 'Buy a disk.');
    assert.equal(Object.hasOwn(new BbError('LOCKED', 'x'), 'cause'), false);
  });

  test('is recognised by code', () => {
    const error = new BbError('LOCKED', 'locked');
    assert.ok(isBbError(error));
    assert.ok(isBbError(error, 'LOCKED'));
    assert.ok(!isBbError(error, 'TIMEOUT'));
    assert.ok(!isBbError(new Error('LOCKED')));
    assert.ok(!isBbError(undefined));
  });

  test('a boundary keeps operating errors and turns the rest into INTERNAL with the original as cause', () => {
    const known = new BbError('TIMEOUT', 'late');
    assert.equal(toBbError(known), known);
    const original = new TypeError('x is not a function');
    assert.equal(toBbError(original).code, 'INTERNAL');
    assert.equal(toBbError(original).cause, original);
    assert.equal(toBbError('text').message, 'unknown error');
  });
});

test('invariant lets true pass and throws a bug, not an operating error', () => {
  invariant(true, 'holds');
  assert.throws(() => invariant(0, 'never zero'), InvariantError);
  assert.throws(
    () => invariant(false, 'x'),
    (error) => !isBbError(error),
  );
});
