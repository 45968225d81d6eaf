// Reads one source file as a stream of bytes and tells whether it changed meanwhile.
// Invariant: at most one block is held, and the same buffer is used for every block.

import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { isErrno } from '../files.ts';

/** How reading ended: `changed` when size or times differ from those before, `unreadable` when the disk refused. */
export type ReadEnd = 'unchanged' | 'changed' | 'unreadable';

export const READ_BLOCK_BYTES = 1024 * 1024;

/**
 * Yields the bytes of a regular file in blocks of at most READ_BLOCK_BYTES; a block is valid until the next is asked
 * for. Returns how it ended. A link or anything else that is not a file (any more) is `unreadable`.
 */
export async function* readSourceFile(path: Buffer, signal?: AbortSignal): AsyncGenerator<Buffer, ReadEnd> {
  let handle: fs.FileHandle;
  try {
    handle = await fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'EIO', 'ENXIO')) return 'unreadable';
    throw error;
  }
  try {
    const before = await handle.stat({ bigint: true });
    if (!before.isFile()) return 'unreadable';
    const block = Buffer.allocUnsafe(
      Number(before.size < BigInt(READ_BLOCK_BYTES) ? before.size + 1n : READ_BLOCK_BYTES),
    );
    let total = 0;
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(block, 0, block.length, total);
      if (bytesRead === 0) break;
      total += bytesRead;
      yield block.subarray(0, bytesRead);
    }
    const after = await handle.stat({ bigint: true });
    const isSame =
      BigInt(total) === before.size &&
      after.size === before.size &&
      after.mtimeNs === before.mtimeNs &&
      after.ctimeNs === before.ctimeNs;
    return isSame ? 'unchanged' : 'changed';
  } catch (error) {
    if (isErrno(error, 'EIO', 'EISDIR')) return 'unreadable';
    throw error;
  } finally {
    await handle.close();
  }
}
