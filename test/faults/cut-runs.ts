// Many lives after many cuts, some at a time: most of a life is waiting for the other daemon.

import fs from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import { boundaries, faultsAfter, nameOf } from './cut-lives.ts';
import type { Cut } from './cut-lives.ts';
import type { Recording } from './cut-recordings.ts';
import { Patches } from './platform.ts';
import { chanceOf } from './seeded.ts';
import { threadsHere } from './threads-here.ts';

const AT_ONCE = 4;
/** Memory as a disk: syncs cost nothing, and what they mean is in the tape. */
const MEMORY_DISK = '/dev/shm';
const MEMORY_DISK_BYTES = 2 * 1024 ** 3;

export type FailedCut = { readonly cut: Cut; readonly name: string; readonly faults: readonly string[] };

/** Daemons of this process run on one thread and in memory from now on. */
export function onOneThread(): void {
  threadsHere(new Patches());
  if (!fs.existsSync(MEMORY_DISK)) return;
  const { bavail, bsize } = fs.statfsSync(MEMORY_DISK);
  if (bavail * bsize >= MEMORY_DISK_BYTES) process.env['TMPDIR'] = MEMORY_DISK;
}

/** At every boundary a kill and `seeds` power losses. */
export function allCuts(recording: Recording, seed: number, seeds: number): Cut[] {
  return boundaries(recording).flatMap((at): Cut[] => [
    { at, variant: 'kill', seed },
    ...Array.from({ length: seeds }, (_, more): Cut => ({ at, variant: 'power-loss', seed: seed + more })),
  ]);
}

/** So many of them, by the seed. */
export function someOf<T>(all: readonly T[], count: number, seed: number): T[] {
  const chance = chanceOf(`some/${seed}`);
  return all
    .map((one) => ({ one, order: chance() }))
    .toSorted((a, b) => a.order - b.order)
    .slice(0, count)
    .map(({ one }) => one);
}

/** Those after which something was not as it must be. */
export async function failedCuts(recording: Recording, cuts: readonly Cut[]): Promise<FailedCut[]> {
  const failed: FailedCut[] = [];
  const left = [...cuts];
  const work = async (): Promise<void> => {
    for (let cut = left.shift(); cut !== undefined; cut = left.shift()) {
      const faults = await faultsAfter(recording, cut);
      if (faults.length > 0) failed.push({ cut, name: nameOf(recording, cut), faults });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return failed;
}

export function saveRecording(file: string, recording: Recording): void {
  fs.writeFileSync(file, serialize(recording));
}

export function loadRecording(file: string): Recording {
  return deserialize(fs.readFileSync(file)) as Recording;
}
