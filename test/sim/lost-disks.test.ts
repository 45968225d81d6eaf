// Dead disks, older images and hasty users: whatever came back is the newest that anybody has, and nothing is replaced by
// less.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { edited, fileOf, verdictOf } from './acts.ts';
import { circleOf, comeBack, listing, normalSoon, protectedSoon, set } from './circle.ts';
import type { SimNode } from './sim-node.ts';
import { heldCells } from './truth.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './sim-world.ts';

test('an older image of the owner finds the newer revision at its peers and takes it back', async () => {
  const circle = await circleOf('image of an owner', 3);
  const { world, oracle } = circle;
  const [owner] = circle.nodes as [SimNode];
  const image = owner.disk.image();
  const [photos, letters] = owner.files;
  assert.ok(photos && letters);
  await set(circle, owner, [edited(photos, 2, 3), letters]);
  const sequence = await set(circle, owner, [edited(photos, 2, 3), edited(letters, 0, 1), fileOf('new', 2)]);
  await protectedSoon(world, owner);
  const before = await listing(owner);

  owner.restoreImage(image);
  oracle.forgive(owner);
  await world.does(owner.start());
  await world.does(owner.unlock());
  await world.until('the newer revision is found', () => owner.session.node.mode === 'recovering');
  await normalSoon(world, owner);
  assert.deepEqual(await listing(owner), before);
  assert.ok((owner.session.newest?.row.sequence ?? 0) > sequence);
  await protectedSoon(world, owner);
});

test('an image of a disk brings no proof with it: while nobody can be asked, an older one is not PROTECTED', async () => {
  const circle = await circleOf('proofs of an image', 4);
  const { world, oracle } = circle;
  const [owner, ...storers] = circle.nodes as [SimNode, ...SimNode[]];
  const image = owner.disk.image();
  const [photos, letters] = owner.files;
  assert.ok(photos && letters);
  await set(circle, owner, [edited(photos, 2, 3), letters]);
  await protectedSoon(world, owner);

  for (const storer of storers) storer.kill();
  owner.restoreImage(image);
  oracle.forgive(owner);
  await world.does(owner.start());
  await world.does(owner.unlock());
  await world.pass(HOUR_MS);
  assert.equal(await oracle.judgeVerdict(owner), 'AT_RISK');
});

test('a daemon that starts again on its own disk is PROTECTED as soon as the storers have answered', async () => {
  const circle = await circleOf('plain restart', 4);
  const { world, oracle } = circle;
  const [owner] = circle.nodes as [SimNode];
  let checks = 0;
  world.watchers.push((node, { name }) => {
    if (node === owner && name === 'check-judged') checks += 1;
  });
  await owner.restart();
  await world.pass(5 * MINUTE_MS);
  assert.equal(await oracle.judgeVerdict(owner), 'PROTECTED');
  assert.equal(checks, 3, 'each storer is asked once, and the verdict does not wait for the daily checks');
});

test('an older image of a storer is noticed, and its copy is made whole again', async () => {
  const circle = await circleOf('image of a storer', 3);
  const { world } = circle;
  const [owner, storer] = circle.nodes as [SimNode, SimNode];
  const image = storer.disk.image();
  const [photos, letters] = owner.files;
  assert.ok(photos && letters);
  await set(circle, owner, [edited(photos, 0, 4), letters]);
  await protectedSoon(world, owner);

  storer.restoreImage(image);
  await world.does(storer.start());
  await world.does(storer.unlock());
  await world.pass(2 * DAY_MS); // the oracle sees to it that no check is satisfied by what is not there
  await protectedSoon(world, owner);
});

test('a user who says "this is a new node" by mistake overwrites nothing', async () => {
  const circle = await circleOf('init new', 3);
  const { world, nodes } = circle;
  const [owner] = nodes as [SimNode];
  const before = await listing(owner);
  await comeBack(circle, owner, 'new');
  await normalSoon(world, owner);
  assert.deepEqual(await listing(owner), before);
});

