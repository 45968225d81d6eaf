// Peers that play on time and on numbers: they leave, they jump in time, they bring crowds, they fetch back, they never let
// an upload end.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { onionIdFromPubkey } from '../../src/core/ids.ts';
import { ed25519Pair } from '../../src/core/crypto/ed25519.ts';
import { CELL_BYTES, INTRODUCER_SHARE } from '../../src/core/limits.ts';
import type { Periods } from '../../src/core/policy/periods.ts';
import { noiseOf } from '../contract/daemon-world.ts';
import type { Adversary, Ending } from './adversary.ts';
import { contracted, copyAt, DAY, fetched, later, MIB, newestId, proved, stateAt, wholeBlob } from './stage.ts';

const MINUTE_MS = 60_000;
const YEARS_MS = 20 * 365 * DAY * 1000;

/** Proves its copy once, and is never seen again. */
async function leaves(context: TestContext): Promise<Ending> {
  const { owner, storers, world } = await proved(context, 1000, 'leaver');
  const [leaver = assert.fail()] = storers;
  const friend = await world.add('friend');
  await friend.init('generated');
  await friend.api.connectPeer(owner.id, '', false);
  await owner.api.connectPeer(friend.id, '', true);
  await leaver.kill();
  await owner.hears('peer-disconnected', { peer: leaver.id });
  const isSought = () => owner.said('storers-sought').length > 0;
  for (let day = 0; day < 40 && !isSought(); day += 1) await later(owner, DAY);
  if (isSought()) await world.until('a copy elsewhere', () => owner.isProvedAt(friend));
  const { verdict } = await copyAt(owner, leaver);
  return { state: stateAt(owner, leaver), replaced: owner.isProvedAt(friend), verdict };
}

/** Its wall clock jumps by twenty years in the middle of a contract. */
async function jumpsInTime(context: TestContext): Promise<Ending> {
  const { owner, storers, world } = await proved(context, 1000, 'jumper');
  const [jumper = assert.fail()] = storers;
  await world.until('both proved', () => jumper.isProvedAt(owner));
  const { clock } = jumper.session.deps;
  const nowMs = clock.nowMs.bind(clock);
  Object.assign(clock, { nowMs: () => nowMs() + YEARS_MS });
  await owner.setFiles({ big: 'after the jump' });
  await world.until('proved', () => owner.isProvedAt(jumper));
  const passed = jumper.session.node.countedSeconds > 365 * DAY;
  const { verdict, state } = await copyAt(owner, jumper);
  return { passed, verdict, state };
}

/** A contract peer introduces fifty onions to an owner that wants many copies and lets strangers in. */
async function bringsSybils(context: TestContext): Promise<Ending> {
  const { owner, storers } = await contracted(context, 'introducer', 'friend');
  const [introducer = assert.fail()] = storers;
  await owner.api.setConfig('contracts.accept', 'everyone');
  const sybils = Array.from({ length: 50 }, (_, index) =>
    onionIdFromPubkey(ed25519Pair(noiseOf(`sybil ${index}`, 32)).pubkey),
  );
  await introducer.session.client.exchangePeers(owner.id, { peers: sybils, unlisted: false });
  const hints = owner.session.registry.peers().filter((peer) => peer.introducer === introducer.id).length;
  // Long known, so that nothing but their introducer speaks against them.
  for (const sybil of sybils) {
    const addedMs = Date.now() - 400 * DAY * 1000;
    await owner.session.registry.updatePeer(sybil, (old) => ({ ...(old ?? assert.fail()), addedMs }));
  }
  await owner.api.setStorage(0, 6);
  await later(owner, 0);
  for (let day = 0; day < 3; day += 1) await later(owner, DAY);
  await owner.hears('storers-sought');
  const asked = Number(owner.said('storers-sought')[0]?.attributes['asked']);
  return { hints, asked, withinShare: asked <= 6 * INTRODUCER_SHARE };
}

/** Throws everything away and asks for it again, cell by cell, three times. */
async function bounces(context: TestContext): Promise<Ending> {
  const { owner, storers } = await proved(context, MIB, 'bouncer');
  const [bouncer = assert.fail()] = storers;
  const cells = bouncer.holdsFor(owner)?.cells ?? 0;
  let got = 0;
  let refused = '';
  for (let at = 0; at < 3 * cells && refused === ''; at += 1) {
    const cell = { offset: (at % cells) * CELL_BYTES, length: CELL_BYTES, repair: true };
    const answer = await fetched(bouncer, owner, { ...wholeBlob(newestId(owner)), ...cell });
    if (answer === 1) got += 1;
    else refused = String(answer);
  }
  return { all: got === 3 * cells, within: got <= 8, refused, state: stateAt(owner, bouncer) };
}

