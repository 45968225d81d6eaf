// What a cut costs: a pull or a recovery of content that does not compress, cut once at a given cell, and then all the
// bytes that whoever sends has sent until it is complete. What was on its way when the cut came counts as well.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { blobCellCount } from '../../src/core/challenge/plan.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';
import type { DaemonNode } from './daemon-node.ts';
import { agree, DaemonWorld, noiseOf } from './daemon-world.ts';

const MIB = 1024 ** 2;

export const CUTS = ['receiver killed', 'sender killed', 'link cut'] as const;

export type CutCase = {
  readonly job: 'pull' | 'recover';
  readonly cut: (typeof CUTS)[number];
  readonly mib: number;
  /** Part of the cells that were sent when the cut comes, 0 to 1. */
  readonly at: number;
};

/** Cells sent in all, and cells of the content. */
export async function cellsAfterCut(context: TestContext, { job, cut, mib, at }: CutCase) {
  const [owner, storer] = await DaemonWorld.ready(context, 'owner', 'storer');
  assert(owner && storer);
  const { world } = owner;
  await owner.api.setStorage(0, 1);
  await agree(owner, storer, 2 * mib * MIB);
  await world.until('the contract is in a revision', () => owner.isProvedAt(storer));
  const before = owner.bytes('served', storer);
  const [sender, receiver] = job === 'pull' ? [owner, storer] : [storer, owner];
  const sent = () => (job === 'pull' ? owner.bytes('served', storer) - before : storer.bytes('returned', owner));
  const files = { big: noiseOf(`${job} ${cut}`, mib * MIB) };
  const wanted = Math.floor(((mib * MIB) / CELL_BYTES) * at);

  if (job === 'recover') {
    await owner.setFiles(files);
    await world.until('proved', () => owner.isProvedAt(storer));
    await owner.wipe();
  }
  const cutDone = afterCells(sender, job, wanted, () => breakOff(sender, receiver, cut, sent));
  if (job === 'pull') await owner.setFiles(files);
  else await owner.init('recover');
  const atCut = await cutDone;
  if (cut !== 'link cut') {
    const killed = cut === 'sender killed' ? sender : receiver;
    await killed.start();
    await killed.unlock();
  }
  const isOver = () => owner.said('recovery-complete').length > 0 && owner.session.node.mode === 'normal';
  await world.until('it is complete', () => (job === 'pull' ? owner.isProvedAt(storer) : isOver()));
  const total = sent() + (cut === 'sender killed' ? atCut + (job === 'pull' ? before : 0) : 0);
  const cells = blobCellCount(owner.session.newest?.row ?? assert.fail('no revision'));
  assert.deepEqual(await owner.read('docs/big'), files.big);
  assert.ok(atCut < cells * CELL_BYTES, 'the cut came too late to show anything');
  return { sent: total / CELL_BYTES, cells };
}

/** Runs `act` when the sender reads its n-th cell for the receiver; resolves with what `act` returns. */
function afterCells(
  sender: DaemonNode,
  job: CutCase['job'],
  cells: number,
  act: () => Promise<number>,
): Promise<number> {
  const method = job === 'pull' ? 'sealCell' : 'read';
  let seen = 0;
  return new Promise((resolve, reject) => {
    sender.hooks.set(method, () => {
      seen += 1;
      if (seen !== cells) return;
      sender.hooks.delete(method);
      act().then(resolve, reject);
    });
  });
}

async function breakOff(sender: DaemonNode, receiver: DaemonNode, cut: CutCase['cut'], sent: () => number) {
  if (cut === 'link cut') sender.world.breakStreams(() => true);
  const atCut = sent();
  if (cut === 'sender killed') await sender.kill();
  if (cut === 'receiver killed') await receiver.kill();
  return atCut;
}
