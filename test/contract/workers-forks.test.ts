// The content of a fork, given back by a peer, is added to the content of this machine: real tables, cells and packs.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { isBbError } from '../../src/core/errors.ts';
import type { RevisionRow } from '../../src/ports/catalog.ts';
import type { RecoverySession } from '../../src/ports/workers.ts';
import { noise } from './noise.ts';
import { World } from './workers-world.ts';

/** This machine, the other one under the same words, and the peer that holds what the other one made. */
let here: World;
let twin: World;
let storer: World;
let line: RevisionRow;
let fork: RevisionRow;

beforeEach(async () => {
  here = await World.open(7);
  twin = await World.open(7);
  storer = await World.open(8);
  for (const world of [here, twin]) {
    world.write('t/same', noise(3_000_000, 1));
    world.write('t/sub/same', 'same');
    await world.setPath(Buffer.from(`${world.dir}/t`), 't');
  }
  here.write('t/both', noise(300_000, 2));
  here.write('t/mine', 'mine');
  here.write('t/file', 'a file here, a folder there');
  here.write('t/folder/in', 'a folder here, a file there');
  twin.write('t/both', noise(300_000, 3));
  twin.write('t/theirs', noise(2_000_000, 4));
  twin.write('t/file/in', 'in the folder');
  twin.write('t/folder', 'the file');
  line = await here.setPath(Buffer.from(`${here.dir}/t`), 't');
  await twin.setPath(Buffer.from(`${twin.dir}/t`), 't');
  fork = await twin.commitChange({ kind: 'remove', name: Buffer.from('t/nothing') });
});

afterEach(async () => {
  assert.deepEqual([here.crashes, twin.crashes], [[], []]);
  for (const world of [here, twin, storer]) await world.close();
});

async function start(): Promise<RecoverySession> {
  const packed = await twin.catalog.cellIds(fork.contentId, fork.headCells, fork.indexCells);
  const ids = Array.from({ length: fork.indexCells }, (_, at) => packed.subarray(32 * at, 32 * (at + 1)));
  return here.workers.startRecovery(fork, ids);
}

/** Gives what is wanted, but for the last so many cells; returns how many were given. */
async function give(session: RecoverySession, lost = 0): Promise<number> {
  let given = 0;
  for (;;) {
    const { indexDone } = await session.counts();
    const wanted = await session.wanted(10_000);
    const now = indexDone ? wanted.slice(0, Math.max(0, wanted.length - lost)) : wanted;
    if (now.length === 0) return given;
    for (const cell of now) {
      const bytes = await twin.workers.sealCell(storer.keyring.onionId, fork.contentId, cell);
      assert.equal(await session.offer(storer.keyring.onionId, cell, bytes ?? Buffer.alloc(0)), true);
      given += 1;
    }
    if (indexDone) return given;
  }
}

async function textsOf(row: RevisionRow): Promise<Record<string, string | Buffer>> {
  const texts: Record<string, string | Buffer> = {};
  for (const [name, { bytes }] of await here.readAll(row)) {
    texts[name] = bytes.length < 100 ? bytes.toString() : bytes;
  }
  return texts;
}

const mergedTexts = (sequence: number): Record<string, string | Buffer> => ({
  t: '',
  't/both': noise(300_000, 2),
  [`t/both.recovered-${sequence}`]: noise(300_000, 3),
  't/file': 'a file here, a folder there',
  [`t/file.recovered-${sequence}`]: '',
  [`t/file.recovered-${sequence}/in`]: 'in the folder',
  't/folder': '',
  't/folder/in': 'a folder here, a file there',
  [`t/folder.recovered-${sequence}`]: 'the file',
  't/mine': 'mine',
  't/same': noise(3_000_000, 1),
  't/sub': '',
  't/sub/same': 'same',
  't/theirs': noise(2_000_000, 4),
});

test('files of both are kept, bytes that are here already are not asked for, and a restart goes on', async () => {
  const session = await start();
  const given = await give(session, 4);
  const { total } = await session.counts();
  await session.save();
  await here.kill();
  const again = await start();
  const rest = await give(again);
  assert.equal(rest, 4);
  assert.ok(given + rest <= total - 15, `${given + rest} of ${total} cells were given`);
  const { staged, missingFiles } = await again.merge(line);
  assert.deepEqual(missingFiles, []);
  const merged = await here.commit(staged);
  assert.deepEqual(await textsOf(merged), mergedTexts(fork.sequence));

  // The next content is made from it, the two that it came from are forgotten.
  await here.catalog.dropRevision(line.contentId);
  await here.restart();
  assert.deepEqual(await textsOf(merged), mergedTexts(fork.sequence));
  here.write('t/later', 'later');
  const next = await here.setPath(Buffer.from(`${here.dir}/t`), 'again');
  assert.deepEqual((await here.readAll(next, 't')).get('t/theirs')?.bytes, noise(2_000_000, 4));
});

test('merged once more nothing is added', async () => {
  const session = await start();
  await give(session);
  const merged = await here.commit((await session.merge(line)).staged);
  const again = await start();
  assert.ok((await give(again)) <= fork.indexCells, 'bytes came again');
  const { staged } = await again.merge(merged);
  assert.deepEqual(await textsOf(await here.commit(staged)), mergedTexts(fork.sequence));
});

test('a name that is taken, too, is not taken over', async () => {
  here.write(`t/both.recovered-${fork.sequence}`, 'made by hand');
  line = await here.setPath(Buffer.from(`${here.dir}/t`), 't');
  const session = await start();
  await give(session);
  const texts = await textsOf(await here.commit((await session.merge(line)).staged));
  assert.equal(texts[`t/both.recovered-${fork.sequence}`], 'made by hand');
  assert.deepEqual(texts[`t/both.recovered-${fork.sequence}.2`], noise(300_000, 3));
});

test('a file whose cells nobody has is named, and the others come', async () => {
  const session = await start();
  await give(session, 3);
  const { staged, missingFiles } = await session.merge(line);
  assert.ok(missingFiles.length > 0);
  const texts = await textsOf(await here.commit(staged));
  const { [missingFiles[0]?.toString() ?? '']: missing, ...others } = mergedTexts(fork.sequence);
  assert.notEqual(missing, undefined);
  for (const name of missingFiles) assert.equal(texts[name.toString()], undefined);
  for (const name of Object.keys(texts)) assert.deepEqual(texts[name], others[name]);
});

test('before its index is here there is nothing to merge', async () => {
  const session = await start();
  await assert.rejects(session.merge(line), (error) => isBbError(error, 'PARTIAL'));
});
