// Owners that abuse offers: of others' content, of too much, too often, without sense.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { CELL_BYTES, REVISIONS_PER_DAY } from '../../src/core/limits.ts';
import type { Offer } from '../../src/ports/peer-client.ts';
import { PeerRefusal } from '../../src/core/refusal.ts';
import type { DaemonNode } from '../contract/daemon-node.ts';
import { agree, noiseOf } from '../contract/daemon-world.ts';
import type { Adversary, Ending } from './adversary.ts';
import { MIB, NONE, newestId, proved, stateAt } from './stage.ts';

function offerOf(seed: string, previousContentId: Buffer, contentBytes = 8 * CELL_BYTES): Offer {
  const content = { contentId: noiseOf(seed, 64), contentBytes, root: noiseOf(seed, 32) };
  return { content, previousContentId, delete: false, newCells: contentBytes / CELL_BYTES };
}

async function say(from: DaemonNode, to: DaemonNode, offer: Offer): Promise<string> {
  try {
    return (await from.session.client.setContentRevision(to.id, offer)).outcome;
  } catch (error) {
    return error instanceof PeerRefusal ? error.refusal : 'refused';
  }
}

async function stage(context: TestContext) {
  const { owner, storers, world } = await proved(context, MIB, 'storer');
  const [storer = assert.fail()] = storers;
  return { owner, storer, world };
}

/** What a storer has of an owner: whether its revision is still the current one, and how many pulls it carries on. */
function copyOf(storer: DaemonNode, owner: DaemonNode, id: Buffer): Ending {
  const pulls = storer.session.registry.heldOf(owner.id).filter(({ value }) => value.role === 'pulling').length;
  return { current: storer.holdsFor(owner)?.contentId.equals(id) === true, pulls, state: stateAt(storer, owner) };
}

async function stormsStale(context: TestContext): Promise<Ending> {
  const { owner, storer } = await stage(context);
  const id = newestId(owner);
  const outcomes = new Set<string>();
  for (let time = 0; time < 40; time += 1) {
    outcomes.add(await say(owner, storer, offerOf(`storm ${time}`, noiseOf(`stale ${time}`, 64))));
  }
  return { outcomes: [...outcomes].join(), ...copyOf(storer, owner, id) };
}

async function deletesOfOthers(context: TestContext): Promise<Ending> {
  const { owner, storer, world } = await stage(context);
  const eve = await world.add('eve');
  await eve.init('generated');
  await agree(eve, storer, 8 * MIB);
  await world.until('eve is stored', () => eve.isProvedAt(storer));
  const id = newestId(owner);
  const outcome = await say(eve, storer, { content: undefined, previousContentId: id, delete: true, newCells: 0 });
  return { outcome, ...copyOf(storer, owner, id) };
}

async function saysNothing(context: TestContext): Promise<Ending> {
  const { owner, storer } = await stage(context);
  const id = newestId(owner);
  const outcome = await say(owner, storer, { content: undefined, previousContentId: id, delete: false, newCells: 0 });
  return { outcome, ...copyOf(storer, owner, id) };
}

async function announcesMuch(context: TestContext): Promise<Ending> {
  const { owner, storer } = await stage(context);
  const id = newestId(owner);
  // 64 MiB are promised; its content is there, so everything it says beyond them is too much.
  const outcome = await say(owner, storer, offerOf('huge', id, 65 * MIB));
  return { outcome, ...copyOf(storer, owner, id) };
}

async function offersEverySecond(context: TestContext): Promise<Ending> {
  const { owner, storer } = await stage(context);
  let previous = storer.session.registry.contract(owner.id)?.theirLatestKnown ?? NONE;
  let accepted = 0;
  for (let time = 0; time < REVISIONS_PER_DAY + 12; time += 1) {
    const offer = offerOf(`revision ${time}`, previous);
    if ((await say(owner, storer, offer)) === 'ACCEPTED_PULLING') accepted += 1;
    previous = offer.content?.contentId ?? NONE;
  }
  const { pulls, state } = copyOf(storer, owner, newestId(owner));
  return { bounded: accepted < REVISIONS_PER_DAY, pulls: Number(pulls) <= 1, state: state ?? '' };
}

