// Places in which a daemon cannot do all that it wants: a disk that is soon full, a user that may not read or write.

import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** `nobody`: owns nothing, and root's tests would not notice a refused permission. */
const STRANGER_UID = 65_534;

/** A disk of its own at `dir`, in memory; undefined where this process may not mount one. Call the result to let it go. */
export function smallDisk(dir: string, mib: number): (() => void) | undefined {
  mkdirSync(dir, { recursive: true });
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m,mode=700`, 'none', dir]);
  if (mounted.status !== 0) return undefined;
  return () => {
    const done = spawnSync('umount', ['--lazy', dir], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`umount ${dir}: ${done.stderr}`);
  };
}

export function canMount(): boolean {
  const dir = mkdtempSync('/tmp/bbt-mount-');
  const free = smallDisk(dir, 1);
  free?.();
  rmdirSync(dir);
  return free !== undefined;
}

/** The user under whom permissions count: another one when the tests run as root. */
export const otherUid = process.getuid?.() === 0 ? STRANGER_UID : undefined;

/**
 * The installed programs, and the Node that runs them, where every user may read them: a checkout may lie in a home that is
 * closed to others. Returns the path of bb.
 */
export function programsForAll(bb: string, dir: string): string {
  mkdirSync(dir, { recursive: true });
  chmodSync(dirname(dir), 0o755);
  const modules = dirname(dirname(bb));
  cpSync(modules, join(dir, 'node_modules'), { recursive: true, verbatimSymlinks: true });
  cpSync(process.execPath, join(dir, 'node_modules/.bin/node'));
  chmodSync(dir, 0o755);
  return join(dir, 'node_modules/.bin/bb');
}
