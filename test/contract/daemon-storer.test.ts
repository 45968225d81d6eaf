// What a storer keeps, proves, serves and refuses, and how its owner judges it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BbError } from '../../src/core/errors.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';
import type { OnionId } from '../../src/core/ids.ts';
import type { DownloadRequest } from '../../src/ports/peer-client.ts';
import { planFor } from '../../src/daemon/plan.ts';
import { updateReplica } from '../../src/daemon/replica.ts';
import { agree, check, DaemonWorld, damage, noiseOf } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';

const NONE = Buffer.alloc(0);
const DAY_SECONDS = 86_400;

/** An owner whose content a storer has proved. */
async function proved(context: Parameters<typeof DaemonWorld.ready>[0]) {
  const [owner, storer] = await DaemonWorld.ready(context, 'owner', 'storer');
  assert(owner && storer);
  await owner.api.setStorage(0, 1);
  await agree(owner, storer);
  await owner.setFiles({ big: noiseOf('big', 1_500_000), small: 'small' });
  await owner.world.until('proved', () => owner.isProvedAt(storer) && owner.session.newest?.row.fileCount !== 0);
  return { owner, storer, world: owner.world, id: owner.session.newest?.row.contentId ?? NONE };
}

const whole = (contentId: Buffer): DownloadRequest => ({
  contentId,
  offset: 0,
  length: 0,
  referenceContentId: NONE,
  repair: false,
  leaves: false,
});

/** Raw cells that `from` gets of `at`, or what it is refused with. */
async function download(from: DaemonNode, at: OnionId, request: DownloadRequest): Promise<number | string> {
  let bytes = 0;
  try {
    for await (const section of from.session.client.download(at, request, 1)) {
      if (section.kind === 'raw') bytes += section.bytes.length;
    }
  } catch (error) {
    return String(error);
  }
  return bytes / CELL_BYTES;
}

/** The storer answers challenges wrongly, as if it had thrown something away. */
function cheat(storer: DaemonNode): void {
  storer.changes.set('proveMac', async (proof: Promise<{ readonly mac: Buffer }>) => {
    const { mac, ...rest } = await proof;
    return { ...rest, mac: Buffer.from(mac.map((byte) => byte ^ 1)) };
  });
}

test('a wrong answer costs a storer the proof, and a right one wins it back', async (context) => {
  const { owner, storer } = await proved(context);
  cheat(storer);
  assert.equal(await check(owner, storer), 'wrong');
  const status = await owner.api.status();
  assert.equal(status.verdict, 'NOT_PROTECTED');
  assert.equal(status.reasons.filter(({ code }) => code === 'CHECK_WRONG').length, 1);
  storer.changes.clear();
  assert.equal(await check(owner, storer), 'held');
  assert.equal((await owner.api.status()).verdict, 'PROTECTED');
});

test('two wrong answers six hours apart are a default, and every cell proved again is the cure', async (context) => {
  const { owner, storer, world } = await proved(context);
  const state = () => owner.session.registry.contract(storer.id)?.state;
  cheat(storer);
  assert.equal(await check(owner, storer), 'wrong');
  await later(owner, 5 * 3600);
  await check(owner, storer);
  assert.notEqual(state(), 'GRACE');
  await later(owner, 3600);
  await check(owner, storer);
  assert.equal(state(), 'GRACE');
  storer.changes.clear();
  assert.equal(await check(owner, storer), 'held'); // on the next day; from then on every hour
  await world.until('cured', () => state() === 'ACTIVE');
  assert(owner.isProvedAt(storer));
});

test('with two storers one wrong proof leaves the content at risk, not lost', async (context) => {
  const { owner, storer, world } = await proved(context);
  const second = await world.add('second');
  await second.init('generated');
  await owner.api.setStorage(0, 2);
  await agree(owner, second);
  await world.until('both proved', () => owner.isProvedAt(storer) && owner.isProvedAt(second));
  cheat(second);
  assert.equal(await check(owner, second), 'wrong');
  assert.equal((await owner.api.status()).verdict, 'AT_RISK');
});

