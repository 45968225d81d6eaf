// Faults by seed, for the two questions that a system like this has to answer. Safety: whatever happens, nothing that was
// promised is broken, and nothing false is said; any number of faults at once, without end. Liveness: faults within the budget
// (at most `min_replicas` - 1 machines in trouble at a time, and an end of it), after which everything is as it should be.
// The oracle looks on in both, and every choice is drawn from the seed.

import { BbError } from '../../src/core/errors.ts';
import { PeerRefusal } from '../../src/core/refusal.ts';
import { backUp, edited, fileOf } from './acts.ts';
import { circleOf } from './circle.ts';
import type { Circle } from './circle.ts';
import { lyingApi, LIES, throwAway } from './liars.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimDisk } from './sim-disk.ts';
import type { SimNode } from './sim-node.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './sim-world.ts';

/** What may happen to one machine, or to all of them. */
type Fault = (trouble: Trouble, node: SimNode) => void;

export class Trouble {
  readonly circle: Circle;
  readonly random: SeededRandom;
  /** An older state of each disk, from time to time. */
  readonly images = new Map<SimNode, SimDisk>();
  /** Faults so far, by name. */
  readonly counts = new Map<string, number>();

  constructor(circle: Circle) {
    this.circle = circle;
    this.random = circle.world.random;
  }

  /** One fault of this table, at one of these nodes. */
  strike(faults: { readonly [name: string]: Fault }, nodes: readonly SimNode[]): SimNode {
    const name = this.random.pick(Object.keys(faults)) ?? '';
    const node = this.random.pick(nodes) as SimNode;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    faults[name]?.(this, node);
    return node;
  }

  /** An act of a person or of the system at a bad moment; only a bug ends the run. */
  tries(node: SimNode, act: () => Promise<unknown>): void {
    act().catch((error: unknown) => {
      const isLife = error instanceof PeerRefusal || (error instanceof BbError && error.code !== 'INTERNAL');
      if (node.isUp && !isLife) {
        this.circle.world.watch(() => {
          throw error;
        });
      }
    });
  }

  /** After a while the machine runs again, unlocked. */
  backSoon(node: SimNode, ms: number): void {
    this.circle.world.time.at(ms, () => this.tries(node, () => switchOn(node)));
  }
}

async function switchOn(node: SimNode): Promise<void> {
  node.resume();
  if (node.isUp || node.onionId === undefined) return;
  await node.start();
  if (node.disk.header === undefined) await node.init('recover');
  else await node.unlock();
}

/** Faults that a machine comes back from with everything that it had. */
const PASSING: { readonly [name: string]: Fault } = {
  kill: (trouble, node) => {
    node.kill();
    trouble.backSoon(node, trouble.random.fraction() * 6 * HOUR_MS);
  },
  'kill at a port call': (trouble, node) => {
    const { life } = node;
    if (life === undefined) return;
    const at = life.calls + 1 + trouble.random.below(300);
    const moment = trouble.random.chance(0.5) ? 'before' : 'after';
    life.onCall = (_port, _method, calls) => {
      if (calls !== at) return undefined;
      // From then on: on a quiet day so many calls take longer than it is off.
      trouble.backSoon(node, 6 * HOUR_MS);
      return moment;
    };
  },
  sleep: (trouble, node) => {
    node.suspend();
    trouble.backSoon(node, trouble.random.fraction() * 2 * DAY_MS);
  },
  'wrong wall clock': (trouble, node) => {
    node.machine.wallOffsetMs += Math.round(trouble.random.between(-400, 400)) * DAY_MS;
  },
  'own rot': (trouble, node) => {
    for (const [at, slot] of node.disk.own) {
      if (trouble.random.chance(0.1)) node.disk.own.set(at, { ...slot, isDamaged: true });
    }
  },
  'cut network': ({ circle: { world }, random }, node) => {
    world.network.isCut = (from, to) => (from === node.index) !== (to === node.index);
    world.network.cut(node.index);
    world.time.at(random.fraction() * DAY_MS, () => {
      world.network.isCut = () => false;
    });
  },
  'full disk': ({ circle: { world }, random }, node) => {
    const { disk } = node;
    disk.otherBytes = Math.max(0, disk.totalBytes - disk.usedBytes);
    world.time.at(random.fraction() * DAY_MS, () => {
      disk.otherBytes = 0;
    });
  },
};

/** What no budget covers when it meets several at once. */
const LASTING: { readonly [name: string]: Fault } = {
  'held rot': (trouble, { disk }) => {
    const fault = trouble.random.chance(0.5) ? 'flipped' : 'unreadable';
    for (const pack of disk.packs.values()) {
      for (const [at, slot] of pack.slots.entries()) {
        if (trouble.random.chance(0.2)) pack.slots[at] = { ...slot, fault };
      }
    }
  },
  'dead disk': (trouble, node) => {
    node.loseDisk();
    trouble.circle.oracle.forgive(node);
    trouble.backSoon(node, trouble.random.fraction() * 2 * DAY_MS);
  },
};