/** The owner has new content whenever the storer has taken a few cells of what was offered. */
async function editsTooFast(context: TestContext): Promise<Ending> {
  const { owner, storers, world } = await contracted(context, 'storer');
  const [storer = assert.fail()] = storers;
  // An hour of patience is 3.6 s here, too little where a test shares its machine with others.
  Object.assign(owner.session.deps.periods, { pullProgress: MINUTE_MS } satisfies Partial<Periods>);
  await world.until('reported', () => storer.holdsFor(owner)?.reported === true);
  const mark = owner.events.length;
  const offers = () => owner.said('revision-offered', { peer: storer.id, outcome: 'ACCEPTED_PULLING' }, mark);
  let edits = 0;
  storer.hooks.set('addHeldCells', async () => {
    if (edits >= 3) return;
    edits += 1;
    await owner.setFiles({ big: noiseOf('first', 8 * MIB), edited: String(edits) });
    await owner.session.tasks.publish(owner.session, storer.id, new AbortController().signal);
  });
  await owner.setFiles({ big: noiseOf('first', 8 * MIB) });
  const first = String(owner.session.newest?.row.sequence);
  await owner.hears('revision-acknowledged', { peer: storer.id }, mark);
  const taken = owner.said('revision-acknowledged', { peer: storer.id }, mark)[0]?.attributes['sequence'];
  const offered = new Set(offers().map(({ attributes }) => attributes['sequence']));
  storer.hooks.clear();
  return { edits, firstTaken: taken === first, replaced: offered.size > 1 };
}

export const PEERS: readonly Adversary[] = [
  {
    number: 24,
    name: 'leaves in the hour after getting a replica',
    does: 'proves its copy once, and is never seen again',
    play: leaves,
    expected: { state: 'GRACE', replaced: true, verdict: 'PROTECTED' },
    defence: 'a copy that is out of reach for too long counts no more, and another storer is looked for',
    without: [
      { file: 'core/policy/replicas.ts', find: 'if (facts.copies >= facts.wanted)', put: 'if (facts.wanted > 0)' },
    ],
    succeeds: { state: 'GRACE', replaced: false, verdict: 'NOT_PROTECTED' },
  },
  {
    number: 25,
    name: 'clock years off',
    does: 'lives twenty years ahead from one moment to the next',
    play: jumpsInTime,
    expected: { passed: false, verdict: 'PROTECTED', state: 'ACTIVE' },
    defence: 'time counts by the smaller of two clocks, and not at all when one jumped',
    without: [
      {
        file: 'daemon/tick-clock.ts',
        find: 'ms: jumped ? 0 : Math.max(0, Math.min(monotonic, wall))',
        put: 'ms: Math.max(0, wall)',
      },
    ],
    succeeds: { passed: true, verdict: 'PROTECTED', state: 'ACTIVE' },
  },
  {
    number: 32,
    name: 'one introducer bringing 50 Sybils',
    does: 'a contract peer gossips fifty onions of its own to an owner that looks for storers',
    play: bringsSybils,
    expected: { hints: 50, asked: 2, withinShare: true },
    defence: 'of a larger set of storers at most a third comes through one introducer',
    without: [
      {
        file: 'core/policy/replicas.ts',
        find: 'return young <= wanted * YOUNG_SHARE && sameIntroducer <= wanted * INTRODUCER_SHARE;',
        put: 'return young <= wanted || sameIntroducer <= wanted;',
      },
    ],
    succeeds: { hints: 50, asked: 4, withinShare: false },
  },
  {
    number: 36,
    name: 'repair as a bounce',
    does: 'keeps nothing and lives from asking the owner for repairs',
    play: bounces,
    expected: { all: false, within: true, refused: 'refused: RATE_LIMITED', state: 'GRACE' },
    defence: 'a few cells may be repaired in 30 days; beyond them the copy counts as lost',
    without: [
      {
        file: 'daemon/serve-repair.ts',
        find: 'if (!(await reserve(session, peer, blobCells, cells)))',
        put: 'if (blobCells < 0)',
      },
      {
        file: 'daemon/serve-repair.ts',
        find: 'giveBack(session, peer, Math.max(0, unused))',
        put: 'Promise.resolve()',
      },
    ],
    succeeds: { all: true, within: false, refused: '', state: 'ACTIVE' },
  },
  {
    number: 37,
    name: 'revisions faster than a first upload can finish',
    does: 'has new content after every few cells that the storer took',
    play: editsTooFast,
    expected: { edits: 3, firstTaken: true, replaced: false },
    defence: 'an upload that progresses is not replaced by a newer offer',
    without: [
      {
        file: 'core/policy/publish.ts',
        find: 'idleMs !== undefined && idleMs < periods.pullProgress',
        put: 'idleMs !== undefined && idleMs < 0',
      },
    ],
    succeeds: { edits: 3, firstTaken: false, replaced: true },
  },
];
