// Damage of our own cells: healed from any storer that holds them, heads made anew; what nobody has is named, and set
// again it is whole. Wrong bytes are never handed out and no peer is blamed.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { blobCellCount } from '../../src/core/challenge/plan.ts';
import { BbError, isBbError } from '../../src/core/errors.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';
import { pullTarget } from '../../src/daemon/held.ts';
import type { CellPosition } from '../../src/ports/cell-store.ts';
import { agree, check, damageCell, DaemonWorld, lieTo, losePacks, noiseOf } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';
import { findingOf, findings } from './doctor-fixture.ts';

const BIG = noiseOf('big', 1_500_000);
const FILES = { big: BIG, small: 'small', 'deep/other': noiseOf('other', 300_000) };

/** An owner whose content these storers have proved. */
async function proved(context: TestContext, ...names: string[]) {
  const [owner, ...storers] = await DaemonWorld.ready(context, 'owner', ...names);
  assert(owner);
  await owner.api.setStorage(0, storers.length);
  for (const storer of storers) await agree(owner, storer);
  await owner.setFiles(FILES);
  const isProved = () => storers.every((storer) => owner.isProvedAt(storer));
  await owner.world.until('proved', () => isProved() && owner.session.newest?.row.fileCount !== 0);
  return { owner, storers, world: owner.world };
}

async function positionOf(node: DaemonNode, cell: number): Promise<CellPosition> {
  const row = node.session.newest?.row ?? assert.fail('no content');
  const [position] = await node.session.deps.catalog.cellPositions(row.contentId, cell, 1);
  return position ?? assert.fail('no such cell');
}

/** The cell numbers of the newest blob: both heads, the first index cell, a data cell in the middle. */
function cellsOf(node: DaemonNode) {
  const row = node.session.newest?.row ?? assert.fail('no content');
  const data = row.headCells + row.indexCells + Math.floor(row.dataCells / 2);
  return { heads: [0, blobCellCount(row) - 1], index: row.headCells, data };
}

async function isWhole(owner: DaemonNode): Promise<void> {
  assert((await owner.read('docs/big')).equals(BIG));
  assert.equal((await owner.read('docs/small')).toString(), 'small');
  assert((await owner.read('docs/deep/other')).equals(FILES['deep/other']));
}

test('flipped own cells and heads are healed by the check or the reading that meets them', async (context) => {
  const { owner, storers, world } = await proved(context, 'storer');
  const [storer] = storers;
  assert(storer);
  const before = await positionOf(owner, cellsOf(owner).data);
  damageCell(owner, 'own', before);
  assert.equal(await check(owner, storer), 'held');
  assert.equal(owner.said('own-cells-healed', { cells: '1' }).length, 1);
  assert.notDeepEqual(await positionOf(owner, cellsOf(owner).data), before);
  // One that nobody asks for is found by the background reading.
  const mark = owner.events.length;
  damageCell(owner, 'own', await positionOf(owner, cellsOf(owner).data + 1));
  await owner.hears('own-cells-healed', {}, mark);
  // It is durable, and whoever healed it is needed no more, nor is anybody for the heads.
  world.cut(owner, storer);
  for (const cell of cellsOf(owner).heads) damageCell(owner, 'own', await positionOf(owner, cell));
  await owner.restart();
  await isWhole(owner);
  await owner.session.tasks.heal(owner.session, owner.id, new AbortController().signal);
  assert.equal(owner.said('own-heads-healed').length, 1);
  world.mend(owner, storer);
  await world.until('in touch', () => owner.session.reach.isReachable(storer.id));
  assert.equal(await check(owner, storer), 'held');
});

test('a flipped index cell does not keep a file from being set', async (context) => {
  const { owner } = await proved(context, 'storer');
  damageCell(owner, 'own', await positionOf(owner, cellsOf(owner).index));
  await owner.restart(); // nothing is in memory
  await owner.world.until('in touch', () => owner.session.reach.anyReachable());
  await owner.setFiles({ ...FILES, new: 'new' });
  assert.equal((await owner.read('docs/new')).toString(), 'new');
  await isWhole(owner);
});

test('a lost own pack comes back from two storers, of which one lies', async (context) => {
  const { owner, storers, world } = await proved(context, 'liar', 'honest');
  const [liar, honest] = storers;
  assert(liar && honest);
  world.cut(owner, honest); // the liar is asked first
  await owner.kill();
  losePacks(owner, 'own');
  lieTo(owner, liar);
  await owner.start();
  await owner.unlock();
  await owner.hears('peer-fault', { peer: liar.id, fault: 'wrong cell' });
  assert.equal(owner.said('own-cells-healed').length, 0);
  await assert.rejects(owner.read('docs/big'), { code: 'INTEGRITY' });
  world.mend(owner, honest);
  await owner.hears('own-cells-healed');
  await world.until('all is back', async () => (await lostReasons(owner)).length === 0);
  await isWhole(owner);
  owner.changes.clear();
  for (const storer of storers) await world.until('in touch', () => owner.session.reach.isReachable(storer.id));
  for (const storer of storers) assert.equal(await check(owner, storer), 'held');
  assert.equal(owner.said('check-judged', { outcome: 'wrong' }).length, 0);
});

test('a chunk that the catalog cannot find is found in the cells, whoever needs it first', async (context) => {
  const { owner } = await proved(context, 'storer');
  for (const first of ['a read', 'a set'] as const) {
    await owner.kill();
    const database = new DatabaseSync(join(owner.dir, 'state.db'));
    database.exec('DELETE FROM chunk');
    database.close();
    await owner.start();
    await owner.unlock();
    if (first === 'a set') await owner.setFiles({ ...FILES, new: 'new' });
    else await placedAfterRead(owner);
    await isWhole(owner);
  }
  assert(owner.said('own-chunks-placed').length >= 2);
});

