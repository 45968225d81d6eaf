// The part `kills` of the scorecard: kill -9 of either daemon at 20 seeded moments of setfile, publish, pull and recover.
// Installed daemons on one private Tor network: one alone, and two pairs that do their operations one after the other.

import { killAll, killedRecovery, killedSetfile, killedTransfer } from '../e2e/harness/kills.ts';
import type { KillOperation, KillTally, Restarts } from '../e2e/harness/kills.ts';
import { keeper, pairOf } from '../e2e/harness/pair.ts';
import type { Pair } from '../e2e/harness/pair.ts';
import { World } from '../e2e/harness/world.ts';
import type { Figures, Part, PartOptions } from './part.ts';

const TIME_DIVISOR = 300;
const KILLS = 20;
const EDIT_BYTES = 12 * 1024 * 1024;

async function measure({ seed, say }: PartOptions): Promise<Figures> {
  const world = await World.create({ timeDivisor: TIME_DIVISOR });
  const restarts: Restarts = { slowestMs: 0, count: 0 };
  try {
    const alone = await keeper(
      world,
      world.node('alone', `[tor]\nbinary = "${world.root}/no-tor"\n`),
      seed,
      EDIT_BYTES,
    );
    const [first, second] = [await makePair(world, 'a', seed), await makePair(world, 'b', seed)];
    const tracks = await Promise.all([
      inTurn([killedSetfile(alone, restarts)]),
      inTurn([killedTransfer(first, first.owner, restarts), killedTransfer(first, first.storer, restarts)]),
      inTurn([killedRecovery(second, second.owner, restarts), killedRecovery(second, second.storer, restarts)]),
    ]);
    const tallies = tracks.flat();
    for (const { name, good, all } of tallies) say(`${name}: ${good}/${all}`);
    say(`slowest of ${restarts.count} restarts, key derivation included: ${(restarts.slowestMs / 1000).toFixed(1)} s`);
    const sum = (of: (tally: KillTally) => number): number => tallies.reduce((total, tally) => total + of(tally), 0);
    return {
      kills: { good: sum(({ good }) => good), all: sum(({ all }) => all) },
      lost: sum(({ lost }) => lost),
    };
  } finally {
    await world.close();
  }

  async function inTurn(operations: readonly KillOperation[]): Promise<KillTally[]> {
    const tallies: KillTally[] = [];
    for (const operation of operations) tallies.push(await killAll(operation, { seed, kills: KILLS, say }));
    return tallies;
  }
}

async function makePair(world: World, name: string, seed: number): Promise<Pair> {
  const [owner, storer] = await Promise.all(
    ['owner', 'storer'].map((role) => keeper(world, world.node(`${role}-${name}`), seed, EDIT_BYTES)),
  );
  if (owner === undefined || storer === undefined) throw new Error('a pair is two');
  return pairOf(owner, storer);
}

export const kills: Part = { name: 'kills', measure };
