// Header and catalog, each damaged or lost alone: named by a clear error with the next step, never wrong bytes, and put
// back by `bb doctor --fix` with everything that was acknowledged, also when that is cut at any step.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DaemonNode } from './daemon-node.ts';
import { damage } from './daemon-world.ts';
import {
  CATALOG_FILES,
  checkpoint,
  findingOf,
  findings,
  flip,
  flipRow,
  lose,
  patient,
  rewrite,
  rootPageAt,
} from './doctor-fixture.ts';

const [DB, WAL, SHM] = CATALOG_FILES;
const COPY = 'state.bak';

type Damage = { readonly name: string; readonly make: (owner: DaemonNode) => void; readonly says: RegExp };

/** All of the catalog is in state.db, as long after the last change. */
function inOneFile(change: (owner: DaemonNode) => void): (owner: DaemonNode) => void {
  return (owner) => {
    checkpoint(owner);
    lose(owner, WAL, SHM);
    change(owner);
  };
}

/** What is seen without the secret; more ways in catalog-rebuild.test.ts. */
const SEEN_AT_START: readonly Damage[] = [
  { name: 'deleted, its journal left', make: (owner) => lose(owner, DB), says: /state\.db\) is lost/ },
  {
    name: 'cut in the middle',
    make: inOneFile((owner) => rewrite(owner, DB, (bytes) => bytes.subarray(0, bytes.length / 2))),
    says: /cut short/,
  },
  {
    name: 'no database any more',
    make: inOneFile((owner) => rewrite(owner, DB, (bytes) => Buffer.from(bytes).fill(7, 0, 16))),
    says: /^(damaged: the catalog \(state\.db\)|the catalog) is damaged$/,
  },
];

/** What doctor says is to be done about cells and packs. */
async function hints(owner: DaemonNode, options: { fix?: boolean; readData?: boolean } = {}): Promise<string[]> {
  return (await findings(owner, options)).filter(({ state }) => state === 'damaged').map(({ hint }) => hint);
}

/** Calls of an unlock after a rebuild, in their order: the daemon is killed before each. */
const STEPS = ['adoptHeldCells', 'startRecovery', 'commitRevision', 'endRebuild'] as const;

