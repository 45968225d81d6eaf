// Mutated input (docs/testing.md, "Mutated input"): 10,000 inputs for every target, and the inputs that once were a bug.

import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { FOUND } from '../fuzz/found.ts';
import { fuzz, inputOf, outcomeLine, outcomeOf } from '../fuzz/fuzz.ts';
import { mutateBytes } from '../fuzz/mutate-bytes.ts';
import { fuzzAll } from '../fuzz/pool.ts';
import type { Target } from '../fuzz/target.ts';
import { TARGETS } from '../fuzz/targets.ts';

const COUNT = 10_000;
const SEED = Number(process.env['SEED'] || '1');

test('every parser keeps to its documented outcomes, whatever it is given', { timeout: 170_000 }, async (t) => {
  t.diagnostic(`seed ${SEED}: make fuzz SEED=${SEED} repeats it`);
  const outcomes = await fuzzAll(TARGETS, { seed: SEED, count: COUNT, processes: availableParallelism() });
  for (const outcome of outcomes) {
    assert.deepEqual(outcome.crashes, [], outcomeLine(outcome));
    assert.equal(outcome.inputs, COUNT, outcome.target);
    // Mutations that all read, or never do, would show nothing.
    assert.ok(outcome.words.size > 1 || REFUSES_NOTHING.has(outcome.target), outcomeLine(outcome));
  }
});

/** Their answer to everything is a value: false, or a text. */
const REFUSES_NOTHING = new Set(['public key', 'text for a terminal']);

test('the seeds of every target are valid, and no two targets have one name', async () => {
  assert.equal(new Set(TARGETS.map(({ name }) => name)).size, TARGETS.length);
  for (const target of TARGETS) {
    for (const seed of target.seeds()) {
      const word = await outcomeOf(target, seed);
      assert.ok(['value', 'undefined'].includes(word) && !target.refusals.includes(word), `${target.name}: ${word}`);
    }
  }
});

for (const { target: name, input, word, why } of FOUND) {
  test(`${name}: ${why}`, async () => {
    const target = TARGETS.find((known) => known.name === name) ?? assert.fail(`no target ${name}`);
    assert.equal(await outcomeOf(target, Buffer.from(input, 'base64')), word);
  });
}

const BROKEN: Target = {
  name: 'broken on purpose',
  mutate: mutateBytes,
  seeds: () => [Buffer.from('a valid input')],
  read: (input) => {
    if (input.length === 0) throw new TypeError('a bug');
    return true;
  },
  refusals: ['INTEGRITY'],
};

test('a parser that throws what it must not is found, and its input is made again from seed and number', async () => {
  const { crashCount, crashes } = await fuzz(BROKEN, { seed: 3, count: 2000 });
  const [first] = crashes;
  assert.ok(crashCount > 0 && first !== undefined && first.why.includes('a bug'));
  assert.equal(inputOf(BROKEN, BROKEN.seeds(), 3, first.index).toString('base64'), first.input);
  assert.equal((await fuzz({ ...BROKEN, read: () => true }, { seed: 3, count: 2000 })).crashCount, 0);
});
