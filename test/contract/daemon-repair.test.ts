// A storer that lost cells confesses it and fetches them again within the allowance; one that lost more is in GRACE until
// its whole copy is proved again. Nobody can live from fetching back what it threw away.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { CELL_BYTES } from '../../src/core/limits.ts';
import type { DownloadRequest } from '../../src/ports/peer-client.ts';
import { agree, check, damageCell, DaemonWorld, losePacks, noiseOf } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';

const NONE = Buffer.alloc(0);
const BIG = noiseOf('big', 1_500_000);

/** An owner whose content a storer has proved. */
async function proved(context: TestContext) {
  const [owner, storer] = await DaemonWorld.ready(context, 'owner', 'storer');
  assert(owner && storer);
  await owner.api.setStorage(0, 1);
  await agree(owner, storer);
  await owner.setFiles({ big: BIG, small: 'small' });
  await owner.world.until('proved', () => owner.isProvedAt(storer) && owner.session.newest?.row.fileCount !== 0);
  return { owner, storer, world: owner.world, id: owner.session.newest?.row.contentId ?? NONE };
}

/** Flips a byte of these cells of what the storer holds for the owner. */
async function rot(storer: DaemonNode, owner: DaemonNode, ...cells: number[]): Promise<void> {
  const list = storer.holdsFor(owner)?.list ?? assert.fail('nothing is held');
  for (const cell of cells) {
    const [position] = await storer.session.deps.catalog.heldPositions(list, cell, 1);
    damageCell(storer, 'peers', position ?? assert.fail('no such cell'));
  }
}

function stateAt(node: DaemonNode, peer: DaemonNode): string {
  return node.session.registry.contract(peer.id)?.state ?? '';
}

/** Raw cells that a storer gets by `repair`, or what it is refused with. */
async function repair(storer: DaemonNode, owner: DaemonNode, contentId: Buffer, from: number, cells: number) {
  const request: DownloadRequest = {
    contentId,
    offset: from * CELL_BYTES,
    length: cells * CELL_BYTES,
    referenceContentId: NONE,
    repair: true,
    leaves: false,
  };
  let bytes = 0;
  try {
    for await (const section of storer.session.client.download(owner.id, request, 1)) {
      if (section.kind === 'raw') bytes += section.bytes.length;
    }
  } catch (error) {
    return String(error);
  }
  return bytes / CELL_BYTES;
}

const LIMITED = 'PeerRefusal: refused: RATE_LIMITED';

test('a rotten held cell is found by the background reading, confessed, repaired, and proved again', async (context) => {
  const { owner, storer, world } = await proved(context);
  const mark = owner.events.length;
  await rot(storer, owner, 5);
  await storer.hears('held-cells-repaired', { peer: owner.id, cells: '1' });
  assert.equal(owner.said('loss-reported', { peer: storer.id, cells: '1' }, mark).length, 1);
  await world.until('proved again', () => owner.isProvedAt(storer));
  assert.equal((await owner.api.status()).verdict, 'PROTECTED');
  assert.equal(owner.said('contract-state', {}, mark).length, 0);
  assert.equal(owner.said('check-judged', { outcome: 'wrong' }).length, 0);
  // The bytes are good where they are now, also after a restart of the storer.
  await storer.restart();
  await world.until('in touch', () => owner.session.reach.isReachable(storer.id));
  assert.equal(await check(owner, storer), 'held');
});

test('a check that meets rot gets a confession, not a wrong answer', async (context) => {
  const { owner, storer, world } = await proved(context);
  await rot(storer, owner, 3, 4);
  const mark = owner.events.length;
  assert.equal(await check(owner, storer), 'late');
  assert.equal(owner.replicaAt(storer)?.proved.length, 0);
  await world.until('proved again', () => owner.isProvedAt(storer));
  assert.equal(owner.said('check-judged', { outcome: 'wrong' }, mark).length, 0);
  assert.equal(stateAt(owner, storer), 'ACTIVE');
  assert.equal(owner.replicaAt(storer)?.loss.repairedCells, 2);
});

test('rot is not handed out in a recovery, and is confessed once the owner is back', async (context) => {
  const { owner, storer, world } = await proved(context);
  await rot(storer, owner, 6);
  await owner.wipe();
  await owner.init('recover');
  await storer.hears('held-cells-lost', { peer: owner.id });
  await owner.hears('recovery-stuck');
  assert.equal(owner.said('peer-fault', { fault: 'wrong cell' }).length, 0);
  await world.close();
});

test('a storer whose packs are gone is in GRACE, gets everything once more, and is cured', async (context) => {
  const { owner, storer, world } = await proved(context);
  const mark = owner.events.length;
  const servedBefore = owner.bytes('served', storer);
  await storer.kill();
  losePacks(storer, 'peers');
  await storer.start();
  await storer.unlock();
  await owner.hears('contract-state', { peer: storer.id, from: 'ACTIVE', to: 'GRACE' }, mark);
  assert.equal((await owner.api.status()).verdict, 'NOT_PROTECTED');
  await owner.hears('contract-state', { peer: storer.id, from: 'GRACE', to: 'ACTIVE' }, mark);
  await world.until('protected again', async () => (await owner.api.status()).verdict === 'PROTECTED');
  assert.equal(owner.said('repull-granted', {}, mark).length, 1);
  assert.equal(owner.said('check-judged', { outcome: 'wrong' }).length, 0);
  const whole = (storer.holdsFor(owner)?.cells ?? 0) * CELL_BYTES;
  const again = (owner.bytes('served', storer) - servedBefore) / whole;
  assert(again >= 1 && again <= 3, `${again} times everything was given again`);
  await storer.restart();
  await owner.wipe();
  await owner.init('recover');
  await world.until('recovered', () => owner.session.node.mode === 'normal');
  assert((await owner.read('docs/big')).equals(BIG));
});

