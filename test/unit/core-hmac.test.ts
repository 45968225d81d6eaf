// Our HMAC over plain hashes is OpenSSL's HMAC, for keys around the block sizes and messages in parts.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { hmacSha256, hmacSha512 } from '../../src/core/crypto/hash.ts';

test('HMAC is that of RFC 2104 for every length of key', () => {
  for (const keyBytes of [0, 1, 32, 63, 64, 65, 127, 128, 129, 200]) {
    const key = Buffer.from(Array.from({ length: keyBytes }, (_, index) => (index * 7 + 1) & 255));
    for (const messageBytes of [0, 1, 63, 64, 65, 1000]) {
      const message = Buffer.alloc(messageBytes, 'message');
      const half = messageBytes >>> 1;
      const parts = [message.subarray(0, half), message.subarray(half)];
      assert.deepEqual(hmacSha256(key, ...parts), createHmac('sha256', key).update(message).digest());
      assert.deepEqual(hmacSha512(key, ...parts), createHmac('sha512', key).update(message).digest());
    }
    assert.equal(
      key[keyBytes - 1],
      keyBytes === 0 ? undefined : ((keyBytes - 1) * 7 + 1) & 255,
      'the key is untouched',
    );
  }
});
