// One node without a network on a bad day: it is killed while it takes files in, its disk is full, its files and folders
// belong to somebody else, bytes on its disk rot. What was acknowledged comes back bit-exact or with a named error.

import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PACK_HEADER_BYTES, PACK_SLOT_BYTES } from '../../src/core/limits.ts';
import { searchDataDir } from './harness/canaries.ts';
import type { Canaries } from './harness/canaries.ts';
import { killedSetfile } from './harness/kills.ts';
import { moments, noise } from './harness/moments.ts';
import { textNeedles } from './harness/needles.ts';
import type { TestNode } from './harness/node.ts';
import { edit, keeper, requireOneOf, setAll } from './harness/pair.ts';
import type { Keeper } from './harness/pair.ts';
import { canMount, otherUid, programsForAll, smallDisk } from './harness/places.ts';
import { differences, readTree } from './harness/trees.ts';
import type { TreeEntry } from './harness/trees.ts';
import { World } from './harness/world.ts';

const SEED = 20_261;
const MIB = 1024 * 1024;
const EDIT_BYTES = 6 * MIB;
const KILLS = 2;
/** About as long as it takes; the scorecard measures it and kills at 20 moments. */
const SETFILE_MS = 700;
const SMALL_DISK_MIB = 96;
const TOO_MUCH_MIB = 70;

const FILE_NAME = 'canary-name-of-a-file-3f81';
const CONTENT = 'canary-content-of-a-file-93aa0c';
const PASSWORD = 'canary Zug-Ofen 7714 Quitte Mondkalb Riesling';
const ACCOUNT = 'canary-account-55d0';
const CANARIES: Canaries = {
  secret: [...textNeedles('the password', PASSWORD), ...textNeedles('the content', CONTENT)],
  name: textNeedles('the file name', FILE_NAME),
};

let world: World;
let ada: Keeper;
let nora: TestNode;

before(async () => {
  world = await World.create({ timeDivisor: 1, hasTor: false });
  world.plant(CANARIES);
  ada = await keeper(world, world.node('ada'), SEED, EDIT_BYTES);
  writeFileSync(join(ada.source, FILE_NAME), CONTENT.repeat(200));
  await setAll(ada);
});

after(() => world.close());

async function fails(node: TestNode, args: readonly string[], exit: number, code: string, stdin = ''): Promise<string> {
  const { error } = await node.bb(args, { exit, stdin });
  assert.equal(error?.code, code, `bb ${args.join(' ')}: ${error?.message}`);
  assert.notEqual(error?.hint, '');
  return `${error?.message} ${error?.hint}`;
}

test('kill -9 in the middle of setfile: the old files or the new ones, never a mixture', async () => {
  const restarts = { slowestMs: 0, count: 0 };
  for (const fraction of moments(SEED, 'setfile', KILLS)) {
    await killedSetfile(ada, restarts).killed([SETFILE_MS * fraction]);
  }
  assert.equal(restarts.count, KILLS);
});

test('an own password: a wrong one or another account is refused with exit 12, and neither is in a log', async () => {
  const otto = world.node('otto');
  const secret = ['--own-password', '--account', ACCOUNT, '--password-stdin'];
  const { onion_id: id } = await otto.data(['init', '--name', 'otto', ...secret], { stdin: PASSWORD });
  otto.onionId = String(id);
  await otto.data(['lock']);
  await fails(otto, ['unlock', '--password-stdin'], 12, 'WRONG_SECRET', `${PASSWORD}.`);
  await otto.data(['unlock', '--password-stdin'], { stdin: PASSWORD });
  await otto.stop();
  assert.doesNotMatch(otto.logs.join(''), new RegExp(ACCOUNT));
});

test('a log that takes no line, as on a full disk, does not stop the daemon', async () => {
  const bo = world.node('bo');
  await bo.init();
  await bo.stop();
  const log = join(bo.dataDir, 'bbd.log');
  rmSync(log);
  symlinkSync('/dev/full', log);
  try {
    await bo.unlock();
    await bo.data(['setfile', '/etc/hostname', '--as', 'host']);
  } finally {
    rmSync(log); // has no end for who reads it
  }
});

