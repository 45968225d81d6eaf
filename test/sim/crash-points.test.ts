// A process dies between any two port calls, with the call undone or done and not answered, and is started again: nothing
// that was acknowledged is lost, no copy is believed that is not there, and in the end all is protected as before.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backUp, edited } from './acts.ts';
import { circleOf, comeBack, listing, normalSoon, protectedSoon } from './circle.ts';
import type { Circle } from './circle.ts';
import type { CrashMoment } from './life.ts';
import type { SimNode } from './sim-node.ts';
import { HOUR_MS, MINUTE_MS } from './sim-world.ts';

const MOMENTS: readonly CrashMoment[] = ['before', 'after'];
/** Where every crash point of a flow would take too long, so many are taken, spread over all of it. */
const POINTS = 40;

/** Kills `node` at its `call`-th port call from now on. */
function crashAt(node: SimNode, call: number, moment: CrashMoment): void {
  const { life } = node;
  assert.ok(life);
  const from = life.calls;
  life.onCall = (_port, _method, calls) => (calls === from + call ? moment : undefined);
}

async function startAgain({ world }: Circle, node: SimNode): Promise<void> {
  if (node.life !== undefined) {
    node.life.onCall = undefined;
    return;
  }
  await world.pass(MINUTE_MS);
  await world.does(node.start());
  await world.does(node.unlock());
}

/** The owner changes a file, while `victim` dies at one point after the other, until a flow has no such point any more. */
async function dieAlongAnEdit(circle: Circle, victim: SimNode): Promise<number> {
  const { world, oracle, nodes } = circle;
  const [owner] = nodes as [SimNode];
  let crashes = 0;
  for (let call = 1; ; call += 1) {
    crashAt(victim, call, MOMENTS[call % 2] ?? 'before');
    const [photos, ...others] = owner.files;
    assert.ok(photos);
    const starts = victim.starts;
    void backUp(owner, [edited(photos, call % 12, 1), ...others]).then(
      ({ revision }) => oracle.promise(owner, revision?.sequence ?? 0),
      () => undefined,
    );
    await world.pass(5 * MINUTE_MS, () => !victim.isUp);
    await world.pass(MINUTE_MS);
    await startAgain(circle, victim);
    await protectedSoon(world, owner);
    await world.pass(HOUR_MS); // so many revisions of one day are offered no faster
    if (victim.starts === starts) return crashes;
    crashes += 1;
  }
}

test('an owner may die at any port call of an edit', async () => {
  const circle = await circleOf('owner dies', 2);
  assert.ok((await dieAlongAnEdit(circle, circle.nodes[0] as SimNode)) > 20);
});

test('a storer may die at any port call of the pull', async () => {
  const circle = await circleOf('storer dies', 2);
  assert.ok((await dieAlongAnEdit(circle, circle.nodes[1] as SimNode)) > 20);
});

test('a node may die at any port call of its recovery', async () => {
  const circle = await circleOf('dies while it recovers', 3);
  const { world } = circle;
  const [owner] = circle.nodes as [SimNode];
  const before = await listing(owner);
  for (let point = 1; point <= POINTS; point += 1) {
    await comeBack(circle, owner);
    crashAt(owner, point * 3, MOMENTS[point % 2] ?? 'before');
    await world.pass(10 * MINUTE_MS, () => !owner.isUp);
    await startAgain(circle, owner);
    await normalSoon(world, owner);
    assert.deepEqual(await listing(owner), before, `crash point ${point}`);
    await protectedSoon(world, owner);
  }
});