test('a damaged or lost catalog', async (context) => {
  const { owner, friend, world, reset, isWhole } = await patient(context);

  for (const { name, make, says } of SEEN_AT_START) {
    await context.test(name, async () => {
      await reset();
      make(owner);
      await owner.start();
      assert.equal(owner.daemon.state, 'LOCKED');
      for (const call of [() => owner.api.status(), () => owner.unlock(), () => owner.init('recover')]) {
        await assert.rejects(call, { code: 'INTEGRITY', message: says, hint: /bb doctor --fix/ });
      }
      assert.match(await findingOf(owner, 'catalog'), says);
      assert.match(await findingOf(owner, 'catalog', { fix: true }), /^fixed: .*state\.bak/);
      await owner.unlock();
      await isWhole();
      assert.deepEqual(new Set((await findings(owner, { readData: true })).map(({ state }) => state)), new Set(['ok']));
    });
  }

  await context.test('a flipped byte in a sealed row is met at unlock', async () => {
    await reset();
    inOneFile(() => flipRow(owner, DB, 'contract'))(owner);
    await owner.start();
    await assert.rejects(owner.unlock(), {
      code: 'INTEGRITY',
      message: /sealed row \(contract\)/,
      hint: /doctor --fix/,
    });
    assert.match(await findingOf(owner, 'catalog', { fix: true }), /^fixed: .*sealed row/);
    await owner.unlock();
    await isWhole();
  });

  await context.test('a flipped byte in a page is found by doctor on the running node', async () => {
    await reset();
    inOneFile(() => {
      const at = rootPageAt(owner, 'leaf_page');
      rewrite(owner, DB, (bytes) => flip(bytes, at));
    })(owner);
    await owner.start();
    await owner.unlock();
    await assert.rejects(
      owner.session.deps.catalog.backup(),
      { code: 'INTEGRITY' },
      'a damaged catalog became the copy',
    );
    assert.match(await findingOf(owner, 'catalog'), /^damaged: /);
    assert.match(await findingOf(owner, 'catalog', { fix: true }), /^fixed: /);
    assert.equal(owner.daemon.state, 'LOCKED');
    await owner.unlock();
    await isWhole();
  });

  await context.test('a journal that is lost leaves an old catalog, and unlock finds the rest', async () => {
    await reset();
    lose(owner, WAL, SHM);
    await owner.start();
    await owner.unlock();
    await isWhole();
  });

  await context.test('a journal that is damaged is damage of the catalog', async () => {
    await reset();
    rewrite(owner, WAL, (bytes) => flip(bytes, 100));
    await owner.start();
    await assert.rejects(owner.api.status(), { code: 'INTEGRITY', message: /journal of the catalog/ });
    assert.match(await findingOf(owner, 'catalog', { fix: true }), /^fixed: .*journal.*state\.bak/);
    await owner.unlock();
    await isWhole();
  });

  await context.test('a copy whose rows do not open is tried once', async () => {
    await reset();
    flipRow(owner, COPY, 'node');
    lose(owner, ...CATALOG_FILES);
    await owner.start();
    assert.match(await findingOf(owner, 'catalog', { fix: true }), /^fixed: .*state\.bak/);
    await assert.rejects(owner.unlock(), { code: 'INTEGRITY' });
    assert.match(await findingOf(owner, 'catalog', { fix: true }), /^fixed: .*no good copy/);
    await owner.unlock();
    await isWhole();
    assert(fs.existsSync(join(owner.dir, 'state.db.damaged-1-bak')), 'the copy was thrown away');
  });

  await context.test('a missing or damaged copy alone is made again', async () => {
    for (const make of [() => lose(owner, COPY), () => rewrite(owner, COPY, (bytes) => flip(bytes, 3))]) {
      await reset();
      make();
      await owner.start();
      assert.match(await findingOf(owner, 'copy'), /^warning: .*(missing|damaged)/);
      assert.match(await findingOf(owner, 'copy', { fix: true }), /^fixed: /);
      assert.match(await findingOf(owner, 'copy'), /^ok: /);
    }
  });

  await context.test('cut at any step, the same again completes it', async () => {
    await reset();
    fs.writeFileSync(join(owner.dir, 'state.db.new'), 'half of a copy');
    fs.renameSync(join(owner.dir, DB), join(owner.dir, 'state.db.damaged-1'));
    await owner.start();
    assert.match(await findingOf(owner, 'catalog', { fix: true }), /^fixed: /);
    for (const step of STEPS) {
      const { reached } = owner.pauseAt(step, 1);
      void owner.unlock().catch(() => undefined);
      await reached;
      await owner.kill();
      owner.hooks.clear();
      await owner.start();
      assert.equal(owner.daemon.damage, undefined);
    }
    await owner.unlock();
    await isWhole();
    assert.match(await findingOf(owner, 'catalog'), /^ok: /);
  });

  await context.test('what is held for a friend is there again without being sent again', async () => {
    await reset();
    lose(owner, ...CATALOG_FILES);
    await owner.start();
    await findings(owner, { fix: true });
    world.mend(owner, friend);
    await owner.unlock();
    const newest = friend.session.newest?.row.contentId;
    await world.until('it is held', () => owner.holdsFor(friend)?.contentId.equals(newest ?? Buffer.alloc(0)) === true);
    assert.equal(owner.bytes('pulled', friend), 0);
    await isWhole();
    await world.until('protected', async () => (await owner.api.status()).verdict === 'PROTECTED');
    assert.equal(owner.bytes('served', friend), 0);
    world.cut(owner, friend);
  });

  await context.test('lost and rotten cells are counted, and healed from the friend', async () => {
    await reset();
    world.mend(owner, friend);
    lose(owner, 'own/pack-0');
    await owner.start();
    assert.match(await findingOf(owner, 'packs'), /^damaged: own\/pack-0 is missing; it holds \d+ cells of your own/);
    assert.deepEqual(await hints(owner), ['bb unlock']);
    await assert.rejects(findings(owner, { readData: true }), { code: 'LOCKED' });
    await owner.unlock();
    const isHealed = async () => {
      const found = await findings(owner, { fix: true, readData: true });
      return found.every(({ check, state }) => state === 'ok' || check === 'packs');
    };
    await world.until('it is healed', isHealed);
    await isWhole();
    world.cut(owner, friend);
    damage(owner, 'peers');
    assert.match(await findingOf(owner, 'held-cells', { readData: true }), /^damaged: (\d+) of \1 cells of peers/);
    assert.deepEqual(await hints(owner, { readData: true }), ['bb doctor --read-data --fix']);
    assert.deepEqual(await hints(owner, { readData: true, fix: true }), ['bb status']);
  });

  await context.test('without any copy the packs give the content back and peers the rest', async () => {
    await reset();
    lose(owner, ...CATALOG_FILES, COPY);
    await owner.start();
    assert.match(await findingOf(owner, 'catalog', { fix: true }), /^fixed: .*no good copy/);
    await owner.unlock();
    await isWhole();
    assert.equal(owner.session.node.mode, 'recovering');
    await assert.rejects(owner.setFiles({ note: 'too early' }), { code: 'PUBLISH_BLOCKED' });
    owner.source({ note: 'after the copy' });
    world.mend(owner, friend);
    await world.until('protected', async () => (await owner.api.status()).verdict === 'PROTECTED');
    assert.equal(owner.bytes('recovered', friend), 0, 'cells that are here came again');
  });
});
