// What format 1 wrote is read for ever: two data directories of that day, opened by the code of today. Each test works on
// copies; an upgrade happens to a copy like to the disk of a user.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Keyring } from '../../src/core/crypto/keyring.ts';
import { deriveMaster } from '../../src/work/derive/derive-master.ts';
import { withDirectory } from '../fixtures/directory.ts';
import { copyOf, difference, manifest, NODES } from '../fixtures/v1.ts';
import type { NodeName } from '../fixtures/v1.ts';
import { openBlob } from '../vectors/restore-by-hand.ts';
import { check, DaemonWorld } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';
import { tempDir } from './storage-fixture.ts';

const masterOf = (name: NodeName): Buffer => Buffer.from(manifest[name].master, 'hex');
const isFile = (facts: string): boolean => facts.startsWith('1 ');

/** A daemon of this name, locked, on a copy of its old directory or on an empty one. */
async function daemonOf(world: DaemonWorld, name: NodeName, on: 'its copy' | 'an empty disk'): Promise<DaemonNode> {
  if (on === 'its copy') await copyOf(name, join(world.dir, name));
  const node = await world.add(name);
  node.deriveMaster = () => Promise.resolve(masterOf(name));
  node.words = manifest[name].words;
  return node;
}

async function requireOldFiles(owner: DaemonNode): Promise<void> {
  assert.deepEqual(Object.fromEntries(await owner.listing()), manifest.files);
  for (const [name, facts] of Object.entries(manifest.files).filter(([, line]) => isFile(line))) {
    const hash = createHash('sha256');
    for await (const item of owner.api.readFiles(Buffer.from(name, 'latin1'))) {
      if (item.kind === 'data') hash.update(item.bytes);
    }
    assert.equal(hash.digest('hex'), facts.split(' ').at(-1), name);
  }
}

test('the words still give the same keys, and so the same node', async () => {
  const { words, master, onionId } = manifest.owner;
  const derived = await deriveMaster(Buffer.from(words), 'phrase', '');
  assert.equal(derived.toString('hex'), master);
  assert.equal(new Keyring(derived).onionId, onionId);
});

for (const catalog of ['state.db', 'state.bak']) {
  test(`both directories open by ${catalog}, and say what they said`, async (context) => {
    for (const name of NODES) {
      const dir = tempDir(context);
      await copyOf(name, dir);
      fs.renameSync(join(dir, catalog), join(dir, 'state.db'));
      await withDirectory(dir, masterOf(name), async ({ records, newest }) => {
        assert.equal(difference(manifest[name].newest, newest), undefined);
        for (const old of manifest[name].records) {
          const now = records.find(({ id }) => id === old.id);
          assert.equal(difference(old, now), undefined, `${name} ${old.kind} ${old.id}`);
        }
        assert.equal(records.length, manifest[name].records.length);
      });
      const upgraded = formatOf(join(dir, 'state.db')) > 1;
      assert.equal(
        fs.existsSync(join(dir, 'state.db.format-1')),
        upgraded,
        'an upgrade keeps a copy, nothing else does',
      );
    }
  });
}

test('both go on where they were: files, proofs, remaining seconds, a new revision', async (context) => {
  const world = await DaemonWorld.open(context);
  const [owner, friend] = [await daemonOf(world, 'owner', 'its copy'), await daemonOf(world, 'friend', 'its copy')];
  await Promise.all([owner.unlock(), friend.unlock()]);
  assert.deepEqual([owner.id, friend.id], [manifest.owner.onionId, manifest.friend.onionId]);
  await requireOldFiles(owner);
  assert.equal((await friend.read('docs/note')).toString(), 'the second note of a friend');
  for (const node of [owner, friend]) {
    const [contract, ...others] = await node.api.contracts('');
    assert.deepEqual([contract?.state, others], ['ACTIVE', []]);
    assert.ok((contract?.theirRemainingSeconds ?? 0) >= 30 * 86_400, 'nothing was lost of what was earned');
  }
  assert.deepEqual([await check(owner, friend), await check(friend, owner)], ['held', 'held']);
  assert.ok(owner.session.registry.heldOf(friend.id).some(({ value }) => value.role === 'kept'));
  await owner.setFiles({ new: 'of today' });
  await world.until('the new revision is proved', () => owner.isProvedAt(friend));
});

test('from the words and the copy of the friend alone everything comes back', async (context) => {
  const world = await DaemonWorld.open(context);
  const friend = await daemonOf(world, 'friend', 'its copy');
  await friend.unlock();
  const owner = await daemonOf(world, 'owner', 'an empty disk');
  await owner.init('recover');
  await owner.hears('recovery-complete');
  await requireOldFiles(owner);
  const [contract] = await owner.api.contracts('');
  assert.deepEqual([contract?.state, contract?.peer], ['ACTIVE', friend.id]);
  const { minReplicas, storageLimitBytes } = owner.session.settings;
  assert.deepEqual([minReplicas, storageLimitBytes], [1, 1024 ** 3]);
});

test('and without this program: the second implementation reads the blob that the friend keeps', async (context) => {
  const dir = tempDir(context);
  await copyOf('friend', dir);
  const blob = await withDirectory(dir, masterOf('friend'), ({ blobOf }) => blobOf(manifest.owner.onionId));
  const files = openBlob(masterOf('owner'), new Keyring(masterOf('friend')).pubkey, blob);
  const found = [...files].map(([name, bytes]) => [Buffer.from(name, 'hex').toString('latin1'), sha256(bytes)]);
  const wanted = Object.entries(manifest.files).filter(([, facts]) => isFile(facts));
  assert.deepEqual(
    new Map(found as [string, string][]),
    new Map(wanted.map(([name, facts]) => [name, facts.split(' ').at(-1)])),
  );
});

/** What a later program would write where this one must not go on. */
const LATER = {
  'the header': (dir: string) => {
    for (const name of ['header.json', 'header.bak']) {
      const { checksum: _old, ...fields } = JSON.parse(fs.readFileSync(join(dir, name), 'utf8'));
      const later = { ...fields, format: 99 };
      const checksum = sha256(Buffer.from(JSON.stringify(later)));
      fs.writeFileSync(join(dir, name), JSON.stringify({ ...later, checksum }));
    }
  },
  'the catalog': (dir: string) => changeCatalog(dir, 'PRAGMA user_version = 99'),
} as const;

for (const [what, raise] of Object.entries(LATER)) {
  test(`a later format of ${what} is refused, and no byte is changed`, async (context) => {
    const world = await DaemonWorld.open(context);
    const dir = join(world.dir, 'owner');
    await copyOf('owner', dir);
    raise(dir);
    const before = hashesOf(dir);
    await assert.rejects(
      withDirectory(dir, masterOf('owner'), () => assert.fail('it opened')),
      { code: 'INCOMPATIBLE' },
    );
    await assert.rejects(world.add('owner'), { code: 'INCOMPATIBLE' });
    const after = hashesOf(dir);
    assert.deepEqual(
      [...before].filter(([name, hash]) => after.get(name) !== hash),
      [],
    );
  });
}

function changeCatalog(dir: string, statement: string): void {
  const database = new DatabaseSync(join(dir, 'state.db'));
  database.exec(statement);
  database.close();
}

function formatOf(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true });
  const format = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  database.close();
  return format;
}

function hashesOf(dir: string): Map<string, string> {
  const files = fs.readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [path.slice(dir.length), sha256(fs.readFileSync(path))]));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