test('doctor says that the catalog does not know where files lie, and puts it right', async (context) => {
  const { owner } = await proved(context, 'storer');
  assert.match(await findingOf(owner, 'chunks'), /^ok/);
  await owner.kill();
  const database = new DatabaseSync(join(owner.dir, 'state.db'));
  database.exec('DELETE FROM chunk');
  database.close();
  await owner.start();
  assert.equal((await findings(owner)).filter(({ check: what }) => what === 'chunks').length, 0, 'locked');
  await owner.unlock();
  assert.match(await findingOf(owner, 'chunks'), /^damaged: .*does not know/);
  const mark = owner.events.length;
  assert.match(await findingOf(owner, 'chunks', { fix: true }), /^fixed/);
  await owner.hears('own-chunks-placed', {}, mark);
  assert.match(await findingOf(owner, 'chunks'), /^ok/);
  await isWhole(owner);
});

test('cells are lost only when every storer that has a copy was asked', async (context) => {
  const { owner, storers, world } = await proved(context, 'liar');
  const [liar] = storers;
  assert(liar);
  lieTo(owner, liar);
  damageCell(owner, 'own', await positionOf(owner, cellsOf(owner).data));
  await owner.restart();
  await owner.hears('peer-fault', { peer: liar.id, fault: 'wrong cell' });
  const isSaid = (reason: string) =>
    /^bb setfile PATH: 1 of your files .* no peer in reach gives them back/.test(reason);
  await world.until('it is called lost', async () => (await lostReasons(owner)).some(isSaid));
  // Who gave nothing back is not asked for it again every ten minutes.
  const healing = `heal:${owner.id}`;
  await world.until('the healing ended', () => !owner.session.scheduler.isPlanned(healing));
  await owner.session.tasks.tick(owner.session, owner.id, new AbortController().signal);
  assert.equal(owner.session.scheduler.isPlanned(healing), false);
});

test('what nobody has is named, other files are fine, and setting the source again heals it', async (context) => {
  const { owner, storers, world } = await proved(context, 'storer');
  const [storer] = storers;
  assert(storer);
  world.cut(owner, storer);
  await owner.hears('peer-disconnected');
  damageCell(owner, 'own', await positionOf(owner, cellsOf(owner).data));
  await owner.restart();
  await assert.rejects(owner.read('docs/big'), { code: 'INTEGRITY' });
  await owner.hears('own-cells-lost', { cells: '1', files: '1' });
  const [reason] = await lostReasons(owner);
  assert.match(reason ?? '', /^bb status: 1 of your files are .* being fetched from the peers .* "docs\/big"/);
  assert.equal((await owner.read('docs/small')).toString(), 'small');
  assert((await owner.read('docs/deep/other')).equals(FILES['deep/other']));
  // The same files once more: only what was lost is stored anew.
  const { unchanged } = await owner.setFiles(FILES);
  assert.equal(unchanged, false);
  await isWhole(owner);
  await world.until('nothing is named any more', async () => (await lostReasons(owner)).length === 0);
  world.mend(owner, storer);
  await world.until('proved again', () => owner.isProvedAt(storer));
});

test('a damaged own cell is never served, and a new storer gets it as soon as it is healed', async (context) => {
  const { owner, world } = await proved(context, 'storer');
  const second = await world.add('second');
  await second.init('generated');
  const pause = second.pauseAt('createHeldList', 1);
  await agree(owner, second);
  await pause.reached;
  const { data } = cellsOf(owner);
  damageCell(owner, 'own', await positionOf(owner, data));
  owner.changes.set('download', () => {
    throw new BbError('PEER_UNREACHABLE', 'nothing comes');
  });
  // What was read ahead of it and not sent does not count as served, so nobody is refused for our damage.
  for (let time = 0; time < 4; time += 1) assert.match(await pull(second, owner, data, 2), /INTERNAL/);
  owner.changes.clear();
  pause.go();
  await owner.hears('own-cells-healed');
  await world.until('the new storer proved it', () => owner.isProvedAt(second));
  assert.equal(second.said('pull-failed', { reason: 'BAD_PEER_DATA' }).length, 0);
});

/** What a storer is told when it asks for cells of an open upload. */
async function pull(storer: DaemonNode, owner: DaemonNode, from: number, cells: number): Promise<string> {
  // Not simply the newest one: the contract that was just agreed on is sealed into a revision of its own soon.
  const { contentId } = pullTarget(storer.session, owner.id)?.value ?? assert.fail('nothing is pulled');
  const range = { offset: from * CELL_BYTES, length: cells * CELL_BYTES };
  const request = { contentId, ...range, referenceContentId: Buffer.alloc(0), repair: false, leaves: false };
  try {
    for await (const section of storer.session.client.download(owner.id, request, 1)) assert(section.kind !== 'leaves');
  } catch (error) {
    return String(error);
  }
  return 'all of it came';
}

/** A read that has begun says what it met; the next one is right. */
async function placedAfterRead(owner: DaemonNode): Promise<void> {
  const mark = owner.events.length;
  await owner.read('docs/big').catch((error: unknown) => assert(isBbError(error, 'INTEGRITY')));
  await owner.hears('own-chunks-placed', {}, mark);
}

async function lostReasons(node: DaemonNode): Promise<string[]> {
  const { reasons } = await node.api.status();
  return reasons.filter(({ code }) => code === 'OWN_DAMAGE').map(({ message, next }) => `${next}: ${message}`);
}
