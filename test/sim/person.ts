// One person with one machine: switches it on and off, edits files, finds friends and replaces those that do not come back,
// loses a disk and types the words into a new machine, and one day is gone for good.

import type { ContractState } from '../../src/core/contract/state.ts';
import { BbError } from '../../src/core/errors.ts';
import { PeerRefusal } from '../../src/core/refusal.ts';
import { agree, backUp, befriend } from './acts.ts';
import { CHURN, CONTRACT_CELLS, YEAR_DAYS } from './churn-model.ts';
import type { SimFile } from './content.ts';
import { throwAway } from './liars.ts';
import type { Lie } from './liars.ts';
import type { Society } from './society.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimNode } from './sim-node.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './sim-world.ts';

/** States of a contract that a person counts as a friend who keeps a copy. */
const KEEPING = new Set<ContractState>(['ACTIVE', 'DEGRADED']);

export type Person = {
  readonly node: SimNode;
  readonly random: SeededRandom;
  readonly availability: number;
  readonly lie: Lie | undefined;
  isGone: boolean;
  /** Between a dead disk and the restored content. */
  isRecovering: boolean;
  readonly friends: Set<Person>;
};

/** Starts everything that this person will do by itself. */
export function live(society: Society, person: Person): void {
  const { random } = person;
  const every = (meanMs: number, act: () => void): void => {
    const again = (): void => {
      if (person.isGone) return;
      act();
      society.after(random.exponential(meanMs), again);
    };
    society.after(random.exponential(meanMs), again);
  };
  endSession(society, person);
  society.after(random.exponential((YEAR_DAYS / CHURN.departuresPerYear) * DAY_MS), () => society.leaves(person));
  every((YEAR_DAYS / CHURN.diskLossesPerYear) * DAY_MS, () => society.losesDisk(person));
  every(CHURN.editDays * DAY_MS, () => edit(society, person));
  every(CHURN.careHours * HOUR_MS, () => care(society, person));
  if (random.chance(CHURN.weakDisks)) every(CHURN.weakDiskDays * DAY_MS, () => damageOne(person));
  if (person.lie !== undefined)
    every(DAY_MS, () => throwAway(person.lie as Lie, person.node.disk, () => random.fraction()));
  society.after(random.between(10, 60) * MINUTE_MS, () => care(society, person));
}

function endSession(society: Society, person: Person): void {
  const { mean, min, max } = CHURN.sessionHours;
  const hours = Math.min(max, Math.max(min, person.random.exponential(mean)));
  society.after(hours * HOUR_MS, () => {
    if (person.isGone) return;
    // Who waits for the own files leaves the machine on; only an outage takes it down.
    if (person.isRecovering) return endSession(society, person);
    const offHours = hours * (1 / person.availability - 1);
    rest(society, person, offHours * HOUR_MS);
    society.after(offHours * HOUR_MS, () => endSession(society, person));
  });
}

/** Off for a while: asleep, or switched off. */
export function rest(society: Society, person: Person, ms: number): void {
  const { node, random } = person;
  if (!node.isAwake) return;
  if (random.chance(CHURN.switchedOff)) {
    node.kill();
    society.after(ms, () => society.does(person, 'unlock', switchOn(person)));
  } else {
    node.suspend();
    society.after(ms, () => node.resume());
  }
}

async function switchOn({ node, isGone, isRecovering }: Person): Promise<void> {
  if (isGone || node.isUp || (isRecovering && node.disk.header === undefined)) return;
  await node.start();
  await node.unlock();
}

function isAtWork({ node, isGone, isRecovering }: Person): boolean {
  return !isGone && !isRecovering && node.isAwake && node.daemon?.state === 'UNLOCKED';
}

/** Some cells of one file change, or a file comes. */
function edit(society: Society, person: Person): void {
  if (!isAtWork(person)) return;
  society.does(person, 'setfile', save(society, person, editedFiles(person)));
}

export async function save(society: Society, person: Person, files: readonly SimFile[]): Promise<void> {
  const { node } = person;
  if (node.session.node.mode !== 'normal') return;
  const { revision } = await backUp(node, files);
  if (revision !== undefined) society.promised(person, revision.sequence, files);
}

function editedFiles({ node, random }: Person): readonly SimFile[] {
  const at = random.below(node.files.length);
  return node.files.map((file, index) => {
    if (index !== at) return file;
    const from = random.below(file.cells.length);
    const count = 1 + random.below(3);
    const cells = file.cells.map((version, cell) => (cell >= from && cell < from + count ? version + 1 : version));
    return { ...file, cells };
  });
}

/** Looks after the friends: enough of them must keep a copy. */
function care(society: Society, person: Person): void {
  if (!isAtWork(person)) return;
  const missing = society.minReplicas + CHURN.spareFriends - keepingFriends(person);
  for (let i = 0; i < Math.min(missing, CHURN.friendsAtOnce); i += 1) {
    const friend = society.stranger(person);
    if (friend === undefined) return;
    person.friends.add(friend);
    friend.friends.add(person);
    society.does(person, 'propose', becomeFriends(person, friend));
  }
}

/** Friends that keep a copy, as far as this person's node knows. */
export function keepingFriends({ node }: Person): number {
  return node.session.registry.contracts().filter(({ state }) => KEEPING.has(state)).length;
}

async function becomeFriends(person: Person, friend: Person): Promise<void> {
  await befriend(person.node, friend.node);
  await agree(person.node, friend.node, CONTRACT_CELLS);
}

function damageOne({ node, random }: Person): void {
  const packs = [...node.disk.packs.values()];
  const pack = random.pick(packs);
  if (pack === undefined || pack.slots.length === 0) return;
  const at = random.below(pack.slots.length);
  const slot = pack.slots[at];
  if (slot !== undefined) pack.slots[at] = { ...slot, fault: random.chance(0.5) ? 'flipped' : 'unreadable' };
}

/** What an act of a person may end with; anything else is a bug that ends the run. */
export function isEverydayFailure(error: unknown): boolean {
  return error instanceof BbError ? error.code !== 'INTERNAL' : error instanceof PeerRefusal;
}
