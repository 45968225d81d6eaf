// Peers that wait for the day on which the owner's disk is dead, and peers that claim such a day.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { CELL_BYTES } from '../../src/core/limits.ts';
import { peerApiOf } from '../../src/daemon/peer-api-of.ts';
import type { ContentInfo, DownloadSection } from '../../src/ports/peer-client.ts';
import type { DaemonNode } from '../contract/daemon-node.ts';
import { noiseOf } from '../contract/daemon-world.ts';
import type { Adversary, Ending } from './adversary.ts';
import { DAY, later, MIB, newestId, proved, stateAt } from './stage.ts';

const BIG = noiseOf('big', MIB);
/** Behind the head and the index cells, by which a holder proves itself. */
const BEGIN_BYTES = 3 * CELL_BYTES;
const isNormal = (node: DaemonNode) => node.session.node.mode === 'normal';

/** Right bytes until it has proved that it holds something, then a flipped bit in every cell. */
async function flipsInRecovery(context: TestContext): Promise<Ending> {
  const { owner, storers, world } = await proved(context, MIB, 'liar', 'honest');
  const [liar = assert.fail()] = storers;
  liar.answers.download = (caller, request, signal) =>
    flippedCells(peerApiOf(liar.session).download(caller, request, signal), request.offset);
  await owner.wipe();
  await owner.init('recover');
  await world.until('recovered', () => isNormal(owner) && owner.said('recovery-complete').length > 0);
  return {
    intact: await owner.read('docs/big').then(
      (bytes) => bytes.equals(BIG),
      () => false,
    ),
    blamed: owner.said('peer-fault', { peer: liar.id, fault: 'wrong cell' }).length > 0,
    state: stateAt(owner, liar),
  };
}

async function* flippedCells(honest: AsyncIterable<DownloadSection>, offset: number): AsyncIterable<DownloadSection> {
  for await (const section of honest) {
    if (section.kind === 'raw' && offset >= BEGIN_BYTES)
      section.bytes.writeUInt8(section.bytes.readUInt8(999) ^ 1, 999);
    yield section;
  }
}

/** An owner with new content that one of two storers never heard of; its disk dies, and that one is met first. */
async function staleFirst(context: TestContext, ...sybils: string[]) {
  const { owner, storers, world } = await proved(context, MIB, 'stale', 'honest');
  const [stale = assert.fail(), honest = assert.fail()] = storers;
  world.cut(owner, stale);
  await owner.setFiles({ big: 'the newest' });
  await world.until('proved', () => owner.isProvedAt(honest));
  const others = await Promise.all(sybils.map((name) => world.add(name)));
  await Promise.all(others.map((node) => node.init('generated')));
  world.cut(owner, honest);
  await owner.wipe();
  world.mend(owner, stale);
  return { owner, stale, honest, others, world };
}

/** What was restored while the honest storer was out of reach, and what was after it had come. */
async function restoredWhat(owner: DaemonNode, honest: DaemonNode, holders: number): Promise<Ending> {
  const { world } = owner;
  await world.until('holders', () => owner.session.recovery.holders.size >= holders);
  // Three more steps of the recovery have seen all of them.
  const mark = owner.events.length;
  await world.until('a decision', () => owner.said('recovery', {}, mark).length >= 3);
  const isStale = owner.session.newest !== undefined;
  world.mend(owner, honest);
  await world.until('recovered', () => isNormal(owner) && owner.said('recovery-complete').length > 0);
  return { tookStale: isStale, newestInTheEnd: (await owner.read('docs/big')).toString() === 'the newest' };
}

async function servesOld(context: TestContext): Promise<Ending> {
  const { owner, honest } = await staleFirst(context);
  await owner.init('recover');
  return restoredWhat(owner, honest, 1);
}

/** Four onions without a contract repeat what the stale storer says, with its bytes. */
async function forgesQuorum(context: TestContext): Promise<Ending> {
  const { owner, stale, honest, others, world } = await staleFirst(context, 'a', 'b', 'c', 'd');
  const held = stale.holdsFor(owner) ?? assert.fail();
  const content: ContentInfo = { contentId: held.contentId, contentBytes: held.cells * CELL_BYTES, root: held.root };
  for (const name of others) {
    name.answers.classify = () => 'known';
    name.answers.getContentRevision = async (caller, theirs) => ({
      ...(await peerApiOf(name.session).getContentRevision(caller, theirs)),
      requesterContent: content,
      requesterLatestKnown: content.contentId,
    });
    name.answers.download = (caller, request, signal) => peerApiOf(stale.session).download(caller, request, signal);
  }
  await owner.init('recover');
  await world.until('the stale one is found', () => owner.said('revision-found').length > 0);
  await Promise.all(others.map((name) => name.session.client.getContentRevision(owner.id, content.contentId)));
  return restoredWhat(owner, honest, 5);
}