test('repair beyond the allowance is refused, counts across restarts, and ends in GRACE', async (context) => {
  const { owner, storer, world, id } = await proved(context);
  assert.equal(await repair(storer, owner, id, 2, 5), 5);
  await owner.restart();
  await world.until('asked to prove it again', () => owner.session.judged.has(storer.id));
  assert.equal(await repair(storer, owner, id, 0, 3), 3);
  assert.equal(owner.replicaAt(storer)?.loss.repairedCells, 8);
  assert.equal(stateAt(owner, storer), 'ACTIVE');
  assert.equal(await repair(storer, owner, id, 7, 1), LIMITED);
  assert.equal(stateAt(owner, storer), 'GRACE');
  // Everything once: three times a cell for cuts, and not a fourth time, however long it waits.
  for (let time = 0; time < 3; time += 1) assert.equal(await repair(storer, owner, id, 7, 2), 2);
  assert.equal(await repair(storer, owner, id, 7, 2), LIMITED);
  assert.equal(await repair(storer, owner, noiseOf('none', 64), 0, 1), 'PeerRefusal: refused: UNKNOWN_CONTENT');
});

test('after a cure nothing is given again for 30 days', async (context) => {
  const { owner, storer, world, id } = await proved(context);
  const lose = () =>
    storer.session.client.reportLoss(owner.id, { contentId: id, ranges: [{ startCell: 0, cells: 9 }] });
  await lose();
  assert.equal(stateAt(owner, storer), 'GRACE');
  assert.equal(await repair(storer, owner, id, 1, 1), 1);
  await world.until('cured', () => stateAt(owner, storer) === 'ACTIVE');
  await dayLater(owner);
  await lose();
  assert.equal(stateAt(owner, storer), 'GRACE');
  assert.equal(await repair(storer, owner, id, 1, 1), LIMITED);
});

test('nothing is repaired while a challenge is out, and no loss reported of what was never offered', async (context) => {
  const { owner, storer, id } = await proved(context);
  const report = (contentId: Buffer, cells: number) =>
    storer.session.client.reportLoss(owner.id, { contentId, ranges: [{ startCell: 0, cells }] });
  await assert.rejects(report(noiseOf('other', 64), 1), { refusal: 'UNKNOWN_CONTENT' });
  await assert.rejects(report(id, (storer.holdsFor(owner)?.cells ?? 0) + 1), { refusal: 'BAD_RANGE' });
  assert(owner.isProvedAt(storer));
  const pause = storer.pauseAt('proveMac', 1);
  const asked = check(owner, storer);
  await pause.reached;
  assert.equal(await repair(storer, owner, id, 2, 1), 'PeerRefusal: refused: CHALLENGE_BUSY');
  pause.go();
  assert.equal(await asked, 'held');
  assert.equal(owner.replicaAt(storer)?.loss.repairedCells, 0);
  assert.equal(await repair(storer, owner, id, 2, 1), 1);
});

test('a storer that holds nothing any more twice in 30 days is not filled a second time', async (context) => {
  const { owner, storer, world } = await proved(context);
  await forget(storer, owner);
  await owner.hears('replica-lost');
  await world.until('cured', () => owner.isProvedAt(storer) && stateAt(owner, storer) === 'ACTIVE');
  await dayLater(owner);
  const mark = owner.events.length;
  await forget(storer, owner);
  await owner.hears('replica-lost', {}, mark);
  await owner.session.tasks.publish(owner.session, storer.id, new AbortController().signal);
  assert.equal(stateAt(owner, storer), 'GRACE');
  assert.equal(owner.said('revision-offered', {}, mark).length, 0);
});

/** The storer drops what it holds for the owner, and the owner asks. */
async function forget(storer: DaemonNode, owner: DaemonNode): Promise<void> {
  const { registry } = storer.session;
  const held = registry.heldOf(owner.id);
  await registry.changeHeld(() => ({ puts: [], deletes: held.map((one) => one.id) }));
  for (const { value } of held) await storer.session.deps.catalog.dropHeldList(value.list);
  await registry.updateContract(owner.id, (old) => ({ ...(old ?? assert.fail()), theirLatestKnown: NONE }));
  await owner.session.tasks.ask(owner.session, storer.id, new AbortController().signal);
}

/** A day of counted seconds. */
function dayLater(node: DaemonNode): Promise<unknown> {
  return node.session.registry.updateNode((old) => {
    const record = old ?? assert.fail('no node record');
    return { ...record, countedSeconds: record.countedSeconds + 86_400 };
  });
}
