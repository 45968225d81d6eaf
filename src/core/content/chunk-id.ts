// The owner's private name of a chunk: the key of de-duplication. Peers never see it.

import type { CellKind } from '../crypto/cell-seal.ts';
import { hmacSha256 } from '../crypto/hash.ts';

export const CHUNK_ID_BYTES = 16;

/** 16 bytes under the key `bb1/chunk/id`; the kind is that of the cell the chunk lies in (DATA or INDEX). */
export function chunkId(idKey: Uint8Array, kind: CellKind, plain: Uint8Array): Buffer {
  return hmacSha256(idKey, Buffer.of(kind), plain).subarray(0, CHUNK_ID_BYTES);
}
