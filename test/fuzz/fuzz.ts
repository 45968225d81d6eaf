// Gives one target a number of inputs and judges every outcome. Input `index` of (seed, target) is always the same bytes.
// What counts as a crash: an undocumented error, an unsound answer, one input that takes longer than HANG_MS, and memory that
// is still held when the inputs are gone. (An endless loop is seen from outside: pool.ts.)

import { diceOf } from './dice.ts';
import { refusalOf } from './target.ts';
import type { Target } from './target.ts';

/** Generous, because machines that run tests are busy; a parser that is really slow is far beyond. */
const HANG_MS = 2000;
/** What the heap of a target may have grown when all its inputs are gone. */
const GROWTH_BYTES = 16 * 1024 * 1024;
const CRASHES_KEPT = 5;
const BATCH = 512;

export type Crash = { readonly target: string; readonly index: number; readonly why: string; readonly input: string };

export type Outcome = {
  readonly target: string;
  readonly inputs: number;
  /** How often each word came: `value`, `undefined`, or a refusal. */
  readonly words: ReadonlyMap<string, number>;
  readonly crashCount: number;
  /** The first few. */
  readonly crashes: readonly Crash[];
  readonly slowestMs: number;
};

export type FuzzOptions = {
  readonly seed: number;
  readonly count: number;
  /** Called before each batch of inputs, so that a watcher knows where one never came back. */
  readonly onBatch?: (index: number) => void;
};

/** The bytes of one input. */
export function inputOf(target: Target, seeds: readonly Buffer[], seed: number, index: number): Buffer {
  const dice = diceOf(seed, target.name, index);
  return target.mutate(dice.pick(seeds), dice, dice.pick(seeds));
}

/** The documented word for what a target does with an input; throws what is not documented. */
export async function outcomeOf(target: Target, input: Buffer): Promise<string> {
  try {
    const read = target.read(input);
    const value = read instanceof Promise ? await read : read;
    return value === undefined ? 'undefined' : 'value';
  } catch (error) {
    const word = refusalOf(error);
    if (word === undefined || !target.refusals.includes(word)) throw error;
    return word;
  }
}

export async function fuzz(target: Target, options: FuzzOptions): Promise<Outcome> {
  const { seed, count, onBatch } = options;
  const seeds = target.seeds();
  const words = new Map<string, number>();
  const crashes: Crash[] = [];
  let crashCount = 0;
  let slowestMs = 0;
  let heldBytes = 0;
  const crash = (index: number, why: string, input: Buffer): void => {
    crashCount += 1;
    if (crashes.length < CRASHES_KEPT)
      crashes.push({ target: target.name, index, why, input: input.toString('base64') });
  };
  for (let index = 0; index < count; index++) {
    if (index === Math.floor(count / 10)) heldBytes = await heapBytes();
    if (index % BATCH === 0) {
      onBatch?.(index);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const input = inputOf(target, seeds, seed, index);
    const startedMs = performance.now();
    try {
      const word = await outcomeOf(target, input);
      words.set(word, (words.get(word) ?? 0) + 1);
    } catch (error) {
      crash(index, error instanceof Error ? (error.stack ?? error.message) : String(error), input);
    }
    const tookMs = performance.now() - startedMs;
    slowestMs = Math.max(slowestMs, tookMs);
    if (tookMs > HANG_MS) crash(index, `it took ${Math.round(tookMs)} ms`, input);
  }
  const grownBytes = (await heapBytes()) - heldBytes;
  if (grownBytes > GROWTH_BYTES) crash(count, `the heap grew by ${grownBytes} bytes`, Buffer.alloc(0));
  return { target: target.name, inputs: count, words, crashCount, crashes, slowestMs };
}

/** What is held when nothing is in use, outside of the heap included; 0 in a process without --expose-gc. */
async function heapBytes(): Promise<number> {
  if (globalThis.gc === undefined) return 0;
  // Memory outside of the heap is given back behind the collection, by other threads.
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    globalThis.gc();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** One line for people. */
export function outcomeLine({ target, inputs, words, crashCount, slowestMs }: Outcome): string {
  const counts = [...words].sort(([a], [b]) => (a < b ? -1 : 1)).map(([word, count]) => `${word} ${count}`);
  return `${target}: ${inputs} inputs, ${crashCount} crashes, slowest ${slowestMs.toFixed(0)} ms (${counts.join(', ')})`;
}
