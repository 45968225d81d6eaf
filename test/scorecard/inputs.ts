// The part `inputs`: mutated input for every parser. A million for each takes longer than a scorecard may (`make fuzz` does that),
// so each target gets a fixed share; the figure is the number of inputs that were really given.

import { availableParallelism } from 'node:os';
import { outcomeLine } from '../fuzz/fuzz.ts';
import { fuzzAll } from '../fuzz/pool.ts';
import { TARGETS } from '../fuzz/targets.ts';
import type { Part } from './part.ts';

/** About eight minutes on two cores. */
const INPUTS_EACH = 150_000;

export const inputs: Part = {
  name: 'inputs',
  async measure({ seed, say }) {
    const outcomes = await fuzzAll(TARGETS, {
      seed,
      count: INPUTS_EACH,
      processes: availableParallelism(),
      onOutcome: (outcome) => {
        say(outcomeLine(outcome));
        for (const { index, why } of outcome.crashes) say(`  input ${index}: ${why}`);
      },
    });
    say(`${TARGETS.length} targets, ${INPUTS_EACH} inputs each`);
    return {
      inputs: outcomes.reduce((sum, outcome) => sum + outcome.inputs, 0),
      crashes: outcomes.reduce((sum, outcome) => sum + outcome.crashCount, 0),
    };
  },
};
