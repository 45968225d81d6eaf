// The buckets of callers: what a minute allows, what a change of class changes, and that memory is bounded.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onionIdFromPubkey } from '../../src/core/ids.ts';
import type { OnionId } from '../../src/core/ids.ts';
import {
  CONTRACT_CALLS_PER_MINUTE,
  DOWNLOADS_PER_PEER,
  QUOTA_PEERS,
  UNKNOWN_CALLS_PER_MINUTE,
} from '../../src/core/limits.ts';
import { PeerRefusal } from '../../src/core/refusal.ts';
import type { CallerClass } from '../../src/daemon/peer-api.ts';
import { CallQuota } from '../../src/rpc/peer/call-quota.ts';
import { TestClock } from '../contract/rpc-peer-fixture.ts';

const caller = (number: number): OnionId => {
  const key = Buffer.alloc(32);
  key.writeUInt32BE(number);
  return onionIdFromPubkey(key);
};

/** How many calls pass before one is refused. */
function allowance(quota: CallQuota, who: OnionId, callerClass: CallerClass): number {
  for (let calls = 0; ; calls++) {
    try {
      quota.takeCall(who, callerClass);
    } catch (error) {
      assert.ok(error instanceof PeerRefusal);
      assert.equal(error.refusal, 'RATE_LIMITED');
      return calls;
    }
  }
}

test('each class has its calls a minute, refilled evenly and never above the full bucket', () => {
  const clock = new TestClock();
  const quota = new CallQuota(clock);
  for (const [index, [callerClass, calls]] of (
    [
      ['known', CONTRACT_CALLS_PER_MINUTE],
      ['unknown', UNKNOWN_CALLS_PER_MINUTE],
      ['own', UNKNOWN_CALLS_PER_MINUTE],
    ] as const
  ).entries()) {
    const who = caller(index);
    assert.equal(allowance(quota, who, callerClass), calls);
    clock.advance(60_000 / calls - 1);
    assert.equal(allowance(quota, who, callerClass), 0);
    clock.advance(1);
    assert.equal(allowance(quota, who, callerClass), 1);
    clock.advance(30_000);
    assert.equal(allowance(quota, who, callerClass), calls / 2);
    clock.advance(600_000);
    assert.equal(allowance(quota, who, callerClass), calls);
  }
});

test('a stranger that becomes known is no longer held to the bucket of strangers', () => {
  const quota = new CallQuota(new TestClock());
  assert.equal(allowance(quota, caller(1), 'unknown'), UNKNOWN_CALLS_PER_MINUTE);
  assert.equal(allowance(quota, caller(1), 'known'), CONTRACT_CALLS_PER_MINUTE);
});

test('callers do not share a bucket, and the one silent longest is forgotten first', () => {
  const quota = new CallQuota(new TestClock());
  assert.equal(allowance(quota, caller(0), 'unknown'), UNKNOWN_CALLS_PER_MINUTE);
  for (let number = 1; number < QUOTA_PEERS; number++) quota.takeCall(caller(number), 'unknown');
  // Still remembered, and by this the newest.
  assert.equal(allowance(quota, caller(0), 'unknown'), 0);
  quota.takeCall(caller(QUOTA_PEERS), 'unknown');
  assert.equal(allowance(quota, caller(0), 'unknown'), 0);
  assert.equal(allowance(quota, caller(1), 'unknown'), UNKNOWN_CALLS_PER_MINUTE);
});

test('places for downloads are given back, and counted by caller', () => {
  const quota = new CallQuota(new TestClock());
  const releases = Array.from({ length: DOWNLOADS_PER_PEER }, () => quota.takeDownload(caller(1)));
  assert.throws(() => quota.takeDownload(caller(1)), PeerRefusal);
  quota.takeDownload(caller(2))();
  releases[0]?.();
  quota.takeDownload(caller(1));
  assert.throws(() => quota.takeDownload(caller(1)), PeerRefusal);
});
