// `make scorecard`: every part in full, one after the other, and one last line with the figures. SEED replays a run.
// Invariant: a part that fails, or a figure that misses its goal, makes the exit code 1; nothing is printed that was not
// measured in this run.

import { execFileSync } from 'node:child_process';
import { canaries } from './canaries.ts';
import { cuts } from './cuts.ts';
import { flips } from './flips.ts';
import { floods } from './floods.ts';
import { inputs } from './inputs.ts';
import { kills } from './kills.ts';
import type { Figures, Part, Share } from './part.ts';

const PARTS: readonly Part[] = [inputs, flips, cuts, floods, kills, canaries];
/** The flooded daemon may grow by so much. */
const FLOOD_GOAL_MIB = 64;

async function main(wanted: readonly string[]): Promise<void> {
  const seed = Number(process.env['SEED'] ?? '1');
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error('SEED is a whole number');
  const parts = PARTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  if (parts.length === 0 || wanted.some((name) => !PARTS.some((part) => part.name === name))) {
    throw new Error(`the parts are: ${PARTS.map(({ name }) => name).join(' ')}`);
  }
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  console.log(`seed ${seed}, commit ${commit}, node ${process.version}`);
  let total: Figures = { lost: 0 };
  let isGood = true;
  for (const part of parts) {
    const startedMs = performance.now();
    try {
      const figures = await part.measure({ seed, say: (line) => console.log(`${part.name}: ${line}`) });
      total = { ...total, ...figures, lost: (total.lost ?? 0) + (figures.lost ?? 0) };
    } catch (error) {
      console.log(`${part.name}: failed: ${error instanceof Error ? error.stack : String(error)}`);
      isGood = false;
    }
    console.log(`${part.name}: ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  }
  console.log(lineOf(total));
  process.exitCode = isGood && meetsGoals(total) ? 0 : 1;
}

function lineOf(figures: Figures): string {
  const { cuts: cut, kills: kill, flips: flip, inputs: given, crashes, canaries: hits, floodMib, lost } = figures;
  const words = [
    `cuts=${share(cut)}`,
    `kills=${share(kill)}`,
    `flips=${share(flip)}`,
    `inputs=${given ?? '-'}`,
    `crashes=${crashes ?? '-'}`,
    `canaries=${hits ?? '-'}`,
    `flood_mib=${floodMib?.toFixed(1) ?? '-'}`,
    `lost=${lost ?? '-'}`,
  ];
  return `scorecard: ${words.join(' ')}`;
}

function share(value: Share | undefined): string {
  return value === undefined ? '-' : `${value.good}/${value.all}`;
}

function meetsGoals({
  cuts: cut,
  kills: kill,
  flips: flip,
  crashes,
  canaries: hits,
  floodMib,
  lost,
}: Figures): boolean {
  const whole = [cut, kill, flip].every((value) => value === undefined || (value.all > 0 && value.good === value.all));
  return whole && !crashes && !hits && !lost && (floodMib ?? 0) <= FLOOD_GOAL_MIB;
}

await main(process.argv.slice(2));
