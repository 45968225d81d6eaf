// A file that only takes space: removing it lets a full disk be cleaned up (docs/storage-format.md, "At rest").

import * as fs from 'node:fs';
import { isBbError } from '../core/errors.ts';
import { BALLAST_BYTES } from '../core/limits.ts';
import type { Files } from './files.ts';

export const BALLAST_NAME = 'ballast';
const BLOCK_BYTES = 1024 * 1024;

/** Makes the ballast when it is missing and at least twice its size is free. Never fails for lack of space. */
export async function ensureBallast(files: Files, dir: string, freeBytes: number): Promise<void> {
  const path = `${dir}/${BALLAST_NAME}`;
  if ((await files.sizeBytes(path)) === BALLAST_BYTES || freeBytes < 2 * BALLAST_BYTES) return;
  await files.unlink(path);
  const file = await files.open(path, 'create');
  try {
    // Not zeros: a file system that compresses or leaves holes would take no space for them.
    const block = Buffer.alloc(BLOCK_BYTES, 'ballast ');
    for (let at = 0; at < BALLAST_BYTES; at += BLOCK_BYTES) {
      block.writeUInt32BE(at);
      await file.write(block, at);
    }
    await file.datasync();
  } catch {
    await files.unlink(path);
  } finally {
    await file.close();
  }
}

/**
 * Runs a clean-up, a second time without the ballast when the disk is full. The ballast is made again at the next start
 * that finds enough space.
 */
export function withBallast<T>(dir: string, cleanUp: () => T): T {
  try {
    return cleanUp();
  } catch (error) {
    if (!isBbError(error, 'NO_SPACE')) throw error;
    fs.rmSync(`${dir}/${BALLAST_NAME}`, { force: true });
    return cleanUp();
  }
}