/** A storer says the ids of former revisions again, as if they were news. */
async function replaysIds(context: TestContext): Promise<Ending> {
  const { owner, storers, world } = await proved(context, 1000, 'liar');
  const [liar = assert.fail()] = storers;
  const ids: Buffer[] = [];
  for (const text of ['one', 'two', 'three']) {
    ids.push(newestId(owner));
    await owner.setFiles({ big: text });
    await world.until('proved', () => owner.isProvedAt(liar));
  }
  for (const id of ids) await liar.session.client.getContentRevision(owner.id, id);
  const recoveries = owner.said('mode-changed', { to: 'recovering' }).length;
  return { recoveries, forks: owner.session.node.forks.length };
}

/** Says at every contact that it rebuilds itself, and gives nothing. */
async function recoversForEver(context: TestContext): Promise<Ending> {
  const { owner, storers } = await proved(context, 1000, 'liar');
  const [liar = assert.fail()] = storers;
  liar.answers.getContentRevision = async (caller, held) => ({
    ...(await peerApiOf(liar.session).getContentRevision(caller, held)),
    requesterContent: undefined,
    responderRecovering: true,
  });
  liar.answers.challenge = () => new Promise(() => undefined);
  await owner.session.tasks.ask(owner.session, liar.id, new AbortController().signal);
  const states = [stateAt(owner, liar)];
  for (let time = 0; time < 40; time += 1) await later(owner, 7 * DAY);
  states.push(stateAt(owner, liar));
  return { states: states.join() };
}

export const PEERS: readonly Adversary[] = [
  {
    number: 4,
    name: 'flips bits only when the owner recovers',
    does: 'passes every check, and gives wrong cells to an owner without a disk',
    play: flipsInRecovery,
    expected: { intact: true, blamed: true, state: 'ACTIVE' },
    defence: 'a cell is opened under its own id before it is taken back',
    without: [
      {
        file: 'core/crypto/cell-seal.ts',
        find: 'return equalBytes(cellId(keys.id, kind, plain), id) ? plain : undefined;',
        put: 'return plain;',
      },
    ],
    succeeds: { intact: false, blamed: false, state: 'ACTIVE' },
  },
  {
    number: 5,
    name: 'serves an old revision as new',
    does: 'is met first after a dead disk and offers what it has, the former revision',
    play: servesOld,
    expected: { tookStale: false, newestInTheEnd: true },
    defence: 'a restore waits for most of the storers that the head lists',
    without: [
      { file: 'core/recovery/freshness.ts', find: 'missingHolders = FRESH_HOLDERS -', put: 'missingHolders = 1 -' },
    ],
    succeeds: { tookStale: true, newestInTheEnd: true },
  },
  {
    number: 23,
    name: 'claims to be recovering for ever',
    does: 'holds nothing any more and says at every contact that it rebuilds itself',
    play: recoversForEver,
    expected: { states: 'GRACE,EXPIRED' },
    defence: 'the countdown waits for a recovering owner for 14 days, once in 180',
    without: [
      {
        file: 'core/contract/machine.ts',
        find: "return ownerRecovering && began >= 0 && nowSeconds - began < seconds('recoveringPause');",
        put: 'return ownerRecovering && nowSeconds >= began;',
      },
    ],
    succeeds: { states: 'GRACE,GRACE' },
  },
  {
    number: 33,
    name: 'forged freshness quorum',
    does: 'one stale storer and four names without a contract agree that the former revision is the newest',
    play: forgesQuorum,
    expected: { tookStale: false, newestInTheEnd: true },
    defence: 'only listed storers count, each after an index cell sealed for its own key',
    without: [
      {
        file: 'daemon/recover.ts',
        find: 'listedContracts(metadata).map(({ peer, state }) => ({ holder: recovery.holders.get(peer), state }))',
        put: "[...recovery.holders.values()].map((holder) => ({ holder, state: 'ACTIVE' as const, of: metadata }))",
      },
      { file: 'daemon/recover.ts', find: 'isProved: holder?.proved === true', put: 'isProved: holder !== undefined' },
    ],
    succeeds: { tookStale: true, newestInTheEnd: true },
  },
  {
    number: 34,
    name: 'replayed old ids against the lineage guard',
    does: 'repeats authentic ids of former revisions to a healthy owner',
    play: replaysIds,
    expected: { recoveries: 0, forks: 0 },
    defence: 'an id of our own line is known by the window of ancestors and is no news',
    // Without the window it knows its newest revision and the one before.
    without: [
      {
        file: 'core/recovery/lineage-guard.ts',
        find: 'return JUDGEMENT[',
        put: "return place.sequence < line.sequence - 1 ? 'newer' : JUDGEMENT[",
      },
    ],
    succeeds: { recoveries: 1, forks: 0 },
  },
];