test('damage of our own cells that nobody heals never accuses the storer, and is not asked about without a pause', async (context) => {
  const { owner, storer, world } = await proved(context);
  owner.changes.set('download', () => {
    throw new BbError('PEER_UNREACHABLE', 'nothing comes');
  });
  damage(owner, 'own');
  await assert.rejects(check(owner, storer), { code: 'INTEGRITY' });
  assert.equal(owner.replicaAt(storer)?.lastOutcome, 'held');
  assert(owner.isProvedAt(storer));
  // A check is due now, and fails again and again for reasons of ours.
  await updateReplica(owner.session, storer.id, (replica) => ({ ...replica, lastChecked: NONE }));
  const triesMs: number[] = [];
  owner.hooks.set('expectedMac', () => {
    triesMs.push(Date.now());
    world.notify();
  });
  planFor(owner.session, 'check', storer.id, 0);
  // Each failing check is three tries. A tick may plan one that begins at once after another, but not again and again.
  await world.until('five more checks', () => triesMs.length >= 15);
  const spanMs = (triesMs[14] ?? 0) - (triesMs[0] ?? 0);
  assert(spanMs >= owner.session.deps.periods.tick, `five checks within ${spanMs} ms`);
  assert.notEqual(owner.replicaAt(storer)?.lastOutcome, 'wrong');
});

test('a storer that does not answer is late or unreachable, and keeps its proof', async (context) => {
  const { owner, storer, world } = await proved(context);
  world.cut(owner, storer);
  await owner.hears('peer-disconnected');
  assert.equal(await check(owner, storer), 'unreachable');
  assert(owner.isProvedAt(storer));
  world.mend(owner, storer);
  await world.until('held again', async () => owner.replicaAt(storer)?.lastOutcome === 'held');
});

test('deleted content stays for its hold, can be had back, and goes when the hold is over', async (context) => {
  const { owner, storer, id } = await proved(context);
  const offer = { content: undefined, previousContentId: id, delete: true, newCells: 0 };
  const { outcome, latestKnown } = await owner.session.client.setContentRevision(storer.id, offer);
  assert.equal(outcome, 'ACCEPTED_PULLING');
  assert.deepEqual(latestKnown, id);
  assert.equal(storer.holdsFor(owner), undefined);
  const cells = await download(owner, storer.id, whole(id));
  assert(typeof cells === 'number' && cells > 10, String(cells));
  const kept = storer.session.registry.heldOf(owner.id).filter(({ value }) => value.contentId.equals(id));
  assert.equal(kept[0]?.value.role, 'kept');
  await later(storer, 6 * DAY_SECONDS);
  assert.equal(await download(owner, storer.id, whole(id)), cells);
  await later(storer, 2 * DAY_SECONDS);
  assert.equal(await download(owner, storer.id, whole(id)), 'PeerRefusal: refused: UNKNOWN_CONTENT');
});

test('a blob is served to nobody but its owner, and nobody learns whether it exists', async (context) => {
  const { owner, storer, world, id } = await proved(context);
  const eve = await world.add('eve');
  await eve.init('generated');
  await agree(eve, storer);
  await eve.setFiles({ own: 'own' });
  await world.until('eve is stored, too', () => eve.isProvedAt(storer));
  const answers = [
    await download(eve, storer.id, whole(id)),
    await download(eve, storer.id, whole(noiseOf('nothing', 64))),
    await download(storer, owner.id, whole(noiseOf('nothing', 64))),
  ];
  assert.deepEqual(answers, Array(3).fill('PeerRefusal: refused: UNKNOWN_CONTENT'));
  // A stranger does not get as far as that.
  const strange = [
    await download(eve, owner.id, whole(id)),
    await download(eve, owner.id, whole(noiseOf('nothing', 64))),
  ];
  assert.deepEqual(strange, Array(2).fill('PeerRefusal: refused: NO_CONTRACT'));
  const question = { ...QUESTION, contentId: id };
  await assert.rejects(eve.session.client.challenge(storer.id, question), { refusal: 'UNKNOWN_CONTENT' });
  assert.equal(typeof (await download(owner, storer.id, whole(id))), 'number');
});

const QUESTION = {
  nonce: noiseOf('n', 32),
  seed: noiseOf('s', 32),
  count: 0,
  blockBytes: 4096,
  ranges: [{ startCell: 0, cells: 1 }],
};

