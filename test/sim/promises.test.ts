// The promises of a contract, each under the circumstances that strain it; the oracle of circleOf watches all of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CELL_BYTES } from '../../src/core/limits.ts';
import { PeerRefusal } from '../../src/core/refusal.ts';
import { backUp, edited, fileOf } from './acts.ts';
import { circleOf, insist, protectedSoon, set } from './circle.ts';
import type { Circle } from './circle.ts';
import type { SimNode } from './sim-node.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './sim-world.ts';
import { heldCells } from './truth.ts';

const NO_SIGNAL = new AbortController().signal;

const newestId = (node: SimNode): Buffer => node.session.newest?.row.contentId ?? Buffer.alloc(0);
const keptBy = (storer: SimNode, owner: SimNode) =>
  storer.session.registry.heldOf(owner.id).filter(({ value }) => value.role === 'kept');

/** The first file gets a new version, and every friend has it. */
async function edit(circle: Circle, owner: SimNode): Promise<void> {
  const [photos, ...others] = owner.files;
  assert.ok(photos);
  await set(circle, owner, [edited(photos, 0, 2), ...others]);
  await protectedSoon(circle.world, owner);
}

test('a superseded revision stays for its hold and not for ever', async () => {
  const circle = await circleOf('hold', 2);
  const { world } = circle;
  const [owner, storer] = circle.nodes as [SimNode, SimNode];
  await world.pass(2 * DAY_MS);
  await edit(circle, owner);
  await world.pass(6 * DAY_MS);
  assert.ok(keptBy(storer, owner).length > 0);
  await world.pass(2 * DAY_MS);
  assert.equal(keptBy(storer, owner).length, 0);
});

test('of many revisions of a day the one that was current longest stays', async () => {
  const circle = await circleOf('history', 2);
  const { world } = circle;
  const [owner, storer] = circle.nodes as [SimNode, SimNode];
  for (const minutes of [3, 200, 3, 90, 3, 3]) {
    await edit(circle, owner);
    await world.pass(minutes * MINUTE_MS);
  }
  await world.pass(3 * DAY_MS);
  assert.ok(keptBy(storer, owner).length > 0);
});

test('a shorter hold that is signed takes nothing from what was promised before', async () => {
  const circle = await circleOf('shorter hold', 2);
  const { world } = circle;
  const [owner, storer] = circle.nodes as [SimNode, SimNode];
  await world.pass(2 * DAY_MS);
  const bytes = 1000 * CELL_BYTES;
  const terms = { giveBytes: bytes, getBytes: bytes, durationSeconds: 0, holdSeconds: DAY_MS / 1000, amend: true };
  const amend = async (): Promise<void> => {
    for await (const _ of owner.api.propose({ peer: storer.id, ...terms }, NO_SIGNAL));
  };
  await insist(world, amend);
  await insist(world, () => storer.api.answerProposal(owner.id, true, NO_SIGNAL)); // less hold for it, too
  await edit(circle, owner);
  await world.pass(4 * DAY_MS);
  assert.ok(keptBy(storer, owner).length > 0);
});

test('a deleted content stays for its hold', async () => {
  const circle = await circleOf('deleted', 2);
  const { world } = circle;
  const [owner, storer] = circle.nodes as [SimNode, SimNode];
  const contentId = newestId(owner);
  const nothing = { content: undefined, previousContentId: contentId, delete: true, newCells: 0 };
  const { outcome } = await world.does(storer.peerApi.setContentRevision(owner.id, nothing));
  assert.equal(outcome, 'ACCEPTED_PULLING');
  await world.pass(5 * DAY_MS);
  const held = heldCells(storer.disk, owner.id, contentId);
  assert.equal(held?.whole, held?.cells);
});

test('an offer that does not name what it replaces changes nothing', async () => {
  const circle = await circleOf('compare and swap', 2);
  const { world } = circle;
  const [owner, storer] = circle.nodes as [SimNode, SimNode];
  const older = newestId(owner);
  await edit(circle, owner);
  const content = { contentId: older, contentBytes: 4 * CELL_BYTES, root: Buffer.alloc(32) };
  const offer = { content, previousContentId: older, delete: false, newCells: 0 };
  const { outcome } = await world.does(storer.peerApi.setContentRevision(owner.id, offer));
  await world.pass(HOUR_MS);
  assert.equal(outcome, 'CAS_MISMATCH');
});

