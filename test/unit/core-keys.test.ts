// Secrets, keys, identity: what a person types gives one form, every defect is refused.

import assert from 'node:assert/strict';
import { X509Certificate, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { certificatePem, ed25519KeyOfCertificate, selfSignedCertificate } from '../../src/core/crypto/certificate.ts';
import { ed25519Pair, ed25519Sign, ed25519Verify, isAcceptablePubkey } from '../../src/core/crypto/ed25519.ts';
import { Keyring } from '../../src/core/crypto/keyring.ts';
import { expandKeys, wipeKeys } from '../../src/core/crypto/keys.ts';
import { normaliseAccount, normalisePassword, normalisePhrase } from '../../src/core/crypto/normalise.ts';
import { phraseFromEntropy } from '../../src/core/crypto/phrase.ts';
import { requireStrongPassword } from '../../src/core/crypto/strength.ts';
import { isBbError } from '../../src/core/errors.ts';

const MASTER = Buffer.alloc(64, 7);
const code = (expected: string) => (error: unknown) => isBbError(error) && error.code === expected;

test('a phrase has one form whatever its case and spacing', () => {
  const phrase = phraseFromEntropy(Buffer.alloc(32, 0x5a));
  assert.equal(phrase.split(' ').length, 24);
  assert.equal(normalisePhrase(`  ${phrase.toUpperCase().replaceAll(' ', '\n\t ')}\n`), phrase);
});

test('a phrase with 23 words, an unknown word or a wrong checksum is refused', () => {
  const words = phraseFromEntropy(Buffer.alloc(32, 0x5a)).split(' ');
  assert.throws(() => normalisePhrase(words.slice(1).join(' ')), code('BAD_PHRASE'));
  assert.throws(() => normalisePhrase(['zzzz', ...words.slice(1)].join(' ')), code('BAD_PHRASE'));
  const swapped = [words[23], ...words.slice(1, 23), words[0]].join(' ');
  assert.throws(() => normalisePhrase(swapped), code('BAD_PHRASE'));
  assert.throws(() => normalisePhrase('a'.repeat(1025)), code('BAD_PHRASE'));
});

test('a password is NFC with plain spaces, and refused where typing is not reliable', () => {
  assert.equal(normalisePassword('caf\u0065\u0301\u00a0au lait'), 'caf\u00e9 au lait');
  for (const bad of ['', ' a', 'a ', '\u00a0a', 'a\tb', 'a\nb', 'a\u0378', 'a\ud800', 'a\u2028b', 'x'.repeat(1025)]) {
    assert.throws(() => normalisePassword(bad), code('USAGE'), JSON.stringify(bad));
  }
  assert.equal(normalisePassword('x'.repeat(1024)).length, 1024);
});

test('an account name has 3 to 64 plain characters', () => {
  assert.equal(normaliseAccount('Ann.B@example-1_x'), 'ann.b@example-1_x');
  for (const good of ['abc', 'a'.repeat(64)]) assert.equal(normaliseAccount(good), good);
  for (const bad of ['', 'ab', 'a'.repeat(65), 'a b c', 'käthe', '\u212aelvin', 'abc\n']) {
    assert.throws(() => normaliseAccount(bad), code('USAGE'), JSON.stringify(bad));
  }
});

test('the strength gate lets only strong passwords through, and knows the account name', () => {
  requireStrongPassword('lamp-river-77-otter-quilt', [], false);
  assert.throws(() => requireStrongPassword('Password123!', [], true), code('WEAK_PASSWORD'));
  assert.throws(() => requireStrongPassword('zqxvkjwplm', ['zqxvkjwplm'], true), code('WEAK_PASSWORD'));
  assert.throws(() => requireStrongPassword('a'.repeat(1000), [], true), code('WEAK_PASSWORD'));
  const between = 'vq7hzk2pmx4wt';
  requireStrongPassword(between, [], true);
  assert.throws(() => requireStrongPassword(between, [], false), code('WEAK_PASSWORD'));
});

test('keys are distinct, and zero after wiping', () => {
  const keys = expandKeys(MASTER);
  const seen = new Set(Object.values(keys).map((key) => key.subarray(0, 16).toString('hex')));
  assert.equal(seen.size, Object.keys(keys).length);
  wipeKeys(keys);
  for (const key of Object.values(keys)) assert.ok(key.every((byte) => byte === 0));
});

test('the expanded key tor gets belongs to the onion id', () => {
  for (let byte = 0; byte < 12; byte++) {
    const ring = new Keyring(Buffer.alloc(64, byte));
    const expanded = Buffer.from(ring.torExpandedKey(), 'base64');
    assert.equal(expanded.length, 64);
    const scalar = BigInt(`0x${Buffer.from(expanded.subarray(0, 32)).reverse().toString('hex')}`);
    const point = ed25519.Point.BASE.multiply(scalar % ed25519.Point.Fn.ORDER);
    assert.deepEqual(Buffer.from(point.toBytes()), ring.pubkey);
  }
});

test('a wiped keyring refuses everything', () => {
  const ring = new Keyring(MASTER);
  assert.ok(ring.isVerifyTag(ring.verifyTag()));
  assert.ok(!ring.isVerifyTag(new Keyring(Buffer.alloc(64, 8)).verifyTag()));
  ring.wipe();
  for (const use of [
    () => ring.sign(Buffer.of(1)),
    () => ring.cellKeys(),
    () => ring.tlsKey(),
    () => ring.verifyTag(),
  ]) {
    assert.throws(use, /after lock/);
  }
});

test('directory keys open only under the same identity and name', () => {
  const ring = new Keyring(MASTER);
  const key = Buffer.alloc(32, 9);
  const wrapped = ring.wrapDirKey('wrap', key);
  assert.equal(wrapped.length, 48);
  assert.deepEqual(ring.unwrapDirKey('wrap', wrapped), key);
  assert.equal(ring.unwrapDirKey('row', wrapped), undefined);
  assert.equal(new Keyring(Buffer.alloc(64, 8)).unwrapDirKey('wrap', wrapped), undefined);
  assert.equal(ring.unwrapDirKey('wrap', wrapped.subarray(1)), undefined);
  assert.equal(ring.unwrapDirKey('wrap', Buffer.alloc(0)), undefined);
});

test('Ed25519 signatures agree with a second implementation, and defects are false', () => {
  const seed = Buffer.alloc(32, 3);
  const { privateKey, pubkey } = ed25519Pair(seed);
  const message = Buffer.from('terms');
  const signature = ed25519Sign(privateKey, message);
  assert.deepEqual(signature, Buffer.from(ed25519.sign(message, seed)));
  assert.deepEqual(pubkey, Buffer.from(ed25519.getPublicKey(seed)));
  assert.ok(ed25519Verify(pubkey, message, signature));
  assert.ok(!ed25519Verify(pubkey, Buffer.from('other'), signature));
  assert.ok(!ed25519Verify(pubkey, message, signature.subarray(1)));
  assert.ok(!ed25519Verify(pubkey.subarray(1), message, signature));
});

test('keys of small order, off the curve or not canonical are no identity', () => {
  const torsion = ed25519.Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a');
  let point = ed25519.Point.ZERO;
  for (let index = 0; index < 8; index++, point = point.add(torsion)) {
    assert.ok(!isAcceptablePubkey(point.toBytes()), `${index} times the point of order 8`);
    const otherSign = Buffer.from(point.toBytes());
    otherSign[31] = (otherSign[31] as number) ^ 0x80;
    assert.ok(!isAcceptablePubkey(otherSign));
  }
  for (let low = 0xed; low <= 0xff; low++) {
    const atLeastP = Buffer.concat([Buffer.of(low), Buffer.alloc(30, 0xff), Buffer.of(0x7f)]);
    assert.ok(!isAcceptablePubkey(atLeastP));
  }
  let offCurve = 0;
  for (let byte = 2; byte < 40; byte++) {
    const candidate = Buffer.concat([Buffer.of(byte), Buffer.alloc(31)]);
    let onCurve = true;
    try {
      ed25519.Point.fromBytes(candidate);
    } catch {
      onCurve = false;
      offCurve++;
    }
    assert.equal(isAcceptablePubkey(candidate), onCurve, `y = ${byte}`);
  }
  assert.ok(offCurve > 5);
  for (let byte = 0; byte < 20; byte++) assert.ok(isAcceptablePubkey(ed25519.getPublicKey(Buffer.alloc(32, byte))));
});

test('the certificate is accepted by OpenSSL and carries the onion key', () => {
  const ring = new Keyring(MASTER);
  for (const serial of [Buffer.alloc(16, 0), Buffer.alloc(16, 0xff)]) {
    const der = selfSignedCertificate(ring.tlsKey(), serial);
    const parsed = new X509Certificate(certificatePem(der));
    assert.ok(parsed.verify(createPublicKey(ring.tlsKey())));
    assert.ok(new Date(parsed.validTo).getUTCFullYear() === 9999);
    assert.deepEqual(ed25519KeyOfCertificate(der), ring.pubkey);
  }
});

test('certificates of other kinds and broken bytes carry no key', () => {
  const der = selfSignedCertificate(new Keyring(MASTER).tlsKey(), Buffer.alloc(16, 1));
  assert.equal(ed25519KeyOfCertificate(Buffer.alloc(0)), undefined);
  assert.equal(ed25519KeyOfCertificate(der.subarray(0, 100)), undefined);
  assert.equal(ed25519KeyOfCertificate(Buffer.alloc(4097)), undefined);
  const x25519 = generateKeyPairSync('x25519').publicKey.export({ format: 'der', type: 'spki' });
  const at = der.indexOf(Buffer.from('302a300506032b6570', 'hex'));
  const foreign = Buffer.from(der);
  x25519.copy(foreign, at);
  assert.equal(ed25519KeyOfCertificate(foreign), undefined);
});
