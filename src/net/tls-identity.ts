// TLS with the onion key itself: each side shows a self-signed certificate of its onion key, and "certificate key equals
// onion key" is the whole rule (docs/protocol.md, "Transport"). TLS 1.3 proves possession; names and dates mean nothing.

import type { KeyObject } from 'node:crypto';
import { constants } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { certificatePem, ed25519KeyOfCertificate, selfSignedCertificate } from '../core/crypto/certificate.ts';
import { isAcceptablePubkey } from '../core/crypto/ed25519.ts';
import { invariant } from '../core/errors.ts';

/** `key` is PEM, the only form that Node's TLS takes; in a Buffer, because a string cannot be wiped. */
export type TlsIdentity = { readonly cert: string; readonly key: Buffer };

/** What both ends of a connection show; `serial` is 16 random bytes. Its maker wipes `key` when the node is locked. */
export function tlsIdentity(privateKey: KeyObject, serial: Uint8Array): TlsIdentity {
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  const base64 = base64Of(der);
  const key = Buffer.concat([
    Buffer.from('-----BEGIN PRIVATE KEY-----\n'),
    base64,
    Buffer.from('\n-----END PRIVATE KEY-----\n'),
  ]);
  der.fill(0);
  base64.fill(0);
  return { cert: certificatePem(selfSignedCertificate(privateKey, serial)), key };
}

const BASE64 = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');

/** Base64 (RFC 4648) without a string on the way. The 48 bytes of an Ed25519 key need no padding and fit on a line. */
function base64Of(bytes: Uint8Array): Buffer {
  invariant(bytes.length === 48, 'an Ed25519 key has 48 bytes in PKCS #8 (RFC 8410)');
  const out = Buffer.alloc(64);
  for (let at = 0; at < out.length; at += 1) {
    const bit = 6 * at;
    const pair = ((bytes[bit >> 3] ?? 0) << 8) | (bytes[(bit >> 3) + 1] ?? 0);
    out[at] = BASE64[(pair >> (10 - (bit & 7))) & 63] ?? 0;
  }
  return out;
}

/** Tickets are off: a resumed session would show the certificate of an earlier one. Who signs with anything but Ed25519
 * ends in the handshake. */
export const TLS_OPTIONS = {
  minVersion: 'TLSv1.3',
  ALPNProtocols: ['h2'],
  secureOptions: constants.SSL_OP_NO_TICKET,
  sigalgs: 'ed25519',
  rejectUnauthorized: false,
} as const;

/** The peer's 32-byte onion key once the handshake is over; undefined when it may not be an identity. */
export function peerPubkey(socket: TLSSocket): Buffer | undefined {
  const { raw } = socket.getPeerCertificate();
  const pubkey = raw === undefined ? undefined : ed25519KeyOfCertificate(raw);
  return pubkey !== undefined && isAcceptablePubkey(pubkey) ? pubkey : undefined;
}

/** Key exchange group of a connection, such as X25519MLKEM768. Node tells only the client: empty on a server. */
export function keyExchangeGroup(socket: TLSSocket): string {
  const info = socket.getEphemeralKeyInfo();
  return info !== null && 'name' in info ? (info.name ?? '') : '';
}
