// The paths of the node that this bb talks to: core's one function with the values of this process.

import { readdir } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { resolve } from 'node:path';
import { nodePaths } from '../src/core/paths.ts';
import type { NodePaths } from '../src/core/paths.ts';

export function cliPaths(dataDir: string | undefined, socket: string | undefined): NodePaths {
  const uid = process.getuid?.() ?? userInfo().uid;
  return nodePaths({ dataDir, socket }, { env: process.env, home: homedir(), uid, absolute: (path) => resolve(path) });
}

/** True when no node was ever made in this data directory. One that may not be looked into is not taken for unused. */
export async function isUnused(dataDir: string): Promise<boolean> {
  const names = await readdir(dataDir).catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? [] : ['?']));
  return names.length === 0;
}

/** True when a node was made in this data directory: its header is there. */
export async function hasNode(dataDir: string): Promise<boolean> {
  const names = await readdir(dataDir).catch((): string[] => []);
  return names.includes('header.json');
}
