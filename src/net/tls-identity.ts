// TLS with the onion key itself: each side shows a self-signed certificate of its onion key, and "certificate key equals
// onion key" is the whole rule (docs/protocol.md, "Transport"). TLS 1.3 proves possession; names and dates mean nothing.

import type { KeyObject } from 'node:crypto';
import { constants } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { certificatePem, ed25519KeyOfCertificate, selfSignedCertificate } from '../core/crypto/certificate.ts';
import { isAcceptablePubkey } from '../core/crypto/ed25519.ts';

export type TlsIdentity = { readonly cert: string; readonly key: string };

/** What both ends of a connection show; `serial` is 16 random bytes. Lives as long as the node is unlocked. */
export function tlsIdentity(privateKey: KeyObject, serial: Uint8Array): TlsIdentity {
  return {
    cert: certificatePem(selfSignedCertificate(privateKey, serial)),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
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
