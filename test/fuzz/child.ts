// One process of the fuzzer: takes targets by name, one after the other. It says which batch of inputs it begins, so that one
// that never comes back can be named.

import { fuzz } from './fuzz.ts';
import type { Outcome } from './fuzz.ts';
import { TARGETS } from './targets.ts';

export type Job = { readonly target: string; readonly seed: number; readonly count: number };

/** Words are a list here: a Map does not travel. */
export type Message =
  | { readonly kind: 'batch'; readonly index: number }
  | { readonly kind: 'outcome'; readonly outcome: Omit<Outcome, 'words'>; readonly words: readonly [string, number][] };

const say = (message: Message): void => void process.send?.(message);

process.on('message', ({ target: name, seed, count }: Job) => {
  const target = TARGETS.find((known) => known.name === name);
  if (target === undefined) throw new Error(`no target ${name}`);
  // A failure here ends the process, and the pool says so.
  void fuzz(target, { seed, count, onBatch: (index) => say({ kind: 'batch', index }) }).then(({ words, ...outcome }) =>
    say({ kind: 'outcome', outcome, words: [...words] }),
  );
});
