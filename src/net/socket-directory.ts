// The folder of the Unix sockets that tor and we share: tor's control and SOCKS sockets, and ours behind the onion
// service. A socket path has 107 bytes at most and tor cannot parse every character of one, so a data directory with a
// long or unusual path gets a folder elsewhere. Invariant: only our own user can enter it.

import { createHash } from 'node:crypto';
import { lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BbError } from '../core/errors.ts';
import { SOCKET_PATH_BYTES } from '../core/limits.ts';

/** Room for the name of a socket in the folder. */
const NAME_BYTES = 16;

/** `preferred` if sockets fit there, else a folder below `fallbackRoot` that is always the same one for `preferred`. */
export async function prepareSocketDirectory(preferred: string, fallbackRoot: string): Promise<string> {
  const name = `bb-${createHash('sha256').update(preferred).digest('hex').slice(0, 16)}`;
  const directory = isFit(preferred) ? preferred : join(fallbackRoot, name);
  if (!isFit(directory)) throw unusable('no folder is short and plain enough for Unix sockets');
  await mkdir(directory, { mode: 0o700, recursive: directory === preferred }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw unusable('the folder for sockets cannot be made', cause);
  });
  const found = await lstat(directory);
  const isOurs = found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0;
  if (!isOurs) throw unusable('the folder for sockets is open to other users');
  return directory;
}

function isFit(directory: string): boolean {
  const isShort = Buffer.byteLength(directory) + 1 + NAME_BYTES <= SOCKET_PATH_BYTES;
  return isShort && /^\/[A-Za-z0-9/._+-]*$/.test(directory);
}

function unusable(message: string, cause?: unknown): BbError {
  return new BbError('UNUSABLE_ENVIRONMENT', message, { cause });
}