const UNTOUCHED = { current: true, pulls: 0, state: 'ACTIVE' } as const;
const FIRST_LINE = 'if (!facts.previousId.equals(facts.latestKnown)) return';

export const PEERS: readonly Adversary[] = [
  {
    number: 16,
    name: 'stale previous_content_id storms',
    does: 'offers forty revisions one after another that name as previous what never was',
    play: stormsStale,
    expected: { outcomes: 'CAS_MISMATCH', ...UNTOUCHED },
    defence: 'nothing changes unless the previous id is the newest one known',
    without: [{ file: 'core/policy/offer.ts', find: FIRST_LINE, put: 'if (facts.previousId.length === 1) return' }],
    succeeds: { outcomes: 'ACCEPTED_PULLING', ...UNTOUCHED, pulls: 1 },
  },
  {
    number: 17,
    name: "sends delete for others' content",
    does: 'has a contract of its own and deletes by the id of another owner',
    play: deletesOfOthers,
    expected: { outcome: 'CAS_MISMATCH', ...UNTOUCHED },
    defence: 'an offer concerns the caller alone, known by its key, and names the newest id of the caller',
    without: [
      { file: 'core/policy/offer.ts', find: FIRST_LINE, put: 'if (facts.previousId.length === 1) return' },
      {
        file: 'daemon/answer-offer.ts',
        find: 'await retireCurrent(session, caller);',
        put: 'for (const { value } of session.registry.held()) if (value.contentId.equals(offer.previousContentId)) await retireCurrent(session, value.owner);',
      },
    ],
    succeeds: { outcome: 'ACCEPTED_PULLING', ...UNTOUCHED, current: false },
  },
  {
    number: 18,
    name: 'empty content without the word delete',
    does: 'offers no content at all, as a fresh node might that lost everything',
    play: saysNothing,
    expected: { outcome: 'refused', ...UNTOUCHED },
    defence: 'a missing content is malformed unless the word delete says that it is meant',
    without: [
      {
        file: 'rpc/peer/revision-messages.ts',
        find: 'if (wire.delete !== (wire.requesterContent === undefined))',
        put: 'if (wire.delete && wire.requesterContent !== undefined)',
      },
      {
        file: 'rpc/peer/revision-messages.ts',
        find: 'delete: wire.delete,\n      newCells: inRange',
        put: 'delete: wire.requesterContent === undefined,\n      newCells: inRange',
      },
    ],
    succeeds: { outcome: 'ACCEPTED_PULLING', ...UNTOUCHED, current: false },
  },
  {
    number: 19,
    name: 'announces more than was promised',
    does: 'offers a blob that is larger than the contract and would deliver it slowly',
    play: announcesMuch,
    expected: { outcome: 'QUOTA', ...UNTOUCHED },
    defence: 'what does not fit into the promise is refused before a byte of it is fetched',
    without: [
      {
        file: 'core/policy/offer.ts',
        find: 'if (facts.chargeBytes + newBytes > facts.allowanceBytes)',
        put: 'if (facts.chargeBytes < 0)',
      },
    ],
    succeeds: { outcome: 'ACCEPTED_PULLING', ...UNTOUCHED, pulls: 1 },
  },
  {
    number: 20,
    name: 'a revision every second',
    does: 'offers more revisions than a day has half hours, all at once',
    play: offersEverySecond,
    expected: { bounded: true, pulls: true, state: 'ACTIVE' },
    defence: 'a day takes so many new revisions of one owner, and one pull is carried on at a time',
    without: [
      {
        file: 'core/policy/offer.ts',
        find: 'if (facts.revisionsToday >= REVISIONS_PER_DAY)',
        put: 'if (facts.revisionsToday < 0)',
      },
    ],
    succeeds: { bounded: false, pulls: true, state: 'ACTIVE' },
  },
];
