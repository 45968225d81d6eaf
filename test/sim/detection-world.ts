// One owner and many storers that are always on, and storers that lose cells without a word: how long does the owner take to
// find out? Checks are planned, asked and judged by src; which cells a question covers is told from challengeReads of src.
// What a storer lost comes back to it as soon as it was found, so that one world is good for many losses.

import { agree, befriend, fileOf } from './acts.ts';
import { insist, protectedSoon, set } from './circle.ts';
import type { Circle } from './circle.ts';
import type { Sampling } from './covered-cells.ts';
import { Oracle } from './oracle.ts';
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
    await insist(world, () => agree(owner, storer, 4 * cells));
  }
  const circle = { world, oracle, nodes: world.nodes };
  await world.does(owner.api.setStorage(0, storers));
  const third = Math.floor(cells / 3);
  await set(circle, owner, [fileOf('first', third), fileOf('middle', third), fileOf('last', cells - 2 * third)]);
  await protectedSoon(world, owner);
  return circle;
}

/**
 * A storer has these cells of what it acknowledged no more, and hides it wherever they are moved to. No slot is damaged: its
 * own scrubbing or rewriting would meet that, and an honest part of it would fetch the cell again. Gives what undoes it.
 */
export function loseCells(storer: SimNode, owner: SimNode, cells: readonly number[]): () => void {
  const { thrownAway, disk } = storer;
  const acknowledged = owner.session.registry.contract(storer.id)?.replica.acknowledged ?? Buffer.alloc(0);
  const held = storer.session.registry
    .heldOf(owner.id)
    .find(({ value }) => value.role !== 'pulling' && value.contentId.equals(acknowledged));
  const keys = disk.catalog.lists.get(held?.value.list ?? -1)?.keys;
  const lost = cells.map((cell) => keys?.[cell]);
  for (const key of lost) {
    if (key === undefined) throw new Error('a cell that is not held cannot be lost');
    thrownAway.add(key);
  }
  return () => {
    for (const key of lost) if (key !== undefined) thrownAway.delete(key);
  };
}

/** Losses of cells, one after the other at each storer, and how long each of them stayed unseen. */
export class Losses {
  readonly hours: number[] = [];
  readonly #circle: Circle;
  readonly #draw: () => readonly number[];
  readonly #open = new Map<SimNode, { readonly sinceMs: number; readonly restore: () => void }>();
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
      for (const [storer, { sinceMs }] of this.#open) {
        if (world.time.nowMs - sinceMs > maxMs) this.#over(storer, Infinity);
      }
    }
  }

  #loseLater(storer: SimNode): void {
    if (this.#left === 0) return;
    this.#left -= 1;
    const { world, nodes } = this.#circle;
    world.time.at(world.random.between(...CALM_HOURS) * HOUR_MS, () => {
      const restore = loseCells(storer, nodes[0] as SimNode, this.#draw());
      this.#open.set(storer, { sinceMs: world.time.nowMs, restore });
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
    this.#open.get(storer)?.restore();
    this.#open.delete(storer);
    this.hours.push(hours);
    this.#loseLater(storer);
  }
}
