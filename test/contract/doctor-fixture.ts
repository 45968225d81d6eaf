// Damage to header and catalog of a daemon under test, and what `bb doctor` says about it.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Finding, FindingCheck } from '../../src/daemon/local-api.ts';
import { remainingOf } from '../../src/daemon/remaining.ts';
import type { DaemonNode } from './daemon-node.ts';

/** What `bb doctor` finds, by check; several packs are in order. */
export async function findings(node: DaemonNode, { fix = false, readData = false } = {}): Promise<Finding[]> {
  const found: Finding[] = [];
  for await (const update of node.api.doctor({ fix, readData }, new AbortController().signal)) {
    if (update.kind === 'finding') found.push(update.finding);
  }
  return found;
}

export async function findingOf(
  node: DaemonNode,
  check: FindingCheck,
  options: { fix?: boolean; readData?: boolean } = {},
): Promise<Finding> {
  const found = (await findings(node, options)).filter((one) => one.check === check);
  return found[0] ?? assert.fail(`no finding about ${check}`);
}

export const CATALOG_FILES = ['state.db', 'state.db-wal', 'state.db-shm'] as const;

/** Deletes files of the data directory; the daemon is down. */
export function lose(node: DaemonNode, ...names: readonly string[]): void {
  for (const name of names) fs.rmSync(join(node.dir, name), { force: true });
}

export function rewrite(node: DaemonNode, name: string, change: (bytes: Buffer) => Buffer): void {
  const path = join(node.dir, name);
  fs.writeFileSync(path, change(fs.readFileSync(path)));
}

/** All of the catalog in one file, as after an orderly end. */
export { remainingOf };
