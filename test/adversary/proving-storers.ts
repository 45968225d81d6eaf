// Storers that keep nothing themselves and try to pass checks all the same, or to be excused from them.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { challengeReads } from '../../src/core/challenge/reads.ts';
import type { ChallengeQuestion } from '../../src/core/challenge/question.ts';
import { startChallengeMac } from '../../src/core/crypto/challenge-mac.ts';
import { pubkeyFromOnionId } from '../../src/core/ids.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';
import type { CallOptions } from '../../src/ports/peer-client.ts';
import type { DaemonNode } from '../contract/daemon-node.ts';
import { check } from '../contract/daemon-world.ts';
import type { Adversary, Ending, Patch } from './adversary.ts';
import { copyAt, DAY, dropSilently, fetched, invertHeld, later, MIB, newestId, proved, wholeBlob } from './stage.ts';

/** Fetches the block that it lacks from the owner while the question waits. */
async function asksTheOwner(context: TestContext): Promise<Ending> {
  const { owner, storers } = await proved(context, MIB, 'liar');
  const [liar = assert.fail()] = storers;
  const lacking = 4;
  await dropSilently(liar, owner, [lacking]);
  const prove = liar.answers.challenge ?? assert.fail();
  let got: number | string = 0;
  liar.answers.challenge = async (caller, question) => {
    const cell = { offset: lacking * CELL_BYTES, length: CELL_BYTES, repair: true };
    got = await fetched(liar, owner, { ...wholeBlob(newestId(owner)), ...cell });
    if (got !== 1) return prove(caller, question);
    await invertHeld(liar, owner, [lacking]);
    return prove(caller, question);
  };
  return { outcome: await check(owner, liar), got, ...(await copyAt(owner, liar)) };
}

/** Has another storer of the same owner answer its questions. */
async function forwards(context: TestContext): Promise<Ending> {
  const { owner, storers } = await proved(context, MIB, 'liar', 'friend');
  const [liar = assert.fail(), friend = assert.fail()] = storers;
  liar.answers.challenge = async (caller, question) => {
    const { list, cells } = friend.holdsFor(owner) ?? assert.fail();
    const { mac, blocksRead } = await friend.session.deps.workers.proveMac(question, caller, list, cells);
    return { mac, blocksRead };
  };
  return { outcome: await check(owner, liar), ...(await copyAt(owner, liar)) };
}

/** Two onions of one person: the second answers under its own key, from the disk of the first. */
async function sharesADisk(context: TestContext): Promise<Ending> {
  const { owner, storers } = await proved(context, MIB, 'liar', 'disk');
  const [liar = assert.fail(), disk = assert.fail()] = storers;
  liar.answers.challenge = async (_caller, question) => ({
    mac: await macFrom(disk, owner, question, liar),
    blocksRead: question.count,
  });
  return { outcome: await check(owner, liar), ...(await copyAt(owner, liar)) };
}

async function macFrom(disk: DaemonNode, owner: DaemonNode, question: ChallengeQuestion, responder: DaemonNode) {
  const { list, cells } = disk.holdsFor(owner) ?? assert.fail();
  const keys = [owner, responder].map(({ id }) => pubkeyFromOnionId(id));
  const mac = startChallengeMac(question, keys[0] ?? assert.fail(), keys[1] ?? assert.fail(), cells);
  for (const { cell, offsetBytes, lengthBytes } of challengeReads(question, cells)) {
    const [position] = await disk.session.deps.catalog.heldPositions(list, cell, 1);
    mac.update(await disk.session.cells.readRange(position ?? assert.fail(), offsetBytes, lengthBytes));
  }
  return mac.digest();
}

/** Never answers a challenge, and everything else. */
async function timesOut(context: TestContext): Promise<Ending> {
  const { owner, storers } = await proved(context, MIB, 'liar');
  const [liar = assert.fail()] = storers;
  liar.answers.challenge = () => new Promise(() => undefined);
  owner.hooks.set('challenge', (_call, args) => {
    (args[2] as { deadlineMs: CallOptions['deadlineMs'] }).deadlineMs = 100; // three minutes are too long for a test
  });
  const outcomes = new Set<string>();
  const days = async (count: number) => {
    for (let day = 0; day < count; day += 1) {
      await later(owner, DAY);
      outcomes.add(await check(owner, liar));
    }
    await later(owner, 0);
    return copyAt(owner, liar);
  };
  const { state, trusted } = await days(4);
  const soon = await owner.api.status();
  const meanwhile = [soon.verdict, ...soon.reasons.map(({ code }) => code)].join(' ');
  const { verdict, state: weeksLater } = await days(18);
  return { outcomes: [...outcomes].join(), state, trusted, meanwhile, weeksLater, verdict };
}