test('a mistaken "new" while every holder sleeps is undone when they wake', async () => {
  const circle = await circleOf('init new alone', 3);
  const { world, nodes } = circle;
  const [owner, ...holders] = nodes as [SimNode, ...SimNode[]];
  const before = await listing(owner);
  for (const holder of holders) holder.suspend();
  await comeBack(circle, owner, 'new');
  await world.until('the look is over', () => owner.session.node.mode === 'normal', HOUR_MS);
  await set(circle, owner, [fileOf('written since', 2)]);
  await world.pass(DAY_MS);

  for (const holder of holders) holder.resume();
  await world.until('a holder calls in', () => owner.session.node.mode === 'recovering');
  await world.until('the old content is back', () => owner.session.newest?.row.fileCount === before.length);
  assert.deepEqual(await listing(owner), before);
  const since = owner.session.newest?.row.contentId;
  await world.until('what was written since is a fork', () => owner.session.node.forks.length === 1);
  await world.until('and merged', () => owner.session.node.forks.length === 0);
  assert.notDeepEqual(owner.session.newest?.row.contentId, since);
  const merged = await listing(owner);
  assert.deepEqual(
    merged.filter((line) => before.includes(line)),
    before,
  );
  assert.ok(merged.some((line) => line.startsWith('written since ')));
});

test('one fresh holder among stale ones is enough to get the newest revision back', async () => {
  const circle = await circleOf('all but one stale', 6);
  const { world, nodes } = circle;
  const [owner, fresh, ...stale] = nodes as [SimNode, SimNode, ...SimNode[]];
  for (const node of stale) node.suspend();
  await world.pass(MINUTE_MS);
  const [photos, letters] = owner.files;
  assert.ok(photos && letters);
  const sequence = await set(circle, owner, [edited(photos, 5, 2), letters]);
  const isFresh = () => owner.session.registry.contract(fresh.id)?.replica.lastOutcome === 'held';
  await world.until('the one holder has it', () => isFresh(), DAY_MS);
  await world.pass(HOUR_MS);
  const before = await listing(owner);

  owner.loseDisk();
  circle.oracle.forgive(owner);
  for (const node of stale) node.resume();
  await world.pass(HOUR_MS);
  await world.does(owner.start());
  await world.does(owner.init('recover'));
  await normalSoon(world, owner);
  assert.deepEqual(await listing(owner), before);
  assert.ok((owner.session.newest?.row.sequence ?? 0) > sequence, 'a stale revision was restored');
});

/** Nothing of what is on this disk can be read any more. */
function rot(storer: SimNode): void {
  for (const pack of storer.disk.packs.values()) {
    for (const [at, slot] of pack.slots.entries()) pack.slots[at] = { ...slot, fault: 'unreadable' };
  }
}

test('a storer whose disk rots confesses and is given everything once more', async () => {
  const { world, nodes } = await circleOf('rotten', 3);
  const [owner, storer] = nodes as [SimNode, SimNode];
  const newest = owner.session.newest?.row.contentId ?? Buffer.alloc(0);
  rot(storer);
  assert.equal(heldCells(storer.disk, owner.id, newest)?.whole, 0);
  const isWhole = () =>
    heldCells(storer.disk, owner.id, newest)?.whole === heldCells(storer.disk, owner.id, newest)?.cells;
  await world.until('the copy is whole again', isWhole, 2 * DAY_MS);
});

test('a storer that threw everything away and says nothing is found by the next check', async () => {
  const { world, oracle, nodes } = await circleOf('thrown away', 3);
  const [owner, storer] = nodes as [SimNode, SimNode];
  oracle.liars.add(storer);
  storer.hidesDamage = true;
  rot(storer);
  const outcome = () => owner.session.registry.contract(storer.id)?.replica.lastOutcome;
  await world.until('a check is wrong', () => outcome() === 'wrong', 2 * DAY_MS);
  assert.equal(await verdictOf(owner), 'AT_RISK');
});
