// Header and catalog, each damaged or lost alone: named by a clear error with the next step, never wrong bytes, and put
// back by `bb doctor --fix` with everything that was acknowledged.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { remainingOf } from '../../src/daemon/remaining.ts';
import { agree, DaemonWorld, noiseOf } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';
import { CATALOG_FILES, findingOf, findings, lose, rewrite } from './doctor-fixture.ts';

const MIB = 1024 ** 2;

type Pair = { readonly owner: DaemonNode; readonly friend: DaemonNode; readonly world: DaemonWorld };

/** Two nodes that hold each other's content; state.bak of the owner is older than its newest file and than what it holds. */
async function pair(context: TestContext): Promise<Pair> {
  const [owner, friend] = await DaemonWorld.ready(context, 'owner', 'friend');
  assert(owner && friend);
  const { world } = owner;
  await Promise.all([owner.api.setStorage(1024 * MIB, 1), friend.api.setStorage(1024 * MIB, 1)]);
  await agree(owner, friend);
  await owner.setFiles({ big: noiseOf('big', MIB), note: 'before the copy' });
  await friend.setFiles({ own: noiseOf('friend', MIB) });
  await bothProved({ owner, friend, world });
  await owner.session.deps.catalog.backup();
  fs.copyFileSync(join(owner.dir, 'state.bak'), join(owner.dir, 'old.bak'));
  await owner.setFiles({ note: 'after the copy', more: noiseOf('more', MIB) });
  await friend.setFiles({ own: noiseOf('friend, later', MIB) });
  await bothProved({ owner, friend, world });
  fs.renameSync(join(owner.dir, 'old.bak'), join(owner.dir, 'state.bak'));
  return { owner, friend, world };
}

function bothProved({ owner, friend, world }: Pair): Promise<void> {
  return world.until('both are proved', () => owner.isProvedAt(friend) && friend.isProvedAt(owner));
}

test('a lost catalog: nothing that was acknowledged is lost', async (context) => {
  const { owner, friend, world } = await pair(context);
  const before = await owner.listing();
  const contract = owner.session.registry.contract(friend.id) ?? assert.fail();
  const remaining = remainingOf(owner.session, contract);
  const newest = owner.session.newest?.row.contentId;
  await owner.kill();
  lose(owner, ...CATALOG_FILES);
  await owner.start();
  assert.equal(owner.daemon.state, 'LOCKED');
  await assert.rejects(owner.api.status(), { code: 'INTEGRITY', message: /state\.db\) is lost/, hint: /doctor --fix/ });
  await assert.rejects(owner.unlock(), { code: 'INTEGRITY' });
  await assert.rejects(owner.init('recover'), { code: 'INTEGRITY' });
  console.log(await findings(owner));
  console.log(await findings(owner, { fix: true }));
  await owner.unlock();
  assert.deepEqual(await owner.listing(), before);
  assert.deepEqual(owner.session.newest?.row.contentId, newest);
  assert.equal((await owner.read('docs/note')).toString(), 'after the copy');
  const after = owner.session.registry.contract(friend.id) ?? assert.fail();
  assert.equal(after.state, 'ACTIVE');
  assert(remainingOf(owner.session, after) >= remaining);
  await bothProved({ owner, friend, world });
  console.log(owner.bytes('pulled', friend), owner.bytes('served', friend), owner.session.node.mode);
  console.log(await findings(owner, { readData: true }));
  void rewrite; void findingOf;
});