/** What only safety has to stand. */
const WORST: { readonly [name: string]: Fault } = {
  'older image': (trouble, node) => {
    const image = trouble.images.get(node);
    if (image === undefined) return;
    node.restoreImage(image);
    trouble.circle.oracle.forgive(node);
    trouble.backSoon(node, trouble.random.fraction() * HOUR_MS);
  },
  'secret thrift': (trouble, node) => {
    trouble.circle.oracle.liars.add(node);
    node.hidesDamage = true;
    throwAway(trouble.random.pick(LIES) ?? 'keeps most', node.disk, () => trouble.random.fraction());
  },
  'hasty new': (trouble, node) => {
    trouble.tries(node, () => node.init('new'));
  },
};

function editSomething(trouble: Trouble, node: SimNode): void {
  const { random, circle } = trouble;
  if (!node.isAwake || node.daemon?.state !== 'UNLOCKED') return;
  if (node.files.length === 0) node.files = [fileOf(`${node.name} again ${random.below(1000)}`, 1 + random.below(50))];
  const [first, ...others] = node.files;
  if (first === undefined) return;
  trouble.tries(node, async () => {
    const { revision } = await backUp(node, [edited(first, random.below(first.cells.length), 3), ...others]);
    if (revision !== undefined) circle.oracle.promise(node, revision.sequence);
  });
}

/** Rejects with the promise that was broken, if one was. */
export async function safetyRun(seed: string, days: number): Promise<Trouble> {
  const circle = await circleOf(`safety ${seed}`, 4);
  const trouble = new Trouble(circle);
  const { world, nodes, oracle } = circle;
  const { random } = world;
  const liar = random.chance(0.5) ? random.pick(nodes) : undefined;
  const lie = random.pick(LIES);
  const { wrapApi } = world;
  if (liar !== undefined && lie !== undefined) {
    oracle.liars.add(liar);
    world.wrapApi = (node, api) => wrapApi(node, node === liar ? lyingApi(lie, api) : api);
  }
  const endMs = world.time.nowMs + days * DAY_MS;
  while (world.time.nowMs < endMs) {
    const node = trouble.strike({ ...PASSING, ...LASTING, ...WORST }, nodes);
    if (random.chance(0.2)) trouble.images.set(node, node.disk.image());
    editSomething(trouble, random.pick(nodes) as SimNode);
    await world.pass(Math.ceil(random.exponential(4 * HOUR_MS)));
    for (const each of nodes) {
      if (each.isAwake && each.daemon?.state === 'UNLOCKED') await oracle.judgeVerdict(each);
    }
  }
  return trouble;
}

/** Rejects when a promise was broken, or when the world does not heal. */
export async function livenessRun(seed: string, days: number): Promise<Trouble> {
  const circle = await circleOf(`liveness ${seed}`, 4);
  const trouble = new Trouble(circle);
  const { world, nodes, oracle } = circle;
  const { random } = world;
  const endMs = world.time.nowMs + days * DAY_MS;
  while (world.time.nowMs < endMs) {
    for (const node of nodes) editSomething(trouble, node);
    await world.pass(6 * HOUR_MS);
    const hit = trouble.strike({ ...PASSING, ...LASTING }, nodes);
    // One at a time: nobody else has trouble before this machine is well again.
    await world.pass(2 * DAY_MS + 10 * MINUTE_MS);
    await isWell(trouble, hit);
  }
  await world.pass(Math.ceil(random.fraction() * HOUR_MS));
  for (const node of nodes) await isWell(trouble, node);
  for (const node of nodes) await oracle.judgeVerdict(node);
  return trouble;
}

/** A storer is given everything again once in 30 days: who loses a second disk has to wait for that, and then be cured. */
const CURED_DAYS = 40;

/** What a clock that was set right, a person and some time bring back. */
async function isWell({ circle: { world, nodes } }: Trouble, node: SimNode): Promise<void> {
  for (const each of nodes) each.machine.wallOffsetMs = 0;
  const isBack = (): boolean =>
    node.isAwake && node.daemon?.state === 'UNLOCKED' && node.session.node.mode === 'normal';
  await world.until(`${node.name} is back`, isBack, 5 * DAY_MS);
  const [owner] = nodes as [SimNode];
  let verdict = '';
  for (let hours = 0; verdict !== 'PROTECTED' && hours < CURED_DAYS * 24; hours += 1) {
    await world.pass(HOUR_MS);
    verdict = owner.isAwake && owner.daemon?.state === 'UNLOCKED' ? ((await owner.api.status()).verdict ?? '') : '';
  }
  if (verdict !== 'PROTECTED') throw new Error(`seed ${world.seed}: the first of them is still ${verdict}`);
}
