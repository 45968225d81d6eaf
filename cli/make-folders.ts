// A folder and its parents. Not Node's `recursive`: that never returns for a folder that the kernel refuses to make, such as
// one in /proc.

import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** True when the folder is new; what mkdir says when it cannot be made. */
export async function makeFolders(path: string, mode: number): Promise<boolean> {
  const failed = await tryMkdir(path, mode);
  if (failed === undefined) return true;
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory();
  if (failed.code === 'EEXIST' && isFolder === true) return false;
  if (failed.code !== 'ENOENT' || (await stat(dirname(path)).catch(() => undefined)) !== undefined) throw failed;
  await makeFolders(dirname(path), mode);
  await mkdir(path, { mode });
  return true;
}

async function tryMkdir(path: string, mode: number): Promise<NodeJS.ErrnoException | undefined> {
  try {
    await mkdir(path, { mode });
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}
