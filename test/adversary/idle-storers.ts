// Storers that do not keep what they were given, or not all of it.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ContentInfo, RevisionReport } from '../../src/ports/peer-client.ts';
import { peerApiOf } from '../../src/daemon/peer-api-of.ts';
import type { DaemonNode } from '../contract/daemon-node.ts';
import { check, noiseOf } from '../contract/daemon-world.ts';
import type { Adversary, Ending } from './adversary.ts';
import { contracted, copyAt, dropSilently, HOUR, later, MIB, NONE, newestId, proved } from './stage.ts';

/** More than is read whole by every check, so that the sample and the sweep have to find it. */
const SAMPLED_BYTES = 14 * MIB;

async function storesNothing(context: TestContext): Promise<Ending> {
  const { owner, storers, world } = await contracted(context, 'liar');
  const [liar = assert.fail()] = storers;
  const servedBefore = owner.bytes('served', liar);
  let said: ContentInfo | undefined;
  liar.answers.setContentRevision = (_caller, { content }) => {
    said = content;
    return Promise.resolve({ outcome: 'ACCEPTED_PULLING', latestKnown: content?.contentId ?? NONE });
  };
  liar.answers.getContentRevision = async (caller, held) => holding(liar, caller, held, said);
  liar.answers.challenge = () => Promise.resolve({ mac: noiseOf('mac', 32), blocksRead: 512 });
  await owner.setFiles({ big: noiseOf('big', MIB) });
  await world.until('believed', async () => {
    await owner.session.tasks.ask(owner.session, liar.id, new AbortController().signal);
    return owner.replicaAt(liar)?.acknowledged.equals(newestId(owner)) === true;
  });
  const outcome = await check(owner, liar);
  await later(owner, 7 * HOUR);
  await check(owner, liar);
  return { outcome, ...(await copyAt(owner, liar)), served: owner.bytes('served', liar) - servedBefore };
}

/** What an honest daemon reports, but that it holds `content`. */
async function holding(
  node: DaemonNode,
  caller: DaemonNode['id'],
  held: Buffer,
  content: ContentInfo | undefined,
): Promise<RevisionReport> {
  const report = await peerApiOf(node.session).getContentRevision(caller, held);
  if (content === undefined) return report;
  return { ...report, requesterContent: content, requesterLatestKnown: content.contentId };
}

/** Drops cells of a copy that was proved; `found` says whether any of so many daily checks noticed. */
async function drops(context: TestContext, checks: number, isDropped: (cell: number) => boolean): Promise<Ending> {
  const { owner, storers } = await proved(context, SAMPLED_BYTES, 'liar');
  const [liar = assert.fail()] = storers;
  const cells = liar.holdsFor(owner)?.cells ?? 0;
  assert(cells > 100, `${cells} cells`);
  const dropped = Array.from({ length: cells }, (_, cell) => cell).filter(isDropped);
  assert(dropped.length > 0 && dropped.length <= cells / 100, `${dropped.length} of ${cells} cells`);
  await dropSilently(liar, owner, dropped);
  let isFound = false;
  for (let done = 0; done < checks && !isFound; done += 1) isFound = (await check(owner, liar)) === 'wrong';
  return { found: isFound, ...(await copyAt(owner, liar)) };
}

async function knowsOnly(context: TestContext): Promise<Ending> {
  const { owner, storers } = await proved(context, MIB, 'liar');
  const [liar = assert.fail()] = storers;
  liar.answers.getContentRevision = async (caller, held) => ({
    ...(await peerApiOf(liar.session).getContentRevision(caller, held)),
    requesterContent: undefined,
    requesterOlder: [],
  });
  liar.answers.setContentRevision = () =>
    Promise.resolve({ outcome: 'ACCEPTED_PULLING', latestKnown: newestId(owner) });
  liar.answers.challenge = () => new Promise(() => undefined);
  await owner.session.tasks.ask(owner.session, liar.id, new AbortController().signal);
  return copyAt(owner, liar);
}

const UNPROVED = { verdict: 'NOT_PROTECTED', proved: false, trusted: false } as const;
const BELIEVED = { verdict: 'PROTECTED', state: 'ACTIVE', proved: true, trusted: true } as const;
const HEADS_ONLY = [
  {
    file: 'core/challenge/plan.ts',
    find: 'return ask(CHALLENGE_BLOCKS, [...heads, ...swept.ranges], swept.next);',
    put: 'return ask(0, heads, swept.next);',
  },
];

export const PEERS: readonly Adversary[] = [
  {
    number: 1,
    name: 'accepts and stores nothing',
    does: 'says that it took and holds every revision, fetches no byte, answers challenges with noise',
    play: storesNothing,
    expected: { outcome: 'wrong', ...UNPROVED, state: 'GRACE', served: 0 },
    defence: 'an answer is compared with the mac over our own cells',
    without: [
      {
        file: 'core/challenge/judge.ts',
        find: "equalBytes(answer.mac, expectedMac) ? 'held' : 'wrong'",
        put: "answer.mac.length === expectedMac.length ? 'held' : 'wrong'",
      },
    ],
    succeeds: { outcome: 'held', ...BELIEVED, served: 0 },
  },
  {
    number: 2,
    name: 'drops 1 %',
    does: 'throws one cell of a hundred away and answers from what lies in its place',
    play: (context) => drops(context, 3, (cell) => cell === 57),
    expected: { found: true, ...UNPROVED, state: 'ACTIVE' },
    defence: 'a daily check asks for 512 blocks anywhere',
    without: HEADS_ONLY,
    succeeds: { found: false, ...BELIEVED },
  },
  {
    number: 3,
    name: 'drops one cell',
    does: 'throws a single cell of the content away',
    play: (context) => drops(context, 81, (cell) => cell === 100),
    expected: { found: true, ...UNPROVED, state: 'ACTIVE' },
    defence: 'daily ranges sweep every cell within 80 checks, beside the sample',
    without: HEADS_ONLY,
    succeeds: { found: false, ...BELIEVED },
  },
  {
    number: 6,
    name: 'hides the bytes',
    does: 'reports that it knows the newest id, and that it holds nothing',
    play: knowsOnly,
    expected: { verdict: 'NOT_PROTECTED', proved: false, trusted: true, state: 'GRACE' },
    defence: 'a storer that acknowledged and reports nothing has lost its copy',
    without: [
      {
        file: 'daemon/contact.ts',
        find: 'if (id.length === 0) await replicaGone(session, contract, report.contractState);\n    else if',
        put: 'if',
      },
    ],
    succeeds: BELIEVED,
  },
];
