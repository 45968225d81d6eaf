// The self-signed certificate of a TLS connection. Its key is the onion key, and "certificate key equals onion key" is
// the whole authentication rule: dates, names and serial are fixed or ignored (docs/protocol.md, "Transport").
// Node cannot make X.509, so the DER (RFC 5280, RFC 8410) is written here; only serial, key and signature vary.

import { createPublicKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { invariant } from '../errors.ts';
import { CERTIFICATE_BYTES } from '../limits.ts';
import { ed25519Sign, SPKI_PREFIX } from './ed25519.ts';

const SEQUENCE = 0x30;
const VERSION_3 = Buffer.from('a003020102', 'hex');
const ED25519_ALGORITHM = Buffer.from('300506032b6570', 'hex');
const EMPTY_NAME = Buffer.from('3000', 'hex');

/** DER certificate for an Ed25519 key; `serial` is 16 random bytes (two are made positive and non-zero). */
export function selfSignedCertificate(privateKey: KeyObject, serial: Uint8Array): Buffer {
  invariant(serial.length === 16, 'a certificate needs a 16-byte serial');
  const number = Buffer.from(serial);
  number[0] = ((number[0] ?? 0) & 0x7f) | 0x40;
  const validity = der(SEQUENCE, der(0x17, Buffer.from('000101000000Z')), der(0x18, Buffer.from('99991231235959Z')));
  const tbs = der(
    SEQUENCE,
    VERSION_3,
    der(0x02, number),
    ED25519_ALGORITHM,
    EMPTY_NAME,
    validity,
    EMPTY_NAME,
    createPublicKey(privateKey).export({ format: 'der', type: 'spki' }),
  );
  const signature = ed25519Sign(privateKey, tbs);
  return der(SEQUENCE, tbs, ED25519_ALGORITHM, der(0x03, Buffer.of(0), signature));
}

/** The same certificate as PEM text. */
export function certificatePem(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** The 32-byte Ed25519 key in a peer's certificate, or undefined for anything else. Nothing else of it is believed. */
export function ed25519KeyOfCertificate(certificate: Uint8Array): Buffer | undefined {
  if (certificate.length === 0 || certificate.length > CERTIFICATE_BYTES) return undefined;
  let spki: Buffer;
  try {
    spki = new X509Certificate(certificate).publicKey.export({ format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
  if (spki.length !== SPKI_PREFIX.length + 32 || !spki.subarray(0, SPKI_PREFIX.length).equals(SPKI_PREFIX)) {
    return undefined;
  }
  return Buffer.from(spki.subarray(SPKI_PREFIX.length));
}

/** One DER element; lengths up to 65 535 (X.690, 8.1.3). */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const length =
    body.length < 128
      ? Buffer.of(body.length)
      : body.length < 256
        ? Buffer.of(0x81, body.length)
        : Buffer.of(0x82, body.length >> 8, body.length & 255);
  return Buffer.concat([Buffer.of(tag), length, body]);
}
