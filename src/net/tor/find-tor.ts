// Where the tor program is. Nothing is downloaded: tor comes from the operating system's packages.

import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { BbError } from '../../core/errors.ts';

const SYSTEM_FOLDERS = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/opt/homebrew/bin'];

/** Absolute path of tor: `wanted` when given, else from `searchPath` (PATH), else the usual folders. Throws NO_TOR. */
export async function findTor(wanted: string | undefined, searchPath: string): Promise<string> {
  if (wanted !== undefined) {
    if (isAbsolute(wanted) && (await isExecutable(wanted))) return wanted;
    throw new BbError('NO_TOR', 'the tor program given by --tor-binary cannot be run', {
      hint: 'Give the absolute path of a tor program.',
    });
  }
  const folders = searchPath.split(delimiter).filter(isAbsolute);
  for (const folder of [...folders, ...SYSTEM_FOLDERS]) {
    const candidate = join(folder, 'tor');
    if (await isExecutable(candidate)) return candidate;
  }
  throw new BbError('NO_TOR', 'tor is not installed');
}

function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