/** Keeps one right answer, throws the bytes away, and says it again. */
async function replays(context: TestContext): Promise<Ending> {
  const { owner, storers } = await proved(context, MIB, 'liar');
  const [liar = assert.fail()] = storers;
  const { list, cells } = liar.holdsFor(owner) ?? assert.fail();
  let first: Buffer | undefined;
  liar.answers.challenge = async (caller, question) => {
    first ??= (await liar.session.deps.workers.proveMac(question, caller, list, cells)).mac;
    return { mac: first, blocksRead: question.count };
  };
  const honest = await check(owner, liar);
  const replayed = await check(owner, liar);
  return { honest, replayed, ...(await copyAt(owner, liar)) };
}

const CAUGHT = { state: 'ACTIVE', proved: false, trusted: false } as const;
const BELIEVED = { verdict: 'PROTECTED', state: 'ACTIVE', proved: true, trusted: true } as const;
const SAME_FOR_ALL: Patch = {
  file: 'core/crypto/cell-seal.ts',
  find: 'hmacSha512(encKey, CELL, peerPubkey, id)',
  put: 'hmacSha512(encKey, CELL, id)',
};

export const PEERS: readonly Adversary[] = [
  {
    number: 7,
    name: 'answers challenges by pulling blocks from the owner',
    does: 'lacks a cell and asks for it as a repair while the challenge is out',
    play: asksTheOwner,
    expected: { outcome: 'wrong', got: 'refused: CHALLENGE_BUSY', verdict: 'NOT_PROTECTED', ...CAUGHT },
    defence: 'nothing of a revision is repaired while a challenge on it is out',
    without: [
      {
        file: 'daemon/uploads.ts',
        find: 'return [...this.#challenges].some((out)',
        put: 'return [].some((out: { peer: OnionId; contentId: Buffer })',
      },
    ],
    succeeds: { outcome: 'held', got: 1, ...BELIEVED },
  },
  {
    number: 8,
    name: 'forwards challenges to another storer',
    does: 'keeps nothing and lets a storer of the same content answer',
    play: forwards,
    expected: { outcome: 'wrong', verdict: 'AT_RISK', ...CAUGHT },
    defence: 'mac and cells are bound to the key of the storer',
    without: [
      SAME_FOR_ALL,
      {
        file: 'core/challenge/preamble.ts',
        find: '[TAG, challenger, responder,',
        put: '[TAG, challenger, challenger,',
      },
    ],
    succeeds: { outcome: 'held', ...BELIEVED },
  },
  {
    number: 9,
    name: 'two onions, one disk',
    does: 'sells one copy twice: the second onion answers under its own key from the cells of the first',
    play: sharesADisk,
    expected: { outcome: 'wrong', verdict: 'AT_RISK', ...CAUGHT },
    defence: 'the same cell has other bytes at each storer',
    without: [SAME_FOR_ALL],
    succeeds: { outcome: 'held', ...BELIEVED },
  },
  {
    number: 10,
    name: 'always times out on challenges',
    does: 'is reachable, answers every other call, and no challenge',
    play: timesOut,
    expected: {
      outcomes: 'late',
      state: 'DEGRADED',
      trusted: false,
      meanwhile: 'PROTECTED COPY_PAUSED',
      weeksLater: 'GRACE',
      verdict: 'NOT_PROTECTED',
    },
    defence: 'silence of a peer in reach is late: it proves nothing, and three times weigh as one wrong proof',
    without: [{ file: 'core/challenge/judge.ts', find: "answer.reachable ? 'late' : 'unreachable'", put: "'held'" }],
    succeeds: {
      outcomes: 'held',
      state: 'ACTIVE',
      trusted: true,
      meanwhile: 'PROTECTED',
      weeksLater: 'ACTIVE',
      verdict: 'PROTECTED',
    },
  },
  {
    number: 11,
    name: 'replays an old mac',
    does: 'keeps the answer to one challenge instead of the bytes',
    play: replays,
    expected: { honest: 'held', replayed: 'wrong', verdict: 'NOT_PROTECTED', ...CAUGHT },
    defence: 'each challenge has a fresh nonce and seed',
    without: [{ file: 'daemon/check-peer.ts', find: 'session.deps.random.bytes(64)', put: 'Buffer.alloc(64)' }],
    succeeds: { honest: 'held', replayed: 'held', ...BELIEVED },
  },
];
