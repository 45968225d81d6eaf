// Which checks a storer is asked over the weeks, whatever happens to the content meanwhile.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChallengeQuestion } from '../../src/core/challenge/question.ts';
import { edited } from './acts.ts';
import { protectedSoon, set } from './circle.ts';
import type { Circle } from './circle.ts';
import { coveredCells } from './covered-cells.ts';
import { starOf } from './detection-world.ts';
import type { SimNode } from './sim-node.ts';

/** What `storer` is asked from now on. */
function questionsTo({ world }: Circle, storer: SimNode): ChallengeQuestion[] {
  const questions: ChallengeQuestion[] = [];
  const { wrapApi } = world;
  world.wrapApi = (node, api) => {
    const inner = wrapApi(node, api);
    if (node !== storer) return inner;
    return {
      ...inner,
      challenge: (caller, question) => {
        questions.push(question);
        return inner.challenge(caller, question);
      },
    };
  };
  return questions;
}

test('the first check of a revision asks for all that is new in it', async () => {
  const circle = await starOf({ seed: 'new cells', storers: 1, cells: 400, sampling: 'none' });
  const [owner, storer] = circle.nodes as [SimNode, SimNode];
  const questions = questionsTo(circle, storer);
  await circle.world.does(storer.restart());
  const [first, middle, last] = owner.files;
  assert.ok(first && middle && last);
  await set(circle, owner, [first, middle, edited(last, 100, 30)]);
  await protectedSoon(circle.world, owner);
  const asked = new Set(coveredCells(questions.at(-1) ?? assert.fail('nothing was asked'), 403, 'none'));
  const before = 2 + first.cells.length + middle.cells.length;
  const fresh = Array.from({ length: 30 }, (_, at) => before + 100 + at);
  assert.deepEqual(
    fresh.filter((cell) => !asked.has(cell)),
    [],
  );
});
