// One owner and many storers that are always on, and storers that lose cells without a word: how long does the owner take to
// find out? Checks are planned, asked and judged by src; which cells a question covers is told from challengeReads of src.
// What a storer lost comes back to it as soon as it was found, so that one world is good for many losses.

import { befriend, fileOf } from './acts.ts';
import { agreed, insist, protectedSoon, set } from './circle.ts';
import type { Circle } from './circle.ts';
import type { Sampling } from './covered-cells.ts';
import { Oracle } from './oracle.ts';
import type { Key } from './sim-disk.ts';
import type { SimNode } from './sim-node.ts';
import { HOUR_MS, MINUTE_MS, SimWorld } from './sim-world.ts';

/** Until it loses something again a storer is left alone for so long, so that losses come at any moment of a day. */
const CALM_HOURS = [24, 72] as const;

export type DetectionPlan = {
  readonly seed: string;
  readonly storers: number;
  /** Data cells of the content; above 29 a blob is sampled. */
  readonly cells: number;
  readonly sampling: Sampling;
};

/** The first node has a protected content at each of the others, which have none. */
export async function starOf({ seed, storers, cells, sampling }: DetectionPlan): Promise<Circle> {
  const world = new SimWorld(seed);
  const oracle = new Oracle(world);
  for (let i = 0; i <= storers; i += 1) await world.does(world.bornNode());
  await world.pass(5 * MINUTE_MS);
  const [owner, ...others] = world.nodes as [SimNode, ...SimNode[]];
  owner.sampling = sampling;
  for (const storer of others) {
    storer.sampling = sampling;
    await insist(world, () => befriend(owner, storer));
    await agreed(world, owner, storer, 4 * cells);
  }
  const circle = { world, oracle, nodes: world.nodes };
  await world.does(owner.api.setStorage(0, storers));
  const third = Math.floor(cells / 3);
  await set(circle, owner, [fileOf('first', third), fileOf('middle', third), fileOf('last', cells - 2 * third)]);
  await protectedSoon(world, owner);
  return circle;
}

/** Cells that a storer has no more. */
type Loss = {
  /** The newest revision that the storer acknowledged still has all of them: what went with its revision need not be found. */
  isWanted(): boolean;
  restore(): void;
};

/**
 * A storer has these cells of what it acknowledged no more, and hides it wherever they are moved to. No slot is damaged: its
 * own scrubbing or rewriting would meet that, and an honest part of it would fetch the cell again.
 */
export function loseCells(storer: SimNode, owner: SimNode, cells: readonly number[]): Loss {
  const before = acknowledgedKeys(storer, owner);
  const lost = cells.map((cell) => {
    const key = before[cell];
    if (key === undefined) throw new Error('a cell that is not held cannot be lost');
    storer.thrownAway.add(key);
    return key;
  });
  return {
    isWanted() {
      const now = new Set(acknowledgedKeys(storer, owner));
      return lost.every((key) => now.has(key) && storer.thrownAway.has(key));
    },
    restore() {
      for (const key of lost) storer.thrownAway.delete(key);
    },
  };
}

/** Leaves of the cells of what the owner knows to be acknowledged, in the order of the blob. */
function acknowledgedKeys(storer: SimNode, owner: SimNode): readonly Key[] {
  const acknowledged = owner.session.registry.contract(storer.id)?.replica.acknowledged ?? Buffer.alloc(0);
  const held = storer.session.registry
    .heldOf(owner.id)
    .find(({ value }) => value.role !== 'pulling' && value.contentId.equals(acknowledged));
  return storer.disk.catalog.lists.get(held?.value.list ?? -1)?.keys ?? [];
}

/** Losses of cells, one after the other at each storer, and how long each of them stayed unseen. */
export class Losses {
  readonly hours: number[] = [];
  readonly #circle: Circle;
  readonly #draw: () => readonly number[];
  readonly #open = new Map<SimNode, { readonly sinceMs: number; readonly loss: Loss }>();
  #left: number;

  /** `draw` chooses the cells of each loss. */
  constructor(circle: Circle, losses: number, draw: () => readonly number[]) {
    this.#circle = circle;
    this.#draw = draw;
    this.#left = losses;
    const { world, oracle, nodes } = circle;
    world.watchers.push((_owner, { name, attributes }) => {
      if (name === 'check-judged' && attributes['outcome'] === 'wrong') this.#found(attributes['peer'] ?? '');
    });
    for (const storer of nodes.slice(1)) {
      oracle.liars.add(storer);
      this.#loseLater(storer);
    }
  }

  /** Lets time pass until every loss was found, or was there for `maxMs`. */
  async all(losses: number, maxMs: number): Promise<void> {
    const { world } = this.#circle;
    while (this.hours.length < losses) {
      await world.pass(HOUR_MS);
      for (const [storer, { sinceMs, loss }] of this.#open) {
        if (!loss.isWanted()) throw new Error(`seed ${world.seed}: ${storer.name} has a loss that is none any more`);
        if (world.time.nowMs - sinceMs > maxMs) this.#over(storer, Infinity);
      }
    }
  }

  #loseLater(storer: SimNode): void {
    if (this.#left === 0) return;
    this.#left -= 1;
    const { world, nodes } = this.#circle;
    world.time.at(world.random.between(...CALM_HOURS) * HOUR_MS, () => {
      const loss = loseCells(storer, nodes[0] as SimNode, this.#draw());
      this.#open.set(storer, { sinceMs: world.time.nowMs, loss });
    });
  }

  #found(peer: string): void {
    const storer = this.#circle.nodes.find(({ onionId }) => onionId === peer);
    const open = storer === undefined ? undefined : this.#open.get(storer);
    if (storer !== undefined && open !== undefined) {
      this.#over(storer, (this.#circle.world.time.nowMs - open.sinceMs) / HOUR_MS);
    }
  }

  #over(storer: SimNode, hours: number): void {
    this.#open.get(storer)?.loss.restore();
    this.#open.delete(storer);
    this.hours.push(hours);
    this.#loseLater(storer);
  }
}