test('what a storer holds is not served to it, and no range beyond a blob is served to anybody', async (context) => {
  const { owner, storer, world, id } = await proved(context);
  const bytes = (storer.holdsFor(owner)?.cells ?? 0) * CELL_BYTES;
  for (const range of [
    { offset: bytes, length: CELL_BYTES },
    { offset: 0, length: bytes + CELL_BYTES },
    { offset: 1, length: CELL_BYTES },
    { offset: CELL_BYTES, length: bytes },
  ]) {
    assert.equal(await download(owner, storer.id, { ...whole(id), ...range }), 'PeerRefusal: refused: BAD_RANGE');
  }
  assert.equal(await download(storer, owner.id, whole(id)), 'PeerRefusal: refused: BAD_RANGE');
  await owner.restart(); // the count of what was served is gone, the acknowledgement is not
  await world.until('asked to prove it again', () => owner.session.judged.has(storer.id));
  const one = { ...whole(id), length: CELL_BYTES };
  assert.equal(await download(storer, owner.id, one), 'PeerRefusal: refused: BAD_RANGE');
});

test('a cell of an open upload is served three times, not four', async (context) => {
  const { owner, storer } = await proved(context);
  const pause = storer.pauseAt('createHeldList', 1);
  await owner.setFiles({ big: noiseOf('other', 1_500_000) });
  await pause.reached;
  const id = owner.session.newest?.row.contentId ?? NONE;
  const one = { ...whole(id), length: CELL_BYTES };
  const answers = [];
  for (let time = 0; time < 4; time += 1) answers.push(await download(storer, owner.id, one));
  assert.deepEqual(answers, [1, 1, 1, 'PeerRefusal: refused: RATE_LIMITED']);
  pause.go();
});

test('a storer that lost everything of an owner is noticed and given all of it again', async (context) => {
  const { owner, storer, world } = await proved(context);
  const { registry } = storer.session;
  const held = registry.heldOf(owner.id);
  await registry.changeHeld(() => ({ puts: [], deletes: held.map((one) => one.id) }));
  for (const { value } of held) await storer.session.deps.catalog.dropHeldList(value.list);
  await registry.updateContract(owner.id, (old) => ({ ...(old ?? assert.fail()), theirLatestKnown: NONE }));
  await owner.session.tasks.ask(owner.session, storer.id, new AbortController().signal);
  await owner.hears('replica-lost');
  await world.until('proved again', () => owner.isProvedAt(storer));
  assert.equal(storer.holdsFor(owner)?.reported, true);
});

test('a locked node refuses everything, and is whole when it is unlocked', async (context) => {
  const { owner, storer, world, id } = await proved(context);
  const { api } = owner;
  await api.lock();
  const calls = {
    connectPeer: () => api.connectPeer(storer.id, '', false),
    peers: () => api.peers(),
    setFile: () => owner.setFiles({ a: 'a' }),
    removeFile: () => api.removeFile(Buffer.from('docs'), false),
    storage: () => api.storage(),
    setStorage: () => api.setStorage(0, 1),
    contracts: () => api.contracts(''),
    list: () => owner.listing(),
    read: () => owner.read('docs/small'),
    check: () => check(owner, storer),
  };
  for (const [name, call] of Object.entries(calls)) await assert.rejects(call(), { code: 'LOCKED' }, name);
  const status = await api.status();
  assert.deepEqual([status.state, status.onionId], ['LOCKED', '']);
  assert.match(String(await download(storer, owner.id, whole(id))), /PEER_UNREACHABLE|cannot be reached/);
  await assert.rejects(api.unlock(Buffer.from('wrong')), { code: 'WRONG_SECRET' });
  await owner.unlock();
  assert.equal((await owner.read('docs/small')).toString(), 'small');
  await world.until('in touch', () => owner.session.reach.isReachable(storer.id));
  assert.equal(await check(owner, storer), 'held');
});

/** Counted seconds pass, and a tick. */
async function later(node: DaemonNode, seconds: number): Promise<void> {
  await node.session.registry.updateNode((old) => {
    const record = old ?? assert.fail('no node record');
    return { ...record, countedSeconds: record.countedSeconds + seconds };
  });
  await node.session.tasks.tick(node.session, node.id, new AbortController().signal);
}
