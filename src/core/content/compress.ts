// Compression of single chunks with zstd. Invariant: a chunk is never stored longer than it is, and never expands to more
// than the length written in its cell directory.

import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { BbError } from '../errors.ts';
import { CHUNK_MAX_BYTES } from '../limits.ts';

/** Algorithm of a stored chunk, u8 in a cell directory. */
export const ALGORITHM = { RAW: 0, ZSTD: 1 } as const;
export type Algorithm = (typeof ALGORITHM)[keyof typeof ALGORITHM];

export type CompressedChunk = { readonly algorithm: Algorithm; readonly stored: Buffer };

const LEVEL = 3;
const WORTHWHILE_SHARE = 0.97;
const PARAMS = { [constants.ZSTD_c_compressionLevel]: LEVEL };
/** What zstd adds to bytes that it cannot shorten, and the smallest buffer that node:zlib takes. */
const FRAME_BYTES = 64;

/**
 * zstd level 3, or the chunk itself when that saves less than 3 %. `stored` may be a view of a larger buffer: whoever
 * keeps it copies it. (One output buffer of the right size: node's default pieces cost twice the time.)
 */
export function compressChunk(plain: Buffer): CompressedChunk {
  const stored = zstdCompressSync(plain, { params: PARAMS, chunkSize: plain.length + FRAME_BYTES });
  return stored.length <= plain.length * WORTHWHILE_SHARE
    ? { algorithm: ALGORITHM.ZSTD, stored }
    : { algorithm: ALGORITHM.RAW, stored: plain };
}

/** The `plainBytes` plaintext of a stored chunk; INTEGRITY for anything that is not exactly that long. */
export function decompressChunk(algorithm: number, stored: Buffer, plainBytes: number): Buffer {
  if (plainBytes < 1 || plainBytes > CHUNK_MAX_BYTES) throw new BbError('INTEGRITY', 'the length of a chunk is wrong');
  const plain = algorithm === ALGORITHM.RAW ? stored : inflate(algorithm, stored, plainBytes);
  if (plain.length !== plainBytes) throw new BbError('INTEGRITY', 'a chunk has not the length its cell says');
  return plain;
}

function inflate(algorithm: number, stored: Buffer, plainBytes: number): Buffer {
  if (algorithm !== ALGORITHM.ZSTD) throw new BbError('INCOMPATIBLE', 'a chunk was compressed by a newer version');
  try {
    return zstdDecompressSync(stored, { maxOutputLength: plainBytes, chunkSize: plainBytes + FRAME_BYTES });
  } catch (cause) {
    throw new BbError('INTEGRITY', 'a chunk does not decompress', { cause });
  }
}
