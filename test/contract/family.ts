// An owner whose disk will die, and the storers that it has: what the tests of recoveries begin with.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { BbError } from '../../src/core/errors.ts';
import type { RecoverUpdate } from '../../src/daemon/local-api.ts';
import { agree, DaemonWorld, noiseOf } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';

const MIB = 1024 ** 2;

export type Family = {
  readonly owner: DaemonNode;
  readonly one: DaemonNode;
  readonly two: DaemonNode;
  readonly world: DaemonWorld;
};

/** An owner with files of all kinds and two storers, all proved at each other. */
export async function family(context: TestContext): Promise<Family> {
  const [owner, one, two] = await DaemonWorld.ready(context, 'owner', 'one', 'two');
  assert(owner && one && two);
  const { world } = owner;
  await owner.api.setStorage(3 * 1024 * MIB, 2);
  await Promise.all([agree(owner, one), agree(two, owner)]);
  const folder = owner.source({ 'a/big': noiseOf('big', 5 * MIB), 'a/small': 'small', empty: '', exec: '#!/bin/sh\n' });
  fs.chmodSync(join(folder, 'exec'), 0o750);
  fs.symlinkSync('a/small', join(folder, 'link'));
  fs.utimesSync(join(folder, 'a/small'), 1_000_000_000, 1_234_567_890.123);
  await owner.setFiles({ 'b/c/d': 'deep' });
  await one.setFiles({ own: 'of one' });
  await world.until('all is proved', () => owner.isProvedAt(one) && owner.isProvedAt(two) && one.isProvedAt(owner));
  return { owner, one, two, world };
}

export const isNormal = (node: DaemonNode) => node.session.node.mode === 'normal';
export const newestOf = (node: DaemonNode) => node.session.newest?.row ?? assert.fail('no revision');

export async function recoveredFully(world: DaemonWorld, owner: DaemonNode): Promise<void> {
  await world.until('recovered', () => isNormal(owner) && owner.said('recovery-complete').length > 0);
}

/** An id of the owner's own key that no revision has. */
export function sealed(owner: DaemonNode, sequence: number): Buffer {
  return owner.session.keyring.sealContentId({
    generation: newestOf(owner).generation,
    sequence,
    createdMs: 1,
    nonce: noiseOf('nonce', 16),
    metaBytes: 100,
    cellCount: 4,
  });
}

/** What a download of cells that their holder has lost looks like. */
export function gone(): AsyncIterable<never> {
  const lost = new BbError('BAD_PEER_DATA', 'the cell is gone');
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(lost) }) };
}

/** `bb init complete`, up to its last report. */
export async function complete(node: DaemonNode, acceptLoss = false): Promise<RecoverUpdate> {
  const args = { from: '', complete: true, acceptSequence: 0, acceptLoss };
  for await (const update of node.api.recover(args, new AbortController().signal)) if (update.done) return update;
  return assert.fail('no end was told');
}
