// The main job between three friends on a private Tor network: contracts, copies that are proved, an edit, a dead disk,
// words; and what must not happen to copies when a person makes a mistake. Each test goes on where the last one ended.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, openSync, readFileSync, writeFileSync, writeSync, closeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { pubkeyFromOnionId } from '../../src/core/ids.ts';
import type { OnionId } from '../../src/core/ids.ts';
import { openBlob } from '../vectors/restore-by-hand.ts';
import {
  agree,
  becomeProtected,
  befriend,
  loseDisk,
  recoverAll,
  staysProtected,
  transferWith,
} from './harness/friends.ts';
import type { EventTest } from './harness/event-log.ts';
import { heldBlob } from './harness/held-blob.ts';
import type { TestNode } from './harness/node.ts';
import { rot } from './harness/rot.ts';
import { readTree } from './harness/trees.ts';
import { World } from './harness/world.ts';

const TIME_DIVISOR = 300;
/** For a node of which nothing may be over before its friends have met it: ten minutes are five. */
const UNHURRIED_DIVISOR = 2;
const DELTA_MAX_BYTES = 1.5 * 1024 * 1024;
const NOISE_BYTES = 3 * 1024 * 1024;
const root = resolve(import.meta.dirname, '../..');

let world: World;
let ada: TestNode;
let ben: TestNode;
let cara: TestNode;
let source: string;
let bensSource: string;

before(async () => {
  world = await World.create({ timeDivisor: TIME_DIVISOR });
  [ada, ben, cara] = [world.node('ada'), world.node('ben'), world.node('cara')];
  source = join(world.root, 'papers');
  cpSync(join(root, 'docs'), source, { recursive: true, preserveTimestamps: true });
  cpSync(join(root, 'src'), join(source, 'src'), { recursive: true, preserveTimestamps: true });
  writeFileSync(join(source, 'noise'), randomBytes(NOISE_BYTES));
  bensSource = world.folder('bens');
  writeFileSync(join(bensSource, 'diary'), randomBytes(400_000));
});

after(() => world.close());

test('three nodes find each other over Tor, by a key exchange that a later quantum computer does not open', async () => {
  await Promise.all([ada, ben, cara].map((node) => node.init()));
  await Promise.all([ada, ben, cara].map((node) => node.follow()));
  await befriend(ada, ben);
  await befriend(ada, cara);
  const { peer } = (await ada.data(['peers', 'show', 'ben'])) as { peer: Record<string, unknown> };
  assert.equal(peer['key_exchange'], 'X25519MLKEM768');
  assert.equal(peer['connected'], true);
  assert.equal((await ada.data(['status']))['time_divisor'], TIME_DIVISOR);
});

test('more than the own budget is refused with exit 16, more than the budget of the peer with exit 15', async () => {
  const own = await ada.bb(['contracts', 'propose', 'ben', '--give', '9TiB', '--get', '9TiB', '-y'], { exit: 16 });
  assert.equal(own.error?.code, 'OVER_BUDGET');
  await ben.data(['storage', 'set', '--limit', '8MiB']);
  const theirs = await ada.bb(['contracts', 'propose', 'ben', '--give', '1GiB', '--get', '1GiB', '-y'], { exit: 15 });
  assert.equal(theirs.error?.code, 'REFUSED_BY_PEER');
  await ben.data(['storage', 'set', '--limit', '20GiB']);
  assert.equal((await ada.bb(['status', '--check'], { exit: 4 })).error?.code, 'NOT_PROTECTED');
});

test('two friends hold and prove everything; one of them is held by ada in turn', async () => {
  await ada.data(['setfile', source, '--as', 'papers']);
  await ben.data(['setfile', bensSource, '--as', 'bens']);
  await agree(ada, ben, '1GiB');
  await agree(ada, cara, '1GiB');
  await becomeProtected(ada, 2);
  await becomeProtected(ben, 1);
  await ada.data(['status', '--check']);
  for (const friend of ['ben', 'cara'])
    assert.equal((await ada.data(['contracts', 'check', friend]))['outcome'], 'held');
});