/** Where a disk cannot be made, the full adapter of the contract tests shows the same for one module at a time. */
if (canMount()) {
  test('a full disk: exit 16 and the old files, also after a kill; with space again all goes on', async () => {
    const dir = join(world.root, 'small');
    const free = smallDisk(dir, SMALL_DISK_MIB);
    assert.ok(free !== undefined);
    const small = world.node('small');
    try {
      const ina = await keeper(world, small, SEED, EDIT_BYTES);
      const large = join(world.root, 'too-much');
      writeFileSync(large, noise(SEED, 'too much', TOO_MUCH_MIB * MIB));
      await fails(small, ['setfile', large, '--as', 'too-much'], 16, 'NO_SPACE');
      await requireOneOf(ina, ina.kept);
      await fails(small, ['getfile', 'too-much', join(world.root, 'nothing')], 19, 'NOT_FOUND');

      const filler = join(dir, 'filler');
      fillUp(filler);
      await requireOneOf(ina, ina.kept);
      edit(ina);
      await fails(small, ['setfile', ina.source, '--as', 'papers'], 16, 'NO_SPACE');
      await small.kill9();
      await small.unlock();
      await requireOneOf(ina, ina.kept);

      rmSync(filler);
      await setAll(ina);
      await requireOneOf(ina, ina.kept);
    } finally {
      await small.stop();
      free();
    }
  });
}

/** Until not a byte more fits. */
function fillUp(path: string): void {
  for (const block of [MIB, 4096, 1]) {
    try {
      for (;;) appendFileSync(path, Buffer.alloc(block, 1));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    }
  }
}

test('another user: what it may not read stays as it was read before, and is counted', async () => {
  const special =
    otherUid === undefined ? {} : { uid: otherUid, bb: programsForAll(world.bb, join(world.root, 'all')) };
  nora = world.node('nora', undefined, special);
  await nora.init();
  const source = world.folder('half-closed');
  chmodSync(source, 0o755);
  for (const name of ['folder', 'half-folder']) {
    mkdirSync(join(source, name), { mode: 0o755 });
    writeFileSync(join(source, name, 'below'), `below ${name}`, { mode: 0o644 });
  }
  for (const name of ['closing', 'open']) writeFileSync(join(source, name), `it is ${name}`, { mode: 0o644 });
  writeFileSync(join(source, 'closed'), 'never seen', { mode: 0 });
  const first = await nora.data(['setfile', source, '--as', 'half']);
  assert.equal(first['skipped_files'], 1);

  writeFileSync(join(source, 'open'), 'it is new');
  for (const name of ['folder', 'closing']) chmodSync(join(source, name), 0);
  chmodSync(join(source, 'half-folder'), 0o744); // its names can be listed, and nothing more
  const second = await nora.data(['setfile', source, '--as', 'half']);
  assert.deepEqual([second['skipped_files'], second['removed_files']], [4, 0]);
  const out = join(nora.dataDir, 'out');
  const { error } = await nora.bb(['getfile', 'half', out], { exit: 3 });
  assert.equal(error?.code, 'PARTIAL');
  const found = ['closing', 'folder/below', 'half-folder/below', 'open'].map((path) => join(out, path));
  for (const folder of ['folder', 'half-folder']) chmodSync(join(out, folder), 0o755);
  assert.deepEqual(
    found.map((path) => readFileSync(path, 'utf8')),
    ['it is closing', 'below folder', 'below half-folder', 'it is new'],
  );
  assert.equal(existsSync(join(out, 'closed')), false);
});

test('another user: a data directory that it cannot make, or that is not its own, is refused and not touched', async () => {
  const { words, dataDir } = nora;
  await nora.stop();
  const parent = world.folder('closed-to-all');
  chmodSync(parent, 0o555);
  const elsewhere = ['--data-dir', join(parent, 'node'), 'init', '--generate'];
  assert.match(await fails(nora, elsewhere, 69, 'UNUSABLE_ENVIRONMENT'), /permission/i);
  if (otherUid !== undefined) {
    const before = await readTree(dataDir);
    chownSync(dataDir, 0, 0);
    assert.match(await fails(nora, ['unlock', '--password-stdin'], 69, 'UNUSABLE_ENVIRONMENT', words), /permission/i);
    assert.deepEqual(differences(before, await readTree(dataDir)), []);
    chownSync(dataDir, otherUid, otherUid);
  }
  await nora.unlock();
  assert.equal((await nora.run(['getfile', 'half/open'])).stdout.toString('utf8'), 'it is new');
});

