// Peers that do not keep their word, as wrappers of what a node answers and of what it keeps on its disk.

import type { OnionId } from '../../src/core/ids.ts';
import { PeerRefusal } from '../../src/core/refusal.ts';
import type { PeerApi } from '../../src/daemon/peer-api.ts';
import type { SimDisk } from './sim-disk.ts';

export const LIES = [
  'keeps nothing',
  'keeps most',
  'answers no challenge',
  'gives nothing back',
  'serves old',
] as const;
export type Lie = (typeof LIES)[number];

/** Part of the cells that a peer that keeps most throws away. */
const THROWN_AWAY = 0.01;

/** What a lying node answers; `honest` is what its daemon would. */
export function lyingApi(lie: Lie, honest: PeerApi): PeerApi {
  switch (lie) {
    case 'answers no challenge':
      return { ...honest, challenge: () => new Promise(() => undefined) };
    case 'gives nothing back':
      return { ...honest, download: () => refuse() };
    case 'serves old':
      return { ...honest, getContentRevision: (caller, held) => olderReport(honest, caller, held) };
    case 'keeps nothing':
    case 'keeps most':
      return honest; // the lie is on its disk
  }
}

/** Throws away what the daemon of a lying node believes to have. */
export function throwAway(lie: Lie, disk: SimDisk, fraction: () => number): void {
  if (lie !== 'keeps nothing' && lie !== 'keeps most') return;
  for (const pack of disk.packs.values()) {
    for (const [at, slot] of pack.slots.entries()) {
      if (slot.fault === 'none' && (lie === 'keeps nothing' || fraction() < THROWN_AWAY)) {
        pack.slots[at] = { ...slot, fault: 'unreadable' };
      }
    }
  }
}

function refuse(): never {
  throw new PeerRefusal('UNKNOWN_CONTENT');
}

/** Says of an older revision that it is the one it has, and that it knows no newer one. */
async function olderReport(honest: PeerApi, caller: OnionId, held: Buffer) {
  const report = await honest.getContentRevision(caller, held);
  const oldest = report.requesterOlder.at(-1);
  if (oldest === undefined) return report;
  return { ...report, requesterContent: oldest, requesterLatestKnown: oldest.contentId, requesterOlder: [] };
}
