// kill -9 at seeded moments of the operations, and what must hold after each: everything acknowledged is there bit-exact,
// the operation has ended or goes on by itself, and nothing is asked of a person but `bb unlock`.

import { setTimeout as sleep } from 'node:timers/promises';
import { staysProtected, loseDisk, recoverAll } from './friends.ts';
import { moments } from './moments.ts';
import type { TestNode } from './node.ts';
import { edit, requireOneOf, runSet, setAll } from './pair.ts';
import type { Keeper, Pair } from './pair.ts';
import { LostFiles, readTree } from './trees.ts';

/** What is killed in the middle of what. */
export type KillOperation = {
  readonly name: string;
  /** Does it once without a fault; returns how long it took, in milliseconds. */
  measure(): Promise<number>;
  /** Does it and kills at these times after its begin, in milliseconds; resolves when everything was found as it must be. */
  killed(atMs: readonly number[]): Promise<void>;
  /** Kills in one run of it. */
  readonly killsPerRun: number;
};

/** The time from `bb unlock` until the node is unlocked, of the slowest restart. */
export type Restarts = { slowestMs: number; count: number };

async function restart(node: TestNode, restarts: Restarts): Promise<void> {
  const startedMs = performance.now();
  await node.unlock();
  restarts.slowestMs = Math.max(restarts.slowestMs, performance.now() - startedMs);
  restarts.count += 1;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** The owner dies while it takes files in. */
export function killedSetfile(owner: Keeper, restarts: Restarts): KillOperation {
  return {
    name: 'setfile, owner killed',
    killsPerRun: 1,
    measure: () => {
      edit(owner);
      return timed(() => setAll(owner));
    },
    killed: async ([atMs = 0]) => {
      const before = owner.kept;
      edit(owner);
      const after = await readTree(owner.source);
      const set = runSet(owner);
      await sleep(atMs);
      await owner.node.kill9();
      const { exit } = await set;
      await restart(owner.node, restarts);
      await (exit === 0 ? requireOneOf(owner, after) : requireOneOf(owner, before, after));
      await setAll(owner);
    },
  };
}

/** Owner or storer dies while a new revision is offered, pulled, reported and proved. */
export function killedTransfer(pair: Pair, victim: Keeper, restarts: Restarts): KillOperation {
  const { owner, storer } = pair;
  const isProved = () => staysProtected(owner.node);
  const begin = async (): Promise<void> => {
    edit(owner);
    await setAll(owner);
  };
  return {
    name: victim === owner ? 'publish, owner killed' : 'pull, storer killed',
    killsPerRun: 1,
    measure: async () => {
      await isProved();
      await begin();
      return timed(isProved);
    },
    killed: async ([atMs = 0]) => {
      await begin();
      await sleep(atMs);
      await victim.node.kill9();
      await restart(victim.node, restarts);
      await requireOneOf(owner, owner.kept);
      await requireOneOf(storer, storer.kept);
      await isProved(); // a right answer about random blocks: the storer holds it
    },
  };
}

/** The disk of the owner is gone; it or the only holder dies while everything comes back, more than once. */
export function killedRecovery(pair: Pair, victim: Keeper, restarts: Restarts): KillOperation {
  const { owner, storer } = pair;
  const isBack = () => recoverAll(owner.node, owner.kept, 'papers');
  // Named once, as a person would; it need not be said again after a kill.
  const begin = async (): Promise<void> => {
    await loseDisk(owner.node);
    await owner.node.data(['recover', '--from', storer.node.onionId]);
  };
  return {
    name: `recover, ${victim === owner ? 'owner' : 'holder'} killed`,
    killsPerRun: 2,
    measure: async () => {
      await begin();
      const took = await timed(isBack);
      await staysProtected(owner.node);
      return took;
    },
    killed: async (atMs) => {
      await begin();
      for (const ms of atMs) {
        await sleep(ms);
        await victim.node.kill9();
        await restart(victim.node, restarts);
        await requireOneOf(storer, storer.kept);
      }
      await isBack();
      await staysProtected(owner.node);
      await requireOneOf(owner, owner.kept);
    },
  };
}

export type KillTally = {
  readonly name: string;
  readonly good: number;
  readonly all: number;
  /** Runs after which something acknowledged did not come back as it was. */
  readonly lost: number;
  readonly faults: string[];
};

/** Runs so many kills of one operation: a run that ends in anything but what must hold counts none of its kills as good. */
export async function killAll(
  operation: KillOperation,
  { seed, kills, say }: { readonly seed: number; readonly kills: number; readonly say: (line: string) => void },
): Promise<KillTally> {
  const wholeMs = await operation.measure();
  const faults: string[] = [];
  let [good, lost] = [0, 0];
  const all = moments(seed, operation.name, kills);
  for (let at = 0; at < kills && faults.length < GIVE_UP; at += operation.killsPerRun) {
    const fractions = all.slice(at, at + operation.killsPerRun);
    const run = fractions.map((fraction) => fraction.toFixed(3)).join(' ');
    try {
      await operation.killed(fractions.map((fraction) => fraction * wholeMs));
      good += fractions.length;
      say(`${operation.name} at ${run} of ${wholeMs.toFixed(0)} ms: good`);
    } catch (error) {
      if (error instanceof LostFiles) lost += 1;
      faults.push(`at ${run}: ${String(error)}`);
      say(`${operation.name} at ${run} of ${wholeMs.toFixed(0)} ms: ${String(error)}`);
    }
  }
  return { name: operation.name, good, all: kills, lost, faults };
}

/** After so many bad runs the world is not one in which the next can be judged. */
const GIVE_UP = 3;
