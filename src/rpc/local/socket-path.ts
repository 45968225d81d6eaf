// The Unix socket of clirpc as a file: only its user may reach it, and what a dead daemon left behind does not stop a new one.

import { lstat, mkdir, unlink } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';
import { BbError } from '../../core/errors.ts';
import { SOCKET_PATH_BYTES } from '../../core/limits.ts';

const DIRECTORY_MODE = 0o700;
const OTHERS = 0o077;
export const SOCKET_MODE = 0o600;

/**
 * Makes `path` free to be bound: its directory exists and is closed to others, and a socket that nobody answers is removed.
 * UNUSABLE_ENVIRONMENT for a path that is too long or taken by something else; DATA_DIR_IN_USE when a daemon answers.
 */
export async function prepareSocketPath(path: string): Promise<void> {
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES) {
    throw new BbError('UNUSABLE_ENVIRONMENT', `the path of the socket is longer than ${SOCKET_PATH_BYTES} bytes`, {
      hint: 'Use a shorter --data-dir, or set XDG_RUNTIME_DIR to a short directory.',
    });
  }
  const directory = dirname(path);
  await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
  const { mode } = await lstat(directory);
  // Not repaired by chmod: the directory may be one that others use on purpose.
  if ((mode & OTHERS) !== 0) {
    throw new BbError('UNUSABLE_ENVIRONMENT', 'the directory of the socket is open to other users');
  }
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new BbError('UNUSABLE_ENVIRONMENT', 'the path of the socket is taken by another file');
  }
  if (await answers(path)) throw new BbError('DATA_DIR_IN_USE', 'another daemon answers on this socket');
  await unlink(path);
}

/** True when some process accepts connections on the socket. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
