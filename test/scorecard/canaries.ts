// The part `canaries` of the scorecard: two friends with telling names back up a telling file, edit it, and one loses its disk
// and comes back; then everything that they leave on disk and in their logs is searched for words, ids, names and content.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plantCanaries } from '../e2e/harness/canaries.ts';
import type { Planted } from '../e2e/harness/canaries.ts';
import { loseDisk, recoverAll, staysProtected } from '../e2e/harness/friends.ts';
import { edit, keeper, pairOf, setAll } from '../e2e/harness/pair.ts';
import type { Keeper } from '../e2e/harness/pair.ts';
import { World } from '../e2e/harness/world.ts';
import type { Figures, Part, PartOptions } from './part.ts';

const TIME_DIVISOR = 300;
const EDIT_BYTES = 2 * 1024 * 1024;

async function measure({ seed, say }: PartOptions): Promise<Figures> {
  const world = await World.create({ timeDivisor: TIME_DIVISOR });
  const planted = plantCanaries(world, seed);
  let failure: unknown;
  try {
    await tell(world, planted, seed);
  } catch (error) {
    failure = error;
  }
  const hits = await world.end();
  for (const hit of hits) say(hit);
  if (failure !== undefined) throw failure;
  return { canaries: hits.length };
}

async function tell(world: World, planted: Planted, seed: number): Promise<void> {
  const made = planted.names.map((calledName, at) => world.node(`node-${at}`, undefined, { calledName }));
  const [owner, storer] = await Promise.all(made.map((node) => keeper(world, node, seed, EDIT_BYTES)));
  if (owner === undefined || storer === undefined) throw new Error('two names make a pair');
  await pairOf(owner, storer);
  for (const side of [owner, storer]) await changeTellingly(side, planted);
  await loseDisk(owner.node);
  await recoverAll(owner.node, owner.kept, 'papers', ['--from', storer.node.onionId]);
  await staysProtected(owner.node);
}

async function changeTellingly(side: Keeper, { fileName, content }: Planted): Promise<void> {
  edit(side);
  writeFileSync(join(side.source, fileName), content.repeat(1000));
  await setAll(side);
  await staysProtected(side.node);
}

export const canaries: Part = { name: 'canaries', measure };
