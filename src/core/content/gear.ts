// The gear table of an identity: 256 secret words that decide where chunks end. Keyed, so that chunk boundaries of known
// files are not predictable (docs/storage-format.md, "Chunks").

import { hkdfExpand } from '../crypto/hkdf.ts';

/** `cdcKey` is the key `bb1/cdc`. Word i = big-endian u32 at byte 4i of 1024 bytes of HKDF-Expand. */
export function gearTable(cdcKey: Uint8Array): Uint32Array {
  const bytes = hkdfExpand(cdcKey, 'bb1/gear', 1024);
  const table = new Uint32Array(256);
  for (let index = 0; index < 256; index++) table[index] = bytes.readUInt32BE(4 * index);
  bytes.fill(0);
  return table;
}
