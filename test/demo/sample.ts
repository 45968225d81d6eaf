// What the demo backs up: a copy of a folder, so that nothing of the user's own is edited. By default this checkout with
// its node_modules, without history, caches and files over 5 MB.

import { cpSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const LARGE_BYTES = 5_000_000;
const LEFT_OUT = new Set(['.git', '.cache', 'dist']);

/** Copies `dir` to `to`, links as links, times and modes kept. */
export function copyFolder(dir: string, to: string): void {
  cpSync(dir, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
}

/** Copies the checkout at `root` to `to`. */
export function copyCheckout(root: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(root).filter((entry) => !LEFT_OUT.has(entry))) {
    cpSync(join(root, name), join(to, name), {
      recursive: true,
      verbatimSymlinks: true,
      preserveTimestamps: true,
      filter: (path) => {
        const stat = lstatSync(path, { throwIfNoEntry: false });
        return stat !== undefined && !(stat.isFile() && stat.size > LARGE_BYTES);
      },
    });
  }
  rmSync(join(to, 'node_modules/.installed-lock.json'), { force: true });
}
