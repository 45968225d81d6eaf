// The operations whose every step is cut: each is run once in whole daemons, on one thread, while a disk watch writes
// down what reaches the disks of all nodes, in one order.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { BALLAST_BYTES } from '../../src/core/limits.ts';
import { agree, DaemonWorld, endHolds, noiseOf } from '../contract/daemon-world.ts';
import type { DaemonNode } from '../contract/daemon-node.ts';
import { filesOf } from './cut-checks.ts';
import { DiskWatch } from './disk-watch.ts';
import type { Note, Taped } from './disk-watch.ts';
import type { Image } from './disk-model.ts';

export const OPERATIONS = ['setfile', 'publish', 'recover', 'rewrite'] as const;
export type Operation = (typeof OPERATIONS)[number];

export type Recording = {
  readonly operation: Operation;
  readonly base: Image;
  readonly tape: readonly Taped[];
  readonly notes: readonly Note[];
  /** Name of a node -> its words. */
  readonly words: ReadonlyMap<string, string>;
  /** Name -> SHA-256: what the owner has, by the name of the state. */
  readonly states: ReadonlyMap<'old' | 'new', ReadonlyMap<string, string>>;
};

const PATIENCE_MS = 60_000;
const OLD = { a: 'old', kept: noiseOf('kept', 300_000), gone: 'gone later' };
const NEW = { a: 'new', kept: OLD.kept, big: noiseOf('big', 1_600_000) };

/** Puts the whole source of the owner to these files. */
export function setTo(owner: DaemonNode, files: Readonly<Record<string, string | Buffer>>): Promise<unknown> {
  fs.rmSync(join(owner.world.dir, `${owner.name}-source`), { recursive: true, force: true });
  return owner.setFiles(files);
}

export const setOld = (owner: DaemonNode): Promise<unknown> => setTo(owner, OLD);
export const setNew = (owner: DaemonNode): Promise<unknown> => setTo(owner, NEW);

/** A world on a machine that has other things to do, too. */
export function patientWorld(): DaemonWorld {
  const world = new DaemonWorld();
  world.patienceMs = PATIENCE_MS;
  return world;
}

/** An owner with its old files and, unless it is alone, a storer that has proved them. */
async function prepare(world: DaemonWorld, operation: Operation): Promise<void> {
  const owner = await world.add('owner');
  await owner.init('generated');
  if (operation !== 'setfile') {
    const storer = await world.add('storer');
    await storer.init('generated');
    await owner.api.setStorage(0, 1);
    await agree(owner, storer);
  }
  if (operation === 'rewrite') {
    await setTo(owner, { ...OLD, large: noiseOf('large', 2_800_000) });
    await settled(world);
  }
  await setOld(owner);
  await settled(world);
  if (operation === 'rewrite') await endPeace(world.node('storer'));
}

/** Most of what the storer has may go, and nothing happens by itself before it is asked to. */
async function endPeace(storer: DaemonNode): Promise<void> {
  for (const task of ['tick', 'rewrite', 'scrub']) storer.session.scheduler.cancel(`${task}:${storer.id}`);
  await endHolds(storer);
}

/** Nothing is left to do: committed, proved wherever it is stored. */
export async function settled(world: DaemonWorld): Promise<void> {
  const nodes = [...world.nodes.values()];
  await world.until('everything is at rest', () =>
    nodes.every(({ session }) => {
      const { node, registry, newest } = session;
      if (node.mode !== 'normal' || node.dirty) return false;
      return registry
        .contracts()
        .every(({ replica }) => newest !== undefined && replica.proved.equals(newest.row.contentId));
    }),
  );
}

export async function record(operation: Operation): Promise<Recording> {
  const world = patientWorld();
  const watch = new DiskWatch(world.dir);
  try {
    await prepare(world, operation);
    const owner = world.node('owner');
    const old = await filesOf(owner);
    if (operation === 'recover') await loseDisk(owner);
    watch.begin();
    if (operation === 'recover') {
      await owner.start();
      await owner.init('recover');
    } else if (operation === 'rewrite') {
      const { rewrittenPacks } = await world.node('storer').api.collectGarbage(false);
      assert.equal(rewrittenPacks, 1);
    } else {
      await setNew(owner);
      watch.note('new');
    }
    await settled(world);
    const states = new Map([
      ['old' as const, old],
      ['new' as const, await filesOf(owner)],
    ]);
    await Promise.all([...world.nodes.values()].map((node) => node.kill()));
    assert.deepEqual(watch.unseen(), [], 'everything that reached a disk was written down');
    const words = new Map([...world.nodes.values()].map((node) => [node.name, node.words]));
    const { base, tape, notes } = watch;
    return { operation, base, tape, notes, words, states };
  } finally {
    watch.stop();
    await world.close();
  }
}

/** The node is down and its data directory is empty. */
async function loseDisk(owner: DaemonNode): Promise<void> {
  await owner.kill();
  fs.rmSync(owner.dir, { recursive: true });
  fs.mkdirSync(owner.dir);
  fs.writeFileSync(join(owner.dir, 'ballast'), '');
  fs.truncateSync(join(owner.dir, 'ballast'), BALLAST_BYTES);
}
