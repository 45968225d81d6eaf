// `make detect`: the figures of detection in full, as one line. RUNS, CELLS and CHALLENGES make it shorter, SEED another. Each
// figure is spread among worlds that are independent of each other; threads take one world after the other. The same
// numbers and seed give the same line, however many threads there are. Progress goes to standard error.

import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { honestPeers, singleCells, smallLosses } from './detection.ts';
import type { HonestFigures } from './detection.ts';

/** Worlds among which each figure is spread; none grows old, as a world gets slower with what it remembers. */
const WORLDS = { smallLosses: 5, singleCells: 5, honestPeers: 10 } as const;

const FIGURES = { smallLosses, singleCells, honestPeers } as const;
type Figure = keyof typeof FIGURES;
type Task = { readonly figure: Figure; readonly seed: string; readonly count: number };

const SEED = process.env['SEED'] || '1';
const number = (name: string, fallback: number): number => Number(process.env[name] || fallback);

function tasksOf(figure: Figure, count: number): Task[] {
  const worlds = WORLDS[figure];
  return Array.from({ length: worlds }, (_, at) => ({
    figure,
    seed: `${SEED} ${at}`,
    count: Math.ceil(count / worlds),
  }));
}

/** Results in the order of the tasks. */
async function inThreads(tasks: readonly Task[]): Promise<unknown[]> {
  const results: unknown[] = [];
  let next = 0;
  let done = 0;
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(import.meta.filename);
      let at = -1;
      const give = (): void => {
        at = next++;
        if (at < tasks.length) worker.postMessage(tasks[at]);
        else void worker.terminate().then(() => resolve());
      };
      worker.on('message', (result: unknown) => {
        results[at] = result;
        done += 1;
        process.stderr.write(`${done} of ${tasks.length} worlds, ${Math.round(process.uptime())} s\n`);
        give();
      });
      worker.once('error', reject);
      give();
    });
  await Promise.all(Array.from({ length: Math.min(tasks.length, number('THREADS', availableParallelism())) }, work));
  return results;
}

async function main(): Promise<void> {
  const tasks = [
    ...tasksOf('smallLosses', number('RUNS', 10_000)),
    ...tasksOf('singleCells', number('CELLS', 400)),
    ...tasksOf('honestPeers', number('CHALLENGES', 1_000_000)),
  ];
  const results = await inThreads(tasks);
  const of = <Result>(figure: Figure): Result[] => results.filter((_, at) => tasks[at]?.figure === figure) as Result[];
  const hours = of<number[]>('smallLosses').flat();
  const days = of<number[]>('singleCells').flat();
  const honest = of<HonestFigures>('honestPeers');
  const inTime = hours.filter((each) => each <= 72).length;
  const swept = days.filter((each) => each <= 90).length;
  const slowest = days.reduce((most, each) => Math.max(most, each), 0);
  const wrong = honest.reduce((sum, figures) => sum + figures.wrong, 0);
  const challenges = honest.reduce((sum, figures) => sum + figures.held + figures.wrong, 0);
  process.stdout.write(
    `detect: loss_1pct=${inTime}/${hours.length} within 3 d; one_cell=${swept}/${days.length} within 90 d, ` +
      `slowest ${slowest.toFixed(1)} d; false_accusations=${wrong} in ${challenges} challenges; seed=${SEED}\n`,
  );
  if (inTime < hours.length * 0.999 || swept < days.length || wrong > 0) process.exitCode = 1;
}

if (isMainThread) await main();
else {
  parentPort?.on('message', ({ figure, seed, count }: Task) => {
    void FIGURES[figure](seed, count).then((result) => parentPort?.postMessage(result));
  });
}
