// A society on a private Tor network that nobody tends: of five daemons one storer lies and one vanishes for good, a sixth
// joins by gossip; the owner's daemon finds new storers by itself, and when its disk dies the words alone bring it back.
// Not part of `make test`: a stranger's patience of four days is six minutes even on the fastest clock.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import type { EventTest } from '../e2e/harness/event-log.ts';
import { agree, becomeProtected, befriend, loseDisk, recoverAll, transferWith } from '../e2e/harness/friends.ts';
import type { TestNode } from '../e2e/harness/node.ts';
import { rot } from '../e2e/harness/rot.ts';
import { readTree } from '../e2e/harness/trees.ts';
import { World } from '../e2e/harness/world.ts';
import { lyingProgram } from './lying-program.ts';

const TIME_DIVISOR = 1000;
const SIZE = '64MiB';
const COPIES = 3;
const NOISE_BYTES = 5 * 1024 * 1024;
const SECOND = 1000;
/** One nominal day is 86 s. */
const WITHIN = {
  /** A check at a random moment of the next day, or a second one a quarter of a day after it. */
  check: 360 * SECOND,
  /** A day below the target, the search, the upload, its proof. */
  repair: 360 * SECOND,
  /** A day until a silent stranger is noticed, three more until its copy is taken for lost. */
  patience: 700 * SECOND,
} as const;

let world: World;
let ada: TestNode;
let ben: TestNode;
let cara: TestNode;
let dora: TestNode;
let emil: TestNode;
let fay: TestNode;
let source: string;

before(async () => {
  world = await World.create({ timeDivisor: TIME_DIVISOR });
  [ada, ben, cara] = [world.node('ada'), world.node('ben'), world.node('cara')];
  [dora, emil, fay] = [world.node('dora'), world.node('emil'), world.node('fay')];
  source = join(world.root, 'papers');
  cpSync(resolve(import.meta.dirname, '../../docs'), source, { recursive: true, preserveTimestamps: true });
  writeFileSync(join(source, 'noise'), randomBytes(NOISE_BYTES));
});

after(() => world.close());

/** Its person lets strangers in, and is content with one copy: who looks for storers, then, is ada. */
async function moveIn(node: TestNode): Promise<void> {
  await node.init();
  await node.follow();
  await node.data(['config', 'set', 'contracts.accept', 'everyone']);
  await node.data(['storage', 'set', '--min-replicas', '1']);
}

/** Nobody but ben is told of it. */
async function settleBesideBen(node: TestNode): Promise<void> {
  await moveIn(node);
  await befriend(ben, node);
  await agree(ben, node, SIZE);
}

const of = (node: TestNode, more: Readonly<Record<string, string>> = {}): EventTest => {
  const wanted = { peer: node.onionId, ...more };
  return ({ attributes }) => Object.entries(wanted).every(([key, value]) => attributes[key] === value);
};

/** Ada knows the peer from ben alone and has this contract with it. */
async function assertIntroduced(peer: TestNode, state: string | null): Promise<void> {
  const { added, introducer, contract_state } = (await ada.data(['peers', 'show', peer.onionId]))['peer'] as {
    added: boolean;
    introducer: string | null;
    contract_state: string | null;
  };
  assert.deepEqual(
    { added, introducer, contract_state },
    { added: false, introducer: ben.onionId, contract_state: state },
  );
}

/** Who has proved the newest revision of ada. */
async function provedBy(): Promise<string[]> {
  const { replicas } = (await ada.data(['status'])) as { replicas: { peer: string; verified: boolean }[] };
  return replicas.filter(({ verified }) => verified).map(({ peer }) => peer);
}

test('three copies: two at friends, one at a stranger whom a friend introduced', async () => {
  await Promise.all([ada, ben, cara, dora, emil].map(moveIn));
  await befriend(ben, dora);
  await befriend(ada, ben);
  await befriend(ada, cara);
  await befriend(ada, emil);
  await befriend(ben, emil);
  await agree(ben, emil, SIZE);
  await ada.data(['setfile', source, '--as', 'papers']);
  await agree(ada, ben, SIZE);
  await agree(ada, cara, SIZE);
  await assertIntroduced(dora, null);
  await ada.data(['contracts', 'propose', dora.onionId, '--give', SIZE, '--get', SIZE, '-y']);
  await becomeProtected(ada, COPIES);
});

test('a storer that dropped its bytes and lies about it is found by the next check, and a friend takes its place', async (context) => {
  const startMs = performance.now();
  const say = (what: string): void =>
    context.diagnostic(`${what}: ${Math.round((performance.now() - startMs) / 1000)} s`);
  await dora.kill9();
  dora.wipe();
  await cara.stop();
  rot(join(cara.dataDir, 'peers'));
  const liar = world.node('cara', undefined, { bb: lyingProgram(world.bb, world.root) });
  Object.assign(liar, { words: cara.words, onionId: cara.onionId });
  await liar.unlock();
  const replaced = async (): Promise<void> => {
    await ada.waitEvent('check-judged', of(cara, { outcome: 'wrong' }), WITHIN.check);
    say('found');
    await ada.waitEvent('contract-state', of(cara, { to: 'GRACE' }), WITHIN.check);
    say('in GRACE');
    await ada.waitEvent('check-judged', of(emil, { outcome: 'held' }), WITHIN.repair);
    say('replaced');
  };
  await Promise.all([replaced(), settleBesideBen(fay)]);
});

test('a storer that is gone for good is replaced by a node that nobody added, heard of from a friend', async (context) => {
  const startMs = performance.now();
  await ada.waitEvent('contract-state', of(dora, { to: 'GRACE' }), WITHIN.patience);
  await ada.waitEvent('check-judged', of(fay, { outcome: 'held' }), WITHIN.repair);
  context.diagnostic(`after ${Math.round((performance.now() - startMs) / 1000)} s more`);
  await assertIntroduced(fay, 'ACTIVE');
  const [called, agreed, held] = await Promise.all([
    fay.waitEvent('peer-connected', of(ada)),
    fay.waitEvent('contract-active', of(ada)),
    fay.waitEvent('revision-held', of(ada)),
  ]);
  assert.ok(called.atMs <= agreed.atMs && agreed.atMs <= held.atMs, 'fay took bytes before she had called back');
  await ada.data(['status', '--wait', 'protected', '--timeout', '180s']);
  assert.deepEqual((await provedBy()).toSorted(), [ben, emil, fay].map(({ onionId }) => onionId).toSorted());
});

test('the disk of the owner dies: with nothing but the words its storers call in, and every bit is back', async (context) => {
  const wanted = await readTree(source);
  await loseDisk(ada);
  const startMs = performance.now();
  await recoverAll(ada, wanted, 'papers', ['--timeout', '170s']);
  context.diagnostic(`recovered in ${Math.round((performance.now() - startMs) / 1000)} s`);
  const from = [];
  for (const node of [ben, emil, fay]) if ((await transferWith(ada, node)).recovered_bytes > 0) from.push(node.name);
  assert.ok(from.length > 0, 'nobody gave anything back');
  await ada.data(['status', '--wait', 'protected', '--timeout', '180s']);
  const status = await ada.data(['status']);
  assert.equal(status['mode'], 'normal');
  assert.equal(status['min_replicas'], COPIES);
  assert.ok(!(await provedBy()).includes(cara.onionId));
});
