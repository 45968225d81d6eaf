// Two friends on a private Tor network on a bad day: daemons and tors die in mid-work, a promise is used up. Each test goes on
// where the last one ended, and nothing is asked of a person but `bb unlock`. What they leave is searched for canaries.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { plantCanaries } from './harness/canaries.ts';
import { staysProtected } from './harness/friends.ts';
import { killedRecovery, killedTransfer } from './harness/kills.ts';
import { moments, noise } from './harness/moments.ts';
import { edit, keeper, pairOf, requireOneOf, setAll } from './harness/pair.ts';
import type { Pair } from './harness/pair.ts';
import { signal, torOf } from './harness/processes.ts';
import { World } from './harness/world.ts';

const TIME_DIVISOR = 300;
const SEED = 1717;
const MIB = 1024 * 1024;
const EDIT_BYTES = 3 * MIB;
const PROMISED = '48MiB';
const TOO_MUCH_BYTES = 50 * MIB;
/** About as long as these take; the scorecard measures them and kills at 20 moments of each. */
const PUBLISH_MS = 2000;
const RECOVERY_MS = 5000;
const restarts = { slowestMs: 0, count: 0 };

let world: World;
let pair: Pair;

before(async () => {
  world = await World.create({ timeDivisor: TIME_DIVISOR });
  const canaries = plantCanaries(world, SEED);
  const [owner, storer] = await Promise.all(
    canaries.names.map((calledName, at) =>
      keeper(world, world.node(`node-${at}`, undefined, { calledName }), SEED, EDIT_BYTES),
    ),
  );
  assert.ok(owner !== undefined && storer !== undefined);
  for (const { source } of [owner, storer])
    writeFileSync(join(source, canaries.fileName), canaries.content.repeat(500));
  await Promise.all([owner, storer].map(setAll));
  pair = await pairOf(owner, storer, PROMISED);
});

after(() => world.close());

function seeded(what: string): number {
  return moments(SEED, what, 1)[0] ?? assert.fail();
}

test('the owner is killed while its newest revision is published: the storer gets it all the same', async () => {
  await killedTransfer(pair, pair.owner, restarts).killed([PUBLISH_MS * seeded('publish')]);
  assert.equal(restarts.count, 1);
});

test('the tor of an owner is killed while a storer pulls: both are back by themselves, and the pull ends', async () => {
  const { owner, storer } = pair;
  await Promise.all([owner, storer].map(({ node }) => node.follow()));
  const old = torOf(owner.node.dataDir);
  assert.ok(old !== undefined);
  edit(owner);
  await setAll(owner);
  await storer.node.waitEvent('offer-received');
  owner.node.events.forget();
  signal(old.pid, 'SIGKILL');
  await owner.node.waitEvent('tor-state', ({ attributes }) => attributes['phase'] === 'ready');
  await owner.node.waitEvent('self-reached'); // by its own address, from the outside
  assert.notEqual(torOf(owner.node.dataDir)?.pid, old.pid);
  await staysProtected(owner.node);
});

test('more than was promised: both sides say so, nothing of it is kept, and less is taken again', async () => {
  const { owner, storer } = pair;
  const before = (await storer.node.data(['status']))['held_bytes'];
  storer.node.events.forget();
  const large = join(world.root, 'too-much');
  writeFileSync(large, noise(SEED, 'too much', TOO_MUCH_BYTES));
  await owner.node.data(['setfile', large, '--as', 'too-much']);
  await storer.node.waitEvent('offer-received', ({ attributes }) => attributes['outcome'] === 'QUOTA');
  const { error } = await owner.node.bb(['status', '--check'], { exit: 4 });
  assert.match(error?.message ?? '', new RegExp(`${storer.node.name} does not take the newest revision`));
  const { reasons, replicas } = (await owner.node.data(['status'])) as {
    reasons: { code: string }[];
    replicas: { state: string }[];
  };
  assert.deepEqual([reasons[0]?.code, replicas[0]?.state], ['PEER_QUOTA', 'refused']);
  const shown = await storer.node.run(['contracts', 'show', owner.node.name]);
  assert.match(shown.stdout.toString('utf8'), /its newest revision was refused: more than we promised/);
  assert.equal((await storer.node.data(['status']))['held_bytes'], before);

  await owner.node.data(['rmfile', 'too-much', '-y']);
  await staysProtected(owner.node);
  await requireOneOf(owner, owner.kept);
});

test('the only holder is killed while it gives everything back: the recovery goes on', async () => {
  await killedRecovery(pair, pair.storer, restarts).killed([RECOVERY_MS * seeded('recover')]);
  assert.equal(restarts.count, 2);
});
