// A circle of friends, each with a contract with each other: the stage of most scenarios.

import assert from 'node:assert/strict';
import { agree, backUp, befriend, fileOf, verdictOf } from './acts.ts';
import type { SimFile } from './content.ts';
import { Oracle } from './oracle.ts';
import type { SimNode } from './sim-node.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, SimWorld } from './sim-world.ts';

export type Circle = { readonly world: SimWorld; readonly oracle: Oracle; readonly nodes: readonly SimNode[] };

/** `count` friends who all know each other; the first has a protected backup with a copy at each other one. */
export async function circleOf(seed: string, count: number): Promise<Circle> {
  const world = new SimWorld(seed);
  const oracle = new Oracle(world);
  for (let i = 0; i < count; i += 1) await world.does(world.bornNode());
  await world.pass(5 * MINUTE_MS);
  const { nodes } = world;
  for (const [at, one] of nodes.entries()) {
    for (const other of nodes.slice(at + 1)) {
      await insist(world, () => befriend(one, other));
      await agreed(world, one, other);
    }
  }
  const [owner] = nodes as [SimNode];
  await world.does(owner.api.setStorage(0, count - 1));
  await set({ world, oracle, nodes }, owner, [fileOf('photos', 12), fileOf('letters', 3)]);
  await protectedSoon(world, owner);
  return { world, oracle, nodes };
}

/** The user sets these files; what is acknowledged is remembered by the oracle. */
export async function set({ world, oracle }: Circle, node: SimNode, files: readonly SimFile[]): Promise<number> {
  const { revision } = await world.does(backUp(node, files));
  assert.ok(revision, 'a change makes a revision');
  oracle.promise(node, revision.sequence);
  return revision.sequence;
}

export async function protectedSoon(world: SimWorld, node: SimNode): Promise<void> {
  let verdict = '';
  for (let minutes = 0; verdict !== 'PROTECTED'; minutes += 1) {
    if (minutes > 3 * 24 * 60) throw new Error(`seed ${world.seed}: ${node.name} is still ${verdict} after 3 days`);
    await world.pass(MINUTE_MS);
    verdict = await verdictOf(node);
  }
}

/** A contract of two friends. A reply that got lost leaves one behind: who tries again sees it. */
export async function agreed(world: SimWorld, one: SimNode, other: SimNode, cells?: number): Promise<void> {
  await insist(world, async () => {
    if (one.session.registry.contract(other.id)?.state !== 'ACTIVE') await agree(one, other, cells);
  });
}

/** A person tries again when the network has a bad moment. */
export async function insist<T>(world: SimWorld, act: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await world.does(act());
    } catch (error) {
      if (tries > 10) throw error;
      await world.pass(30 * SECOND_MS);
    }
  }
}

/** The disk is lost, and the old words are typed into a fresh machine. */
export async function comeBack(
  { world, oracle }: Circle,
  node: SimNode,
  how: 'recover' | 'new' = 'recover',
): Promise<void> {
  node.loseDisk();
  oracle.forgive(node);
  await world.does(node.start());
  await world.does(node.init(how));
}

export async function normalSoon(world: SimWorld, node: SimNode): Promise<void> {
  await world.until(`${node.name} publishes again`, () => node.session.node.mode === 'normal', 5 * DAY_MS);
  await world.pass(HOUR_MS);
}

/** Names of the files that `bb listfiles` shows, with their versions as the oracle of a person who compares them. */
export async function listing(node: SimNode): Promise<string[]> {
  const lines: string[] = [];
  for await (const batch of node.api.listFiles(Buffer.alloc(0))) {
    for (const { path, sha256 } of batch) lines.push(`${path.toString()} ${sha256.toString('hex').slice(0, 16)}`);
  }
  return lines.toSorted();
}
