// `make detect`: the figures of detection in full, as one line. RUNS, CELLS and CHALLENGES make it shorter, SEED another. The
// worlds are independent of each other, so each has a thread; the same numbers and seed give the same line.

import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { honestPeers, singleCells, smallLosses } from './detection.ts';
import type { HonestFigures } from './detection.ts';

/** Worlds among which each figure is spread. */
const WORLDS = 2;

const FIGURES = { smallLosses, singleCells, honestPeers } as const;
type Figure = keyof typeof FIGURES;
type Task = { readonly figure: Figure; readonly seed: string; readonly count: number };

const number = (name: string, fallback: number): number => Number(process.env[name] || fallback);

function inThreads<Result>(figure: Figure, count: number): Promise<Result[]> {
  const seed = process.env['SEED'] || '1';
  const run = (world: number): Promise<Result> =>
    new Promise((resolve, reject) => {
      const task: Task = { figure, seed: `${seed} ${world}`, count: Math.ceil(count / WORLDS) };
      const worker = new Worker(import.meta.filename, { workerData: task });
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  return Promise.all(Array.from({ length: WORLDS }, (_, world) => run(world)));
}

async function main(): Promise<void> {
  const [hours, days, honest] = await Promise.all([
    inThreads<number[]>('smallLosses', number('RUNS', 10_000)).then((all) => all.flat()),
    inThreads<number[]>('singleCells', number('CELLS', 400)).then((all) => all.flat()),
    inThreads<HonestFigures>('honestPeers', number('CHALLENGES', 1_000_000)),
  ]);
  const inTime = hours.filter((each) => each <= 72).length;
  const swept = days.filter((each) => each <= 90).length;
  const slowest = days.reduce((most, each) => Math.max(most, each), 0);
  const wrong = honest.reduce((sum, figures) => sum + figures.wrong, 0);
  const challenges = honest.reduce((sum, figures) => sum + figures.held + figures.wrong, 0);
  process.stdout.write(
    `detect: loss_1pct=${inTime}/${hours.length} within 3 d; one_cell=${swept}/${days.length} within 90 d, ` +
      `slowest ${slowest.toFixed(1)} d; false_accusations=${wrong} in ${challenges} challenges; seed=${process.env['SEED'] || '1'}\n`,
  );
  if (inTime < hours.length * 0.999 || swept < days.length || wrong > 0) process.exitCode = 1;
}

if (isMainThread) await main();
else {
  const { figure, seed, count } = workerData as Task;
  parentPort?.postMessage(await FIGURES[figure](seed, count));
}
