// The private key for TLS: the PEM that Node would write, in bytes that can be wiped.

import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { tlsIdentity } from '../../src/net/tls-identity.ts';

test('the key is a PEM in a Buffer of its own, as Node writes it', () => {
  for (let round = 0; round < 50; round += 1) {
    const { privateKey } = generateKeyPairSync('ed25519');
    const { cert, key } = tlsIdentity(privateKey, randomBytes(16));
    assert(Buffer.isBuffer(key));
    assert.equal(key.toString(), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    assert(createPrivateKey(key).equals(privateKey));
    createSecureContext({ cert, key });
    key.fill(0);
    assert.throws(() => createSecureContext({ cert, key }), 'nothing is kept beside the Buffer');
  }
});
