// Runs targets in processes, each with a bound on its memory and under a watch: an endless loop, or an input that eats the heap,
// is a crash like any other, and the rest goes on in a fresh process.

import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Outcome } from './fuzz.ts';
import type { Target } from './target.ts';
import type { Job, Message } from './child.ts';

/** For one batch of inputs; on a machine with nothing else to do it takes some ten milliseconds. */
const STALL_MS = 30_000;
const HEAP_MIB = 512;

export type PoolOptions = {
  readonly seed: number;
  /** Inputs for each target. */
  readonly count: number;
  readonly processes: number;
  readonly onOutcome?: (outcome: Outcome) => void;
};

/** The outcomes in the order of `targets`. */
export async function fuzzAll(targets: readonly Target[], options: PoolOptions): Promise<readonly Outcome[]> {
  const { seed, count, processes, onOutcome } = options;
  const outcomes = new Map<string, Outcome>();
  const waiting = [...targets];
  const lane = async (): Promise<void> => {
    let child = startChild();
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      const outcome = await runJob(child, { target: target.name, seed, count });
      if (outcome.inputs < count) {
        child.kill('SIGKILL');
        child = startChild();
      }
      outcomes.set(target.name, outcome);
      onOutcome?.(outcome);
    }
    child.kill('SIGKILL');
  };
  await Promise.all(Array.from({ length: processes }, lane));
  return targets.map(({ name }) => outcomes.get(name) as Outcome);
}

function startChild(): ChildProcess {
  const execArgv = ['--expose-gc', `--max-old-space-size=${HEAP_MIB}`];
  return fork(new URL('child.ts', import.meta.url), { execArgv });
}

function runJob(child: ChildProcess, job: Job): Promise<Outcome> {
  return new Promise((resolve) => {
    let batch = 0;
    const end = (outcome: Outcome): void => {
      clearTimeout(stall);
      child.off('message', take).off('exit', died);
      resolve(outcome);
    };
    const lost = (why: string): void => {
      const crashes = [{ target: job.target, index: batch, why: `${why}, in the batch that begins here`, input: '' }];
      end({ target: job.target, inputs: batch, words: new Map(), crashCount: 1, crashes, slowestMs: 0 });
    };
    const stall = setTimeout(() => lost('an input never came back'), STALL_MS);
    const died = (): void => lost('the process died');
    const take = (message: Message): void => {
      if (message.kind === 'outcome') return end({ ...message.outcome, words: new Map(message.words) });
      batch = message.index;
      stall.refresh();
    };
    child.on('message', take).once('exit', died);
    child.send(job);
  });
}
