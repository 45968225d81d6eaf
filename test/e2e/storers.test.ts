// Daemons that die in the middle: a storer while it pulls, the owner while it recovers; a storer that is behind, and an owner
// whose disk was put back from an older image. Each test goes on where the last one ended.

import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Event } from '../../src/gen/clirpc/v1/clirpc.ts';
import { agree, becomeProtected, befriend, loseDisk, recoverAll, transferWith } from './harness/friends.ts';
import type { TestNode } from './harness/node.ts';
import { readTree } from './harness/trees.ts';
import { World } from './harness/world.ts';

const TIME_DIVISOR = 300;
const MIB = 1024 * 1024;
const NOISE_MIB = 64;
/** What a cut may cost: what was asked for and not durable yet is fetched again. */
const RESUME_MAX = 1.05;

let world: World;
let ada: TestNode;
let ben: TestNode;
let cara: TestNode;
let source: string;

before(async () => {
  world = await World.create({ timeDivisor: TIME_DIVISOR });
  [ada, ben, cara] = [world.node('ada'), world.node('ben'), world.node('cara')];
  source = world.folder('papers');
  const handle = openSync(join(source, 'noise'), 'w');
  const block = Buffer.alloc(MIB);
  for (let at = 0; at < NOISE_MIB; at += 1) writeSync(handle, randomFillSync(block));
  closeSync(handle);
  await Promise.all([ada, ben, cara].map((node) => node.init()));
  await Promise.all([ada, ben, cara].map((node) => node.follow()));
  await befriend(ada, ben);
  await befriend(ada, cara);
});

after(() => world.close());

/** A job of this kind is past a part of its bytes and far from its end. */
function isUnderWay(kind: string): (event: Event) => boolean {
  return ({ attributes, progress }) =>
    attributes['kind'] === kind && progress !== undefined && Number(progress.done) > Number(progress.total) / 2;
}

async function edit(text: string): Promise<void> {
  writeFileSync(join(source, 'note'), text);
  await ada.data(['setfile', source, '--as', 'papers']);
}

async function contentBytes(): Promise<number> {
  return ((await ada.data(['status']))['revision'] as { content_bytes: number }).content_bytes;
}

test('a storer that is killed in the middle of its pull goes on where it was', async (context) => {
  await edit('first');
  await agree(ada, ben, '1GiB');
  await ben.waitEvent('progress', isUnderWay('pull'));
  await ben.kill9();
  const cut = await transferWith(ada, ben);
  await ben.unlock();
  await ben.follow();
  await becomeProtected(ada, 1);
  const { served_bytes: served } = await transferWith(ada, ben);
  const whole = await contentBytes();
  context.diagnostic(
    `cut after ${(cut.served_bytes / whole).toFixed(2)}, served ${(served / whole).toFixed(3)} in all`,
  );
  assert.ok(cut.served_bytes < whole * 0.95, 'the cut came too late to show anything');
  assert.ok(cut.served_bytes > whole * 0.2, 'the cut came too early to show anything');
  assert.ok(served <= whole * RESUME_MAX, `${served} of ${whole} bytes`);
});

test('a storer that is behind loses against the newest revision, and a recovery goes on after kill -9', async (context) => {
  await agree(ada, cara, '1GiB');
  await becomeProtected(ada, 2);
  await cara.stop();
  await edit('second, which cara never saw');
  await becomeProtected(ada, 1);
  const wanted = await readTree(source);
  await ben.stop();
  await loseDisk(ada);
  await cara.unlock();
  const stale = await ada.waitEvent('holder-found');
  assert.equal(stale.attributes['peer'], cara.onionId);
  await ben.unlock();
  await ada.waitEvent('progress', isUnderWay('recover'));
  await ada.kill9();
  await ada.unlock();
  await ada.follow();
  await recoverAll(ada, wanted, 'papers');
  const again = (await transferWith(ada, ben)).recovered_bytes + (await transferWith(ada, cara)).recovered_bytes;
  const share = again / (await contentBytes());
  context.diagnostic(`after the kill ${(100 * share).toFixed(0)} % of the content was fetched`);
  assert.ok(share < 0.9, 'the recovery began from nothing after the kill');
  await ben.follow();
  await cara.follow();
  await becomeProtected(ada, 2);
});

test('an owner on an older disk image does not replace what its peers hold: it takes the newer revision back', async () => {
  const image = join(world.root, 'image');
  await ada.stop();
  spawnSync('cp', ['-a', ada.dataDir, image]); // cpSync drops the modes of folders
  await ada.unlock();
  await edit('third, newer than the image');
  const wanted = await readTree(source);
  await becomeProtected(ada, 2);
  await ada.stop();
  rmSync(ada.dataDir, { recursive: true });
  renameSync(image, ada.dataDir);
  await ada.unlock();
  await ada.follow();
  await ada.waitEvent('recovery-complete');
  await recoverAll(ada, wanted, 'papers');
  const status = await ada.data(['status']);
  assert.equal(status['mode'], 'normal');
  assert.deepEqual(status['forks'], []);
  await becomeProtected(ada, 2);
});
