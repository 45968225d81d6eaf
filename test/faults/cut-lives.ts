// A life after a cut: daemons on the image that it left, unlocked as a person would, and nothing else done by hand.

import { catalogFaults, cellFaults, filesOf, markFaults, orphans, promiseFaults } from './cut-checks.ts';
import { patientWorld, setNew, settled } from './cut-recordings.ts';
import type { Recording } from './cut-recordings.ts';
import { DiskModel } from './disk-model.ts';
import type { Image } from './disk-model.ts';
import type { DaemonWorld } from '../contract/daemon-world.ts';
import type { DaemonNode } from '../contract/daemon-node.ts';
import { writeImage } from './disk-watch.ts';
import { chanceOf } from './seeded.ts';

/** What is left over for so long is looked at again after a start. */
const CLEAN_UP_MS = 5_000;

export const VARIANTS = ['kill', 'power-loss'] as const;

/** After the first `at` steps; `seed` says what a power loss spared. */
export type Cut = { readonly at: number; readonly variant: (typeof VARIANTS)[number]; readonly seed: number };

/** Where a recording may be cut: 0 to the number of its steps, but inside what happens as one. */
export function boundaries({ tape }: Recording): number[] {
  const inside = new Set(tape.flatMap(({ joined }, at) => (joined ? [at + 1] : [])));
  return Array.from({ length: tape.length + 1 }, (_, at) => at).filter((at) => !inside.has(at));
}

export function imageAfter({ base, tape }: Recording, { at, variant, seed }: Cut): Image {
  const model = new DiskModel(base);
  for (const { step } of tape.slice(0, at)) model.apply(step);
  return variant === 'kill' ? model.afterKill() : model.afterPowerLoss(chanceOf(`${seed}/${at}`));
}

/** In words that name the step; empty when all is well. */
export async function faultsAfter(recording: Recording, cut: Cut): Promise<string[]> {
  const world = patientWorld();
  try {
    await writeImage(world.dir, imageAfter(recording, cut));
    return await live(world, recording, cut);
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  } finally {
    await closeOrderly(world);
  }
}

export async function closeOrderly(world: DaemonWorld): Promise<void> {
  await Promise.allSettled([...world.nodes.values()].map(async (node) => node.daemon.lock()));
  await world.close();
}

export function nameOf({ operation, tape }: Recording, { at, variant, seed }: Cut): string {
  const label = at === 0 ? 'the beginning' : (tape[at - 1]?.label ?? '');
  return `${operation}, cut ${at} of ${tape.length} (${variant} after ${label}), seed ${seed}`;
}

/** A locked daemon on each data directory of the world. */
export async function startAll(world: DaemonWorld, { words }: Recording): Promise<DaemonNode[]> {
  const nodes: DaemonNode[] = [];
  for (const [name, ofNode] of words) {
    const node = await world.add(name);
    node.words = ofNode;
    nodes.push(node);
  }
  return nodes;
}

async function live(world: DaemonWorld, recording: Recording, cut: Cut): Promise<string[]> {
  const nodes = await startAll(world, recording);
  const faults = nodes.flatMap((node) => catalogFaults(node.dir));
  const [owner, storer] = nodes;
  if (owner === undefined) throw new Error('a recording has an owner');
  for (const node of nodes) {
    if (node.daemon.state !== 'NOT_INITIALISED') await node.unlock();
    else if (recording.operation === 'recover' && node === owner) await node.init('recover');
    else faults.push(`${node.name} forgot who it is`);
  }
  if (faults.length > 0) return faults;
  const wasGone = recording.operation === 'recover';
  if (storer !== undefined) faults.push(...promiseFaults(owner, storer, wasGone));
  // What an owner without a disk promised comes back with its recovery.
  if (storer !== undefined && !wasGone) faults.push(...promiseFaults(storer, owner, wasGone));
  for (const node of nodes) {
    faults.push(...(await orphans(node)).map((what) => `${node.name} after the start: ${what}`));
    faults.push(...markFaults(node.dir), ...(await cellFaults(node)));
  }
  if (recording.operation !== 'recover') faults.push(...(await fileFaults(owner, recording, cut)));
  await settled(world);
  if (recording.operation === 'recover') faults.push(...(await fileFaults(owner, recording, cut)));
  if (recording.operation === 'setfile') {
    await setNew(owner);
    if (!isState(await filesOf(owner), recording, 'new'))
      faults.push('files that were set after the cut are not there');
  }
  for (const node of nodes) {
    faults.push(...markFaults(node.dir), ...(await cellFaults(node)));
    faults.push(...(await leftOver(world, node)));
  }
  return faults;
}

/** Work that is still under way cleans up by itself; what it forgets must be gone after one more start. */
async function leftOver(world: DaemonWorld, node: DaemonNode): Promise<string[]> {
  world.patienceMs = CLEAN_UP_MS;
  try {
    await world.until('nothing is left over', async () => (await orphans(node)).length === 0);
    return [];
  } catch {
    await node.restart();
    return (await orphans(node)).map((what) => `${node.name} in the end: ${what}`);
  }
}

async function fileFaults(owner: DaemonNode, recording: Recording, { at }: Cut): Promise<string[]> {
  const files = await filesOf(owner);
  const isAcknowledged = recording.notes.some((note) => note.at <= at);
  if (isState(files, recording, 'new')) return [];
  if (isState(files, recording, 'old') && !isAcknowledged) return [];
  return [`lost: ${isAcknowledged ? 'acknowledged' : 'old'} files are not given back`];
}

export function isState(files: ReadonlyMap<string, string>, { states }: Recording, state: 'old' | 'new'): boolean {
  const wanted = states.get(state);
  return wanted?.size === files.size && [...files].every(([name, hash]) => wanted.get(name) === hash);
}
