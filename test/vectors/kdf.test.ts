// The secret gives the master key of the vectors with both native implementations of Argon2id.

import assert from 'node:assert/strict';
import { argon2Sync } from 'node:crypto';
import { test } from 'node:test';
import { hash } from 'argon2';
import { ARGON2, argon2Salt } from '../../src/core/crypto/argon2-params.ts';
import { normaliseAccount, normalisePassword, normalisePhrase } from '../../src/core/crypto/normalise.ts';
import { loadVectors } from './load.ts';

for (const vector of loadVectors('kdf').cases) {
  test(`kdf: ${vector.mode}`, async () => {
    const isPhrase = vector.mode === 'phrase';
    const secret = isPhrase ? normalisePhrase(vector.secret) : normalisePassword(vector.secret);
    const salt = argon2Salt(vector.mode, isPhrase ? '' : normaliseAccount(vector.account));
    assert.equal(salt.toString('hex'), vector.salt);
    const builtIn = argon2Sync('argon2id', {
      message: secret,
      nonce: salt,
      memory: ARGON2.memoryKib,
      passes: ARGON2.passes,
      parallelism: ARGON2.lanes,
      tagLength: ARGON2.masterBytes,
    });
    assert.equal(builtIn.toString('hex'), vector.master);
    const packaged = await hash(secret, {
      salt,
      raw: true,
      type: 2,
      version: 0x13,
      memoryCost: ARGON2.memoryKib,
      timeCost: ARGON2.passes,
      parallelism: ARGON2.lanes,
      hashLength: ARGON2.masterBytes,
    });
    assert.equal(packaged.toString('hex'), vector.master);
  });
}