test('bytes that rot in a pack: exit 17, and not one wrong byte; a damaged header is mended from its copies', async () => {
  await ada.node.stop();
  const packs = packsOf(ada.node);
  flipAll(packs);
  await ada.node.unlock();
  const out = join(world.root, 'rotten');
  await fails(ada.node, ['getfile', 'papers', out], 17, 'INTEGRITY');
  const found = existsSync(out) ? await readTree(out) : new Map<string, TreeEntry>();
  for (const [path, entry] of found) {
    if (entry.kind === 'file') assert.equal(entry.content, ada.kept.get(path)?.content, path);
  }
  await ada.node.stop();
  flipAll(packs);
  const header = join(ada.node.dataDir, 'header.json');
  const before = readFileSync(header);
  writeFileSync(header, before.subarray(0, 40));
  await ada.node.unlock();
  await requireOneOf(ada, ada.kept);
  assert.deepEqual(readFileSync(header), before);
});

function packsOf(node: TestNode): string[] {
  const dir = join(node.dataDir, 'own');
  return readdirSync(dir).map((name) => join(dir, name));
}

/** One byte in the last third of every cell; the trailers stay, so that the daemon does not notice before it reads. */
function flipAll(packs: readonly string[]): void {
  for (const path of packs) {
    const bytes = readFileSync(path);
    for (let at = PACK_HEADER_BYTES + 100_000; at < bytes.length; at += PACK_SLOT_BYTES) {
      bytes[at] = (bytes[at] ?? 0) ^ 1;
    }
    writeFileSync(path, bytes);
  }
}

test('a damaged catalog is named with exit 17; bb doctor --fix and bb unlock bring every file back', async () => {
  edit(ada);
  await setAll(ada);
  await ada.node.stop();
  writeFileSync(join(ada.node.dataDir, 'state.db'), noise(SEED, 'rot', 3 * 4096), { flag: 'r+' });
  const text = await fails(ada.node, ['unlock', '--password-stdin'], 17, 'INTEGRITY', ada.node.words);
  assert.match(text, /bb doctor --fix/);
  const fixed = await ada.node.run(['doctor', '--fix']);
  assert.match(fixed.stdout.toString('utf8'), /fixed/);
  await ada.node.unlock();
  await requireOneOf(ada, ada.kept);
});

test('the search for canaries finds each of them, in every form, in any file and in the log', async () => {
  await ada.node.stop();
  assert.deepEqual(searchDataDir(ada.node.dataDir, CANARIES), []);
  const places = ['own/planted', 'state.db-planted', 'tmp/deep/planted'].map((name) => join(ada.node.dataDir, name));
  mkdirSync(join(ada.node.dataDir, 'tmp/deep'), { recursive: true });
  const needles = [...CANARIES.secret, ...CANARIES.name];
  for (const [at, needle] of needles.entries()) {
    const place = places[at % places.length] ?? assert.fail();
    writeFileSync(place, Buffer.concat([noise(SEED, 'hay', 4 * MIB - 5), needle.bytes, Buffer.alloc(3)]));
    const hits = searchDataDir(ada.node.dataDir, CANARIES);
    assert.ok(
      hits.some((hit) => hit.startsWith(needle.what)),
      needle.what,
    );
    rmSync(place);
  }
  const log = join(ada.node.dataDir, 'bbd.log');
  writeFileSync(log, `{"level":30,"msg":"took ${FILE_NAME}"}\n`);
  assert.equal(searchDataDir(ada.node.dataDir, CANARIES).length, 1);
  writeFileSync(log, `{"level":20,"msg":"took ${FILE_NAME}"}\n`);
  assert.equal(searchDataDir(ada.node.dataDir, CANARIES).length, 0, 'a debug line may hold a name');
  writeFileSync(log, `{"level":20,"msg":"took ${PASSWORD}"}\n`);
  assert.equal(searchDataDir(ada.node.dataDir, CANARIES).length, 1);
  rmSync(log);
});
