// How fast a loss is found and whether anybody is wrongly accused, as figures: many losses in one small world each
// (detection-world.ts). Real are the plan of checks, the questions, the judgement and everything around them in src; the
// sample of blocks is drawn as src does where the figure rests on it; cells are stand-ins.

import { PeerRefusal } from '../../src/core/refusal.ts';
import { BbError } from '../../src/core/errors.ts';
import { backUp, edited } from './acts.ts';
import type { Circle } from './circle.ts';
import { Losses, starOf } from './detection-world.ts';
import type { SimFile } from './content.ts';
import type { SimNode } from './sim-node.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './sim-world.ts';

const STORERS = 8;
/** Large enough that a sample of 512 blocks leaves more than half of the cells unread. */
const CELLS = 600;
/** Cells between the heads: the index, then the data. */
const FIRST_CELL = 1;

/** 1 % of the cells are lost at once: hours until a check was wrong, one figure for each of `losses`. */
export async function smallLosses(seed: string, losses: number): Promise<readonly number[]> {
  const circle = await starOf({ seed, storers: STORERS, cells: CELLS, sampling: 'real' });
  const { random } = circle.world;
  const draw = (): number[] => {
    const cells = new Set<number>();
    while (cells.size < CELLS / 100) cells.add(FIRST_CELL + random.below(CELLS + 1));
    return [...cells];
  };
  const found = new Losses(circle, losses, draw);
  await found.all(losses, 3 * DAY_MS);
  return found.hours;
}

/**
 * One cell of a file that stays is lost, no sampled block ever hits it, and the content changes every night: days until the
 * sweep found it, one figure for each of `losses`.
 */
export async function singleCells(seed: string, losses: number): Promise<readonly number[]> {
  const circle = await starOf({ seed, storers: STORERS, cells: CELLS, sampling: 'none' });
  const { world, nodes } = circle;
  const [owner] = nodes as [SimNode];
  const draw = (): number[] => {
    const [first, middle] = owner.files as [SimFile, SimFile];
    // Not the first of the file: a storer that is a night behind has the last cell of the file before it there.
    return [FIRST_CELL + 2 + first.cells.length + world.random.below(middle.cells.length - 1)];
  };
  everyNight(circle);
  const found = new Losses(circle, losses, draw);
  await found.all(losses, 90 * DAY_MS);
  return found.hours.map((hours) => hours / 24);
}

/** The first file loses its last cell, as long as it has some, so that all others move; what is new comes last, as in src. */
function everyNight({ world, nodes }: Circle): void {
  const [owner] = nodes as [SimNode];
  const night = (): void => {
    world.time.at(DAY_MS, night);
    const [first, middle, last] = owner.files as [SimFile, SimFile, SimFile];
    const rest = first.cells.length > 1 ? first.cells.slice(0, -1) : first.cells;
    backUp(owner, [{ ...first, cells: rest }, middle, { ...last, cells: [...last.cells, 1] }]).catch(ignoreBadMoment);
  };
  world.time.at(2 * HOUR_MS, night);
}

/** What the storers of an honest world were found to be, in `challenges` answered ones. */
export type HonestFigures = { readonly held: number; readonly wrong: number; readonly late: number };

/** Cells of a content that is asked about again and again: sampled, and no more than that. */
const ASKED_CELLS = 48;

/**
 * Everybody is honest, and everything else goes wrong: own cells rot at the owner, held ones at the storers, files change
 * while questions are on their way, machines are killed and go to sleep.
 */
export async function honestPeers(seed: string, challenges: number): Promise<HonestFigures> {
  const circle = await starOf({ seed, storers: STORERS, cells: ASKED_CELLS, sampling: 'stand-in' });
  const { world, oracle, nodes } = circle;
  const [owner, ...storers] = nodes as [SimNode, ...SimNode[]];
  const { random } = world;
  const often = (hours: number, act: () => void): void => {
    world.time.at(random.exponential(hours * HOUR_MS), () => {
      act();
      often(hours, act);
    });
  };
  for (const storer of storers) {
    const ask = (): void => {
      world.time.at(61 * MINUTE_MS, ask);
      void check(owner, storer);
    };
    world.time.at(random.fraction() * HOUR_MS, ask);
    often(20 * 24, () => nap(circle, storer));
    often(40 * 24, () => void startAgain(storer));
    often(30 * 24, () => rotHeld(storer, random.fraction()));
  }
  often(3, () => rotOwn(owner, random.fraction()));
  often(11, () => void backUp(owner, withEdit(owner, random.below(ASKED_CELLS / 3))).catch(ignoreBadMoment));
  while (oracle.checks.held + oracle.checks.wrong < challenges) await world.pass(DAY_MS);
  const { held, wrong, late } = oracle.checks;
  return { held, wrong, late };
}

async function check(owner: SimNode, storer: SimNode): Promise<void> {
  if (owner.daemon?.state !== 'UNLOCKED') return;
  try {
    for await (const _ of owner.api.check(storer.id, new AbortController().signal));
  } catch (error) {
    ignoreBadMoment(error);
  }
}

/** What a person would try again. */
function ignoreBadMoment(error: unknown): void {
  if (!(error instanceof PeerRefusal) && !(error instanceof BbError && error.code !== 'INTERNAL')) throw error;
}

function withEdit({ files }: SimNode, at: number): readonly SimFile[] {
  const [first, ...others] = files as [SimFile, ...SimFile[]];
  return [edited(first, at, 1), ...others];
}

function nap({ world }: Circle, node: SimNode): void {
  node.suspend();
  world.time.at(world.random.fraction() * 12 * HOUR_MS, () => node.resume());
}

async function startAgain(node: SimNode): Promise<void> {
  if (!node.isAwake) return;
  await node.restart();
}

function rotOwn({ disk }: SimNode, fraction: number): void {
  const slots = [...disk.own];
  const [at, slot] = slots[Math.floor(fraction * slots.length)] ?? [];
  if (at !== undefined && slot !== undefined) disk.own.set(at, { ...slot, isDamaged: true });
}

function rotHeld({ disk }: SimNode, fraction: number): void {
  const [pack] = disk.packs.values();
  const at = Math.floor(fraction * (pack?.slots.length ?? 0));
  const slot = pack?.slots[at];
  if (pack !== undefined && slot !== undefined) pack.slots[at] = { ...slot, fault: 'flipped' };
}
