// Records an operation, or lives through cuts of a recording, in a process of its own:
//   node test/faults/cut-tape.ts record OPERATION FILE
//   node test/faults/cut-tape.ts share FILE PART OF SEED SEEDS      a share of all cuts; prints JSON
//   node test/faults/cut-tape.ts fail FILE BELOW                    every failing call below a data directory; prints JSON
//   node test/faults/cut-tape.ts replay FILE AT VARIANT SEED        one cut, as a failed run names it

import { failedCuts, allCuts, loadRecording, onOneThread, saveRecording } from './cut-runs.ts';
import { faultsAfter, nameOf, VARIANTS } from './cut-lives.ts';
import { OPERATIONS, record } from './cut-recordings.ts';
import { everyFailure } from './failing-calls.ts';
import type { Failure } from './failing-calls.ts';

export type ShareResult = { readonly cuts: number; readonly failed: Awaited<ReturnType<typeof failedCuts>> };

const [command, ...rest] = process.argv.slice(2);
onOneThread();
if (command === 'record') await recordTo(rest);
else if (command === 'share') await share(rest);
else if (command === 'fail') await fail(rest);
else if (command === 'replay') await replay(rest);
else throw new Error('record, share, fail or replay');
process.exit();

async function recordTo([name, file = '']: readonly string[]): Promise<void> {
  const operation = OPERATIONS.find((known) => known === name);
  if (operation === undefined) throw new Error(`the operations are: ${OPERATIONS.join(' ')}`);
  saveRecording(file, await record(operation));
}

async function share([file = '', ...numbers]: readonly string[]): Promise<void> {
  const [part = 0, of = 1, seed = 1, seeds = 1] = numbers.map(Number);
  const recording = loadRecording(file);
  const cuts = allCuts(recording, seed, seeds).filter((_, index) => index % of === part);
  const result: ShareResult = { cuts: cuts.length, failed: await failedCuts(recording, cuts) };
  await print(result);
}

async function fail([file = '', below = '']: readonly string[]): Promise<void> {
  const failures: Failure[] = [];
  for await (const failure of everyFailure(loadRecording(file), below)) if (failure.struck) failures.push(failure);
  await print(failures);
}

function print(result: unknown): Promise<unknown> {
  return new Promise((resolve) => process.stdout.write(JSON.stringify(result), resolve));
}

async function replay([file = '', at, name, seed]: readonly string[]): Promise<void> {
  const recording = loadRecording(file);
  const variant = VARIANTS.find((known) => known === name);
  if (variant === undefined) throw new Error(`the variants are: ${VARIANTS.join(' ')}`);
  const cut = { at: Number(at), variant, seed: Number(seed) };
  const faults = await faultsAfter(recording, cut);
  console.log([nameOf(recording, cut), ...faults].join('\n'));
  process.exitCode = faults.length === 0 ? 0 : 1;
}
