// All keys of an identity, one label each, from the 64-byte master (docs/storage-format.md, "Key table").
// Invariant: labels and lengths never change within format 1.

import { invariant } from '../errors.ts';
import { ARGON2 } from './argon2-params.ts';
import { hkdfExpand, hkdfExtract } from './hkdf.ts';

const LABELS = {
  onionSeed: ['bb1/onion/ed25519', 32],
  cidSiv: ['bb1/cid/siv', 64],
  metaSiv: ['bb1/meta/siv', 64],
  fill: ['bb1/fill', 32],
  cellId: ['bb1/cell/id', 32],
  cellEnc: ['bb1/cell/enc', 32],
  chunkId: ['bb1/chunk/id', 32],
  cdc: ['bb1/cdc', 32],
  wrapKek: ['bb1/wrap', 64],
  dbKek: ['bb1/db', 64],
  verify: ['bb1/verify', 16],
} as const satisfies Record<string, readonly [label: string, bytes: number]>;

export type KeySet = { readonly [name in keyof typeof LABELS]: Buffer };

/** 64-byte master -> every key. The master is left as it is; the caller wipes it. */
export function expandKeys(master: Uint8Array): KeySet {
  invariant(master.length === ARGON2.masterBytes, 'a master key has 64 bytes');
  const prk = hkdfExtract('bb1/master', master);
  const entries = Object.entries(LABELS).map(([name, [label, bytes]]) => [name, hkdfExpand(prk, label, bytes)]);
  prk.fill(0);
  return Object.fromEntries(entries) as KeySet;
}

export function wipeKeys(keys: KeySet): void {
  for (const key of Object.values(keys)) key.fill(0);
}
