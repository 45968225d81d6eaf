// Turns between peers that fetch from us: what one asks for does not keep another waiting, in whatever order they come.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SERVED_CELLS } from '../../src/core/limits.ts';
import { FairQueue } from '../../src/daemon/fair-queue.ts';
import { peerOf } from '../contract/storage-fixture.ts';

const NEVER = new AbortController().signal;
const [GREEDY, SMALL, THIRD] = ['greedy', 'small', 'third'].map(peerOf) as [never, never, never];

type Taken = { readonly who: string; readonly end: () => void };

/** Notes each turn when it comes. */
function asking(queue: FairQueue) {
  const taken: Taken[] = [];
  const ask = (who: string, peer: never, { signal = NEVER, isUrgent = false } = {}) =>
    void queue.turn(peer, isUrgent, signal).then((end) => {
      if (end !== undefined) taken.push({ who, end });
    });
  return { taken, ask, names: () => taken.map(({ who }) => who) };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a peer that takes every turn it can get has half of them, and the others theirs at once', async () => {
  const { taken, ask, names } = asking(new FairQueue());
  for (let at = 0; at < 100; at += 1) ask('greedy', GREEDY);
  await settled();
  const share = SERVED_CELLS / 2 + 1;
  assert.equal(taken.length, share, 'its own turn and half of the shared ones');
  ask('small', SMALL);
  await settled();
  assert.deepEqual(names().slice(share), ['small'], 'nothing was given back, and it has its turn');
  // From now on each of its turns comes as soon as the one before is over.
  for (let at = 0; at < 50; at += 1) {
    taken.at(-1)?.end();
    ask('small', SMALL);
    await settled();
    assert.equal(names().at(-1), 'small');
  }
});

test('who has fewest is next, a peer that recovers is before all', async () => {
  const { taken, ask, names } = asking(new FairQueue());
  for (const peer of [GREEDY, SMALL]) for (let at = 0; at < 40; at += 1) ask('early', peer);
  await settled();
  const full = taken.length;
  assert.equal(full, SERVED_CELLS + 2);
  ask('own', THIRD);
  ask('second', THIRD);
  await settled();
  assert.equal(names().at(-1), 'own', 'its first turn is always free');
  taken[1]?.end();
  await settled();
  assert.equal(names().at(-1), 'second', 'it had one turn, the others nine');
  ask('third', THIRD);
  ask('recovering', peerOf('recovering') as never, { isUrgent: true });
  ask('recovering', peerOf('recovering') as never, { isUrgent: true });
  await settled();
  taken[2]?.end();
  await settled();
  assert.deepEqual(names().slice(-2), ['recovering', 'recovering']);
});

test('who leaves while it waits takes no turn, and a turn ends once', async () => {
  const queue = new FairQueue();
  const { taken, ask } = asking(queue);
  const leaving = new AbortController();
  for (let at = 0; at < 20; at += 1) ask('stays', GREEDY);
  ask('leaves', SMALL, { signal: leaving.signal });
  ask('leaves', GREEDY, { signal: leaving.signal });
  leaving.abort();
  await settled();
  const before = taken.length;
  taken[0]?.end();
  taken[0]?.end();
  await settled();
  assert.equal(taken.length, before + 1);
  assert.equal(await queue.turn(THIRD, false, leaving.signal), undefined);
});

test('whatever is asked and given back: the bound holds, and nobody waits who has no turn', async () => {
  const step = fc.record({ peer: fc.nat(4), does: fc.constantFrom('ask' as const, 'ask' as const, 'end' as const) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
      const queue = new FairQueue();
      const { taken, ask } = asking(queue);
      const held = new Map<string, Taken[]>();
      const asked = new Map<string, number>();
      for (const { peer, does } of steps) {
        const who = `p${peer}`;
        if (does === 'ask') {
          asked.set(who, (asked.get(who) ?? 0) + 1);
          ask(who, peerOf(who) as never);
        } else held.get(who)?.pop()?.end();
        await Promise.resolve();
        await Promise.resolve();
        for (const turn of taken.splice(0)) held.set(turn.who, [...(held.get(turn.who) ?? []), turn]);
        const counts = [...held.values()].map((turns) => turns.length).filter((count) => count > 0);
        assert(counts.reduce((sum, count) => sum + count - 1, 0) <= SERVED_CELLS);
        assert(Math.max(0, ...counts) <= SERVED_CELLS / 2 + 1);
        for (const [name, count] of asked) if (count > 0) assert(held.has(name), `${name} had a turn at once`);
      }
    }),
    { numRuns: 200 },
  );
});
