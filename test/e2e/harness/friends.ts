// The steps that every story between nodes is made of.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestNode } from './node.ts';
import { differences, LostFiles, readTree } from './trees.ts';
import type { Tree } from './trees.ts';

export type Transfer = {
  readonly peer: string;
  readonly served_bytes: number;
  readonly pulled_bytes: number;
  readonly recovered_bytes: number;
};

const NO_TRANSFER = { served_bytes: 0, pulled_bytes: 0, recovered_bytes: 0 };
/** Bounds for what hangs, not for what is slow: no test is about speed. */
const WITHIN = '240s';

/** Each knows the other and `node`, whose events are followed, has a session to `friend`. */
export async function befriend(node: TestNode, friend: TestNode): Promise<void> {
  await add(friend, node);
  await add(node, friend);
  await node.waitEvent('peer-connected', ({ attributes }) => attributes['peer'] === friend.onionId);
}

/** A friend whose address Tor does not know yet is added all the same (exit 14); the daemons find each other later. */
async function add(node: TestNode, friend: TestNode): Promise<void> {
  const run = await node.run(['connect', `bb:${friend.onionId}`, '--name', friend.name]);
  assert.ok(run.exit === 0 || run.exit === 14, `exit ${run.exit}: ${run.stderr}`);
}

export async function agree(node: TestNode, friend: TestNode, size: string): Promise<void> {
  await node.data(['contracts', 'propose', friend.name, '--give', size, '--get', size, '-y']);
}

export async function becomeProtected(node: TestNode, replicas: number): Promise<void> {
  await node.data(['storage', 'set', '--min-replicas', String(replicas)]);
  await staysProtected(node);
}

/** Waits until the newest revision is proved by as many as are wanted. */
export async function staysProtected(node: TestNode): Promise<void> {
  await node.data(['status', '--wait', 'protected', '--timeout', WITHIN]);
}

/** Content bytes exchanged with `friend` since the daemon of `node` started. */
export async function transferWith(node: TestNode, friend: TestNode): Promise<Omit<Transfer, 'peer'>> {
  const { transfers } = (await node.data(['status'])) as { transfers: Transfer[] };
  return transfers.find(({ peer }) => peer === friend.onionId) ?? NO_TRANSFER;
}

/** The disk is gone; the words start over on an empty one, with another config.toml if one is given. */
export async function loseDisk(
  node: TestNode,
  flag: '--recover' | '--new' = '--recover',
  config?: string,
): Promise<void> {
  await node.kill9();
  node.wipe();
  node.prepare(config);
  await node.initAgain(flag);
  await node.follow();
}

/** Waits until everything is back and compares it, name by name, with what was there. */
export async function recoverAll(
  node: TestNode,
  wanted: Tree,
  name: string,
  extra: readonly string[] = [],
): Promise<void> {
  const target = join(node.dataDir, '..', `restored-${node.name}-${Math.trunc(performance.now())}`);
  mkdirSync(target);
  await node.data(['recover', '--to', target, '-y', '--wait', '--timeout', WITHIN, ...extra]);
  const lost = differences(wanted, await readTree(join(target, name)));
  if (lost.length > 0) throw new LostFiles(`${node.name} got back something else: ${lost.join('; ')}`);
}
