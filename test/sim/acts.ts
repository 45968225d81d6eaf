// What people do in a simulation: become friends, agree on terms, back up, and look whether it worked.

import { CELL_BYTES } from '../../src/core/limits.ts';
import type { SetFileResult } from '../../src/daemon/local-api.ts';
import type { SimFile } from './content.ts';
import type { SimNode } from './sim-node.ts';

const NO_SIGNAL = new AbortController().signal;

/** Both users type the other's id. */
export async function befriend(a: SimNode, b: SimNode): Promise<void> {
  await Promise.all([a.api.connectPeer(b.id, b.name, false), b.api.connectPeer(a.id, a.name, false)]);
}

/** `from` proposes to store as much as it gets; gives the last state, with the reason of a refusal. */
export async function agree(from: SimNode, to: SimNode, cells = 1000): Promise<string> {
  const bytes = cells * CELL_BYTES;
  const args = { peer: to.id, giveBytes: bytes, getBytes: bytes, durationSeconds: 0, holdSeconds: 0, amend: false };
  let last = '';
  for await (const { state, reason } of from.api.propose(args, NO_SIGNAL)) last = `${state} ${reason}`.trim();
  return last;
}

/** The user's files on this machine become the newest content. */
export function backUp(node: SimNode, files: readonly SimFile[] = node.files): Promise<SetFileResult> {
  node.files = files;
  const source = { kind: 'path', path: Buffer.from('/home'), name: Buffer.from('home') } as const;
  return node.api.setFile(source, () => undefined, NO_SIGNAL);
}

/** A file of so many cells, in its first version. */
export function fileOf(name: string, cells: number): SimFile {
  return { name, cells: Array.from({ length: cells }, () => 1) };
}

/** The same file with some of its cells changed. */
export function edited(file: SimFile, from: number, count: number): SimFile {
  return { ...file, cells: file.cells.map((version, at) => (at >= from && at < from + count ? version + 1 : version)) };
}

export async function verdictOf(node: SimNode): Promise<string> {
  return (await node.api.status()).verdict ?? 'UNKNOWN';
}

/** Follows `bb recover` to its end, or to where only another peer can help. */
export async function followRecovery(node: SimNode): Promise<void> {
  const args = { from: '', complete: false, acceptSequence: 0, acceptLoss: false };
  for await (const { done } of node.api.recover(args, NO_SIGNAL)) if (done) return;
}