test('an edit of 1 KiB costs each storer less than 1.5 MiB', async () => {
  const before = await Promise.all([ben, cara].map((friend) => transferWith(ada, friend)));
  const handle = openSync(join(source, 'noise'), 'r+');
  writeSync(handle, randomBytes(1024), 0, 1024, NOISE_BYTES / 2);
  closeSync(handle);
  await ada.data(['setfile', source, '--as', 'papers']);
  await becomeProtected(ada, 2);
  const after = await Promise.all([ben, cara].map((friend) => transferWith(ada, friend)));
  for (const [at, transfer] of after.entries()) {
    const delta = transfer.served_bytes - (before[at]?.served_bytes ?? 0);
    assert.ok(delta > 0 && delta <= DELTA_MAX_BYTES, `${delta} bytes`);
  }
});

test('from what ben holds, the words and the format document alone a file comes back', async (context) => {
  ada.events.forget();
  await ben.stop();
  try {
    await ada.waitEvent('peer-disconnected', ({ attributes }) => attributes['peer'] === ben.onionId);
    const checking = ada.bb(['contracts', 'check', 'ben'], { exit: 14 });
    const blob = await heldBlob(ben, ada);
    const startMs = performance.now();
    const files = openBlob(ada.words, pubkeyFromOnionId(ben.onionId as OnionId), blob);
    context.diagnostic(`restored by hand in ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
    for (const name of ['noise', 'storage-format.md', 'src/main.ts']) {
      const found = files.get(Buffer.from(`papers/${name}`).toString('hex'));
      assert.ok(found !== undefined && Buffer.from(found).equals(readFileSync(join(source, name))), name);
    }
    assert.equal((await checking).error?.code, 'PEER_UNREACHABLE');
  } finally {
    await ben.unlock();
    await ben.follow();
  }
});

test('a dead disk: the words and one address bring files, peers, contracts and settings back, and ben his copy', async () => {
  await loseDisk(ada);
  await recoverAll(ada, await readTree(source), 'papers', ['--from', ben.onionId]);
  const status = await ada.data(['status']);
  assert.equal(status['mode'], 'normal');
  assert.equal(status['min_replicas'], 2);
  const { contracts } = (await ada.data(['contracts', 'list'])) as {
    contracts: { name: string; give_bytes: number }[];
  };
  assert.deepEqual(contracts.map(({ name }) => name).toSorted(), ['ben', 'cara']);
  assert.ok(contracts.every(({ give_bytes: bytes }) => bytes === 1024 ** 3));
  for (const friend of [ben, cara]) assert.ok((await transferWith(ada, friend)).recovered_bytes > 0, friend.name);
  await becomeProtected(ada, 2);
  await ada.waitEvent('revision-held', ({ attributes }) => attributes['peer'] === ben.onionId);
  await staysProtected(ben);
});

test('init --new by mistake finds the holders, overwrites nothing and becomes a recovery', async () => {
  const wanted = await readTree(source);
  const before = (await ada.data(['status']))['revision'] as { sequence: number };
  await loseDisk(ada, '--new', world.configFor(UNHURRIED_DIVISOR));
  const refused = await ada.bb(['setfile', bensSource, '--as', 'mistake'], { exit: 18 });
  assert.equal(refused.error?.code, 'PUBLISH_BLOCKED');
  const { attributes: change } = await ada.waitEvent('mode-changed');
  assert.deepEqual(change, { from: 'blocked', to: 'recovering' }, 'the look ended before a holder was found');
  const early = ada.events.before('mode-changed').map(({ name }) => name);
  assert.ok(!early.includes('revision-offered'), 'something was offered before the mode was known');
  await recoverAll(ada, wanted, 'papers');
  const after = (await ada.data(['status']))['revision'] as { sequence: number };
  assert.ok(after.sequence > before.sequence);
  await becomeProtected(ada, 2);
});

test('bytes that rot on the disk of a storer: a check exits 4, and its copy counts again when all of it came anew', async () => {
  ada.events.forget();
  await ben.stop();
  rot(join(ben.dataDir, 'peers'));
  ben.configure(world.configFor(UNHURRIED_DIVISOR)); // or it would find the rot itself, and report it
  await ben.unlock();
  await ada.waitEvent('peer-connected', ({ attributes }) => attributes['peer'] === ben.onionId);
  const check = await ada.bb(['contracts', 'check', 'ben'], { exit: 4 });
  assert.equal(check.error?.code, 'CHECK_FAILED');
  for (const state of ['GRACE', 'ACTIVE']) await ada.waitEvent('contract-state', contractOfBen(state));
  await staysProtected(ada);
});

function contractOfBen(state: string): EventTest {
  return ({ attributes }) => attributes['peer'] === ben.onionId && attributes['to'] === state;
}
