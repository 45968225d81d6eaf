// `make fuzz`: N inputs for each target, a million by default. SEED repeats a run; TARGET takes part of a name; AT shows what one
// input does, for the debugger.

import { availableParallelism } from 'node:os';
import { fuzzAll } from './pool.ts';
import { inputOf, outcomeLine, outcomeOf } from './fuzz.ts';
import type { Outcome } from './fuzz.ts';
import { TARGETS } from './targets.ts';

const MILLION = 1_000_000;

async function main(): Promise<void> {
  const count = Number(process.env['N'] || MILLION);
  const seed = Number(process.env['SEED'] || '1');
  const part = process.env['TARGET'] ?? '';
  const at = process.env['AT'] ?? '';
  const targets = TARGETS.filter(({ name }) => name.includes(part));
  if (targets.length === 0 || !Number.isSafeInteger(count) || !Number.isSafeInteger(seed)) {
    throw new Error(`N and SEED are whole numbers, TARGET is part of: ${TARGETS.map(({ name }) => name).join(', ')}`);
  }
  for (const target of at === '' ? [] : targets) {
    const input = inputOf(target, target.seeds(), seed, Number(at));
    console.log(`${target.name}, input ${at}: ${input.toString('base64')}`);
    console.log(await outcomeOf(target, input));
  }
  if (at !== '') return;
  const startedMs = performance.now();
  const onOutcome = (outcome: Outcome): void => {
    console.log(outcomeLine(outcome));
    for (const { index, why, input } of outcome.crashes) console.log(`  input ${index}: ${why}\n  ${input}`);
  };
  const outcomes = await fuzzAll(targets, { seed, count, processes: availableParallelism(), onOutcome });
  const inputs = outcomes.reduce((sum, outcome) => sum + outcome.inputs, 0);
  const crashes = outcomes.reduce((sum, outcome) => sum + outcome.crashCount, 0);
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(
    `fuzz: targets=${targets.length} inputs=${inputs} crashes=${crashes} seconds=${seconds.toFixed(0)} seed=${seed}`,
  );
  process.exitCode = crashes === 0 ? 0 : 1;
}

await main();
