// Identities: an onion id is the 56-character name of a Tor v3 onion service, which encodes an
// Ed25519 public key. It is the only name a peer has on the wire (docs/protocol.md, "Identity").

import { sha3_256 } from '@noble/hashes/sha3.js';
import { BbError } from './errors.ts';

export type OnionId = string & { readonly brand: 'OnionId' };

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const VERSION = 3;

/** 32-byte Ed25519 public key -> onion id (rend-spec-v3, "Encoding onion addresses"). */
export function onionIdFromPubkey(pubkey: Uint8Array): OnionId {
  if (pubkey.length !== 32) throw new BbError('BAD_ONION_ID', 'an onion key has 32 bytes');
  const raw = Buffer.concat([pubkey, checksum(pubkey), Buffer.of(VERSION)]);
  let bits = 0;
  let value = 0;
  let text = '';
  for (const byte of raw) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(value >>> bits) & 31];
    }
    value &= (1 << bits) - 1;
  }
  return text as OnionId;
}

/**
 * Parses `<56 chars>`, `<56 chars>.onion` or `bb:<56 chars>`; throws BAD_ONION_ID on anything else,
 * a wrong checksum included.
 */
export function parseOnionId(text: string): OnionId {
  const name = text
    .trim()
    .toLowerCase()
    .replace(/^bb:(\/\/)?/, '')
    .replace(/\.onion$/, '');
  if (!/^[a-z2-7]{56}$/.test(name)) throw new BbError('BAD_ONION_ID', 'this is not an onion id');
  const raw = decodeBase32(name);
  const pubkey = raw.subarray(0, 32);
  if (raw[34] !== VERSION || !raw.subarray(32, 34).equals(checksum(pubkey))) {
    throw new BbError('BAD_ONION_ID', 'this onion id has a typing error: its checksum is wrong');
  }
  return name as OnionId;
}

/** The 32-byte public key of an onion id. */
export function pubkeyFromOnionId(id: OnionId): Buffer {
  return Buffer.from(decodeBase32(id).subarray(0, 32));
}

/** The line a person gives to a friend. */
export function peerUri(id: OnionId): string {
  return `bb:${id}`;
}

function checksum(pubkey: Uint8Array): Buffer {
  return Buffer.from(sha3_256(Buffer.concat([Buffer.from('.onion checksum'), pubkey, Buffer.of(VERSION)]))).subarray(
    0,
    2,
  );
}

function decodeBase32(text: string): Buffer {
  const out: number[] = [];
  let bits = 0;
  let value = 0;
  for (const char of text) {
    value = (value << 5) | ALPHABET.indexOf(char);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out.push((value >>> bits) & 255);
      value &= (1 << bits) - 1;
    }
  }
  return Buffer.from(out);
}
