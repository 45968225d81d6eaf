// From the secret to the keys, step by step.

import { argon2id } from '@noble/hashes/argon2.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { sha3_256 } from '@noble/hashes/sha3.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { ascii, be, join } from './bytes.ts';

export function salt(mode: 0 | 1, account: string): Uint8Array {
  return sha256(join(ascii('bb1/argon2-salt'), be(mode, 1), be(account.length, 2), ascii(account)));
}

/** Takes about a minute: 256 MiB, four passes, in JavaScript. */
export function master(secret: string, mode: 0 | 1, account: string): Uint8Array {
  const options = { m: 262_144, t: 4, p: 4, dkLen: 64, version: 0x13, maxmem: 2 ** 30 };
  return argon2id(ascii(secret), salt(mode, account), options);
}

export const LABELS: readonly (readonly [label: string, bytes: number])[] = [
  ['bb1/onion/ed25519', 32],
  ['bb1/cid/siv', 64],
  ['bb1/meta/siv', 64],
  ['bb1/fill', 32],
  ['bb1/cell/id', 32],
  ['bb1/cell/enc', 32],
  ['bb1/chunk/id', 32],
  ['bb1/cdc', 32],
  ['bb1/wrap', 64],
  ['bb1/db', 64],
  ['bb1/verify', 16],
];

export type Keys = (label: string) => Uint8Array;

export function keysOf(masterKey: Uint8Array): Keys {
  const prk = extract(sha256, masterKey, ascii('bb1/master'));
  return (label) => {
    const row = LABELS.find(([name]) => name === label);
    if (row === undefined) throw new Error(`no key ${label}`);
    return expand(sha256, prk, ascii(label), row[1]);
  };
}

export function subKey(key: Uint8Array, label: string, bytes: number): Uint8Array {
  return expand(sha256, key, ascii(label), bytes);
}

export function identity(keys: Keys): { pubkey: Uint8Array; onionId: string; torKey: Uint8Array } {
  const seed = keys('bb1/onion/ed25519');
  const pubkey = ed25519.getPublicKey(seed);
  const torKey = sha512(seed);
  torKey[0] = (torKey[0] as number) & 248;
  torKey[31] = ((torKey[31] as number) & 63) | 64;
  const check = sha3_256(join(ascii('.onion checksum'), pubkey, be(3, 1))).slice(0, 2);
  return { pubkey, onionId: base32(join(pubkey, check, be(3, 1))), torKey };
}

function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const groups = bits.match(/.{5}/g) ?? [];
  return groups.map((group) => 'abcdefghijklmnopqrstuvwxyz234567'.charAt(Number.parseInt(group, 2))).join('');
}