test('a friend who never comes back gets warning, grace and all of the remaining time', async () => {
  const circle = await circleOf('gone', 2);
  const { world } = circle;
  const [owner, storer] = circle.nodes as [SimNode, SimNode];
  const contentId = newestId(owner);
  await world.pass(10 * DAY_MS);
  owner.kill();
  const states: string[] = [];
  for (let day = 0; day < 60 && states.at(-1) !== 'EXPIRED'; day += 1) {
    await world.pass(DAY_MS);
    const state = storer.session.registry.contract(owner.id)?.state ?? 'none';
    if (state !== states.at(-1)) states.push(state);
  }
  assert.deepEqual(states, ['ACTIVE', 'DEGRADED', 'GRACE', 'EXPIRED']);
  const held = heldCells(storer.disk, owner.id, contentId);
  assert.equal(held?.whole, held?.cells, 'nobody needs the space, so the bytes stay');
});

test('a full disk takes nothing from a friend in grace', async () => {
  const circle = await circleOf('full disk', 3);
  const { world } = circle;
  const [gone, storer, friend] = circle.nodes as [SimNode, SimNode, SimNode];
  const isGrace = (): boolean => storer.session.registry.contract(gone.id)?.state === 'GRACE';
  gone.kill();
  await world.until('the time of warning is over', isGrace, 30 * DAY_MS);
  // What lies here for the one who is gone would make room enough.
  const { disk } = storer;
  disk.otherBytes = 0.95 * disk.totalBytes - disk.usedBytes - 35 * CELL_BYTES;
  await set(circle, friend, [fileOf('films', 40)]);
  await world.pass(HOUR_MS);
  assert.ok(isGrace());
  assert.ok(storer.session.registry.heldOf(gone.id).length > 0);
});

test('an owner whose own disk rots accuses nobody', async () => {
  const { world, nodes } = await circleOf('own rot', 2);
  const [owner, storer] = nodes as [SimNode, SimNode];
  for (const [at, slot] of owner.disk.own) owner.disk.own.set(at, { ...slot, isDamaged: true });
  const check = async (): Promise<string[]> => {
    const outcomes: string[] = [];
    for await (const update of owner.api.check(storer.id, NO_SIGNAL)) outcomes.push(update.outcome);
    return outcomes;
  };
  assert.equal((await world.does(check())).at(-1), 'held');
});

test('a storer that has everything is given nothing again', async () => {
  const { world, nodes } = await circleOf('serving rule', 2);
  const [owner, storer] = nodes as [SimNode, SimNode];
  const whole = { contentId: newestId(owner), offset: 0, length: 0, referenceContentId: Buffer.alloc(0) };
  const take = async (): Promise<number> => {
    let bytes = 0;
    const request = { ...whole, repair: false, leaves: false };
    for await (const section of owner.peerApi.download(storer.id, request, NO_SIGNAL)) {
      if (section.kind === 'raw') bytes += section.bytes.length;
    }
    return bytes;
  };
  await assert.rejects(world.does(take()), PeerRefusal);
});

test('a copy counts when it was proved, and not before', async () => {
  const circle = await circleOf('proof', 2);
  const { world, oracle, nodes } = circle;
  const [owner] = nodes as [SimNode];
  const [photos, ...others] = owner.files;
  assert.ok(photos);
  const verdicts = new Set<string>();
  void backUp(owner, [edited(photos, 0, 4), ...others]);
  for (let step = 0; step < 600; step += 1) {
    await world.pass(SECOND_MS);
    verdicts.add(await oracle.judgeVerdict(owner));
  }
  assert.deepEqual([...verdicts].toSorted(), ['AT_RISK', 'PROTECTED']);
});

test('two machines with the same words notice each other, and stop publishing', async () => {
  const { world, nodes } = await circleOf('twins', 2);
  const [owner] = nodes as [SimNode];
  const twin = world.addNode();
  await world.does(twin.start());
  await world.does(twin.init('recover', owner.words));
  const isFound = (): boolean => owner.session.twinFound || twin.session.twinFound;
  await world.until('a twin is found', isFound, 2 * DAY_MS);
});

test('a copy that is lost for good is replaced by one at another friend, without a word of the user', async () => {
  const circle = await circleOf('repair', 4);
  const { world } = circle;
  const [owner, gone] = circle.nodes as [SimNode, SimNode];
  const fresh = await world.does(world.bornNode());
  await world.pass(5 * MINUTE_MS);
  const typed = [owner.api.connectPeer(fresh.id, '', false), fresh.api.connectPeer(owner.id, '', false)];
  await world.does(Promise.all(typed));
  gone.loseDisk();
  const hasCopy = (): boolean => owner.session.registry.contract(fresh.id)?.replica.lastOutcome === 'held';
  await world.until('another friend holds a copy', hasCopy, 6 * DAY_MS);
});
