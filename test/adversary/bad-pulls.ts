// Owners whose content is not what they offered: the storer that pulls it must neither keep it nor spend more than was
// promised, and what it held before stays held.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { MerkleRoot } from '../../src/core/content/merkle.ts';
import { BLOB_CELLS, CELL_BYTES, PULL_FAULTS } from '../../src/core/limits.ts';
import { peerApiOf } from '../../src/daemon/peer-api-of.ts';
import type { DownloadSection } from '../../src/ports/peer-client.ts';
import type { DaemonNode } from '../contract/daemon-node.ts';
import { noiseOf } from '../contract/daemon-world.ts';
import type { Adversary, Ending } from './adversary.ts';
import { MIB, newestId, proved, stateAt } from './stage.ts';

type Sections = AsyncIterable<DownloadSection>;

/** The owner sets new content and changes what it sends of it. */
async function sends(context: TestContext, lie: (honest: Sections, isPlan: boolean) => Sections): Promise<Ending> {
  const { owner, storer, before } = await stage(context);
  owner.answers.download = (caller, request, signal) =>
    lie(peerApiOf(owner.session).download(caller, request, signal), request.leaves);
  storer.session.pullFailures.set(owner.id, { tries: 0, faults: PULL_FAULTS - 1 });
  await owner.setFiles({ big: noiseOf('another', MIB) });
  return settled(storer, owner, newestId(owner), before);
}

async function stage(context: TestContext) {
  const { owner, storers, world } = await proved(context, MIB, 'storer');
  const [storer = assert.fail()] = storers;
  await world.until('reported', () => storer.holdsFor(owner)?.reported === true);
  return { owner, storer, before: newestId(owner) };
}

/** Waits until the offer is held or let go. */
async function settled(
  storer: DaemonNode,
  owner: DaemonNode,
  offered: Buffer,
  before: Buffer,
  mark = 0,
): Promise<Ending> {
  const isHeld = () => storer.holdsFor(owner)?.contentId.equals(offered) === true;
  const isDropped = () => storer.said('pull-dropped', {}, mark).length > 0;
  await storer.world.until('held or dropped', () => isHeld() || isDropped());
  return {
    lie: isHeld() ? 'held' : 'dropped',
    kept: storer.session.registry.heldOf(owner.id).some(({ value }) => value.contentId.equals(before)),
    state: stateAt(storer, owner),
  };
}

async function* longer(honest: Sections): Sections {
  for await (const section of honest) {
    yield section.kind === 'head' ? { ...section, totalBytes: section.totalBytes + CELL_BYTES } : section;
  }
}

async function* flipped(honest: Sections): Sections {
  for await (const section of honest) {
    if (section.kind === 'raw') section.bytes.writeUInt8(section.bytes.readUInt8(7) ^ 1, 7);
    yield section;
  }
}

/** Offers blobs that are made of references only: beyond the former revision, far beyond it, and to one cell of it again and again. */
async function refers(context: TestContext): Promise<Ending> {
  const { owner, storer, before } = await stage(context);
  const { list, cells: heldCells } = storer.holdsFor(owner) ?? assert.fail();
  const leaf = await storer.session.deps.catalog.heldLeaves(list, 0, 1);
  const offer = async (seed: string, offsetBytes: number): Promise<Ending> => {
    const content = { contentId: noiseOf(seed, 64), contentBytes: SELF_CELLS * CELL_BYTES, root: rootOf(leaf) };
    owner.answers.download = async function* () {
      yield { kind: 'head', totalBytes: content.contentBytes, root: content.root };
      for (let cell = 0; cell < SELF_CELLS; cell += 1)
        yield { kind: 'reference', offsetBytes, lengthBytes: CELL_BYTES };
    };
    storer.session.pullFailures.set(owner.id, { tries: 0, faults: PULL_FAULTS - 1 });
    const previousContentId = storer.session.registry.contract(owner.id)?.theirLatestKnown ?? before;
    const mark = storer.events.length;
    await owner.session.client.setContentRevision(storer.id, {
      content,
      previousContentId,
      delete: false,
      newCells: 0,
    });
    return settled(storer, owner, content.contentId, before, mark);
  };
  const { lie: beyond = '' } = await offer('beyond', heldCells * CELL_BYTES);
  const { lie: farBeyond = '' } = await offer('far', (BLOB_CELLS - 1) * CELL_BYTES);
  return { beyond, farBeyond, ...(await offer('twice', 0)) };
}

const SELF_CELLS = 8;

/** Of a blob that has one leaf everywhere. */
function rootOf(leaf: Buffer): Buffer {
  const tree = new MerkleRoot();
  for (let cell = 0; cell < SELF_CELLS; cell += 1) tree.push(leaf);
  return tree.root();
}

/** More than any buffer on the way can hold. */
const ENDLESS = 60_000;
const BUFFERED = 20_000;

/** A plan that goes on and on, one leaf at a time. */
async function neverEnds(context: TestContext): Promise<Ending> {
  let sent = 0;
  const ending = await sends(context, async function* (honest, isPlan) {
    for await (const section of honest) {
      if (!isPlan || section.kind === 'head') yield section;
    }
    while (isPlan && sent < ENDLESS) {
      sent += 1;
      yield { kind: 'leaves', leaves: noiseOf('leaf', 32) };
    }
  });
  return { ...ending, bounded: sent < BUFFERED };
}

const REFUSED = { lie: 'dropped', kept: true, state: 'ACTIVE' } as const;
const TAKEN = { lie: 'held', kept: true, state: 'ACTIVE' } as const;

export const PEERS: readonly Adversary[] = [
  {
    number: 12,
    name: 'wrong total_length',
    does: 'says at the head of a Download that the blob is a cell longer than it was offered',
    play: (context) => sends(context, longer),
    expected: REFUSED,
    defence: 'the size of the head is the size of the offer, and the sections cover it exactly',
    without: [
      { file: 'daemon/pull.ts', find: 'if (section.totalBytes !== cells * CELL_BYTES)', put: 'if (cells < 0)' },
      {
        file: 'rpc/peer/download-cover.ts',
        find: 'if (this.#wantedBytes !== this.#coveredBytes)',
        put: 'if (this.#wantedBytes === undefined)',
      },
    ],
    succeeds: TAKEN,
  },
  {
    number: 13,
    name: 'references out of range, and to one cell again and again',
    does: 'offers blobs of references: beyond the former revision, and eight times to one cell of it under a root that fits',
    play: refers,
    expected: { ...REFUSED, beyond: 'dropped', farBeyond: 'dropped' },
    defence: 'no cell of the reference is named twice by a plan',
    without: [
      { file: 'core/policy/download-plan.ts', find: "if (byte & bit) throw bad('refers to one cell twice');", put: '' },
    ],
    succeeds: { ...TAKEN, beyond: 'dropped', farBeyond: 'dropped' },
  },
  {
    number: 14,
    name: 'sections without end',
    does: 'sends a plan of single leaves that never ends',
    play: neverEnds,
    expected: { ...REFUSED, bounded: true },
    defence: 'a stream and a plan end where the blob does',
    without: [
      {
        file: 'rpc/peer/download-cover.ts',
        find: 'if (this.#coveredBytes > this.#wantedBytes)',
        put: 'if (this.#coveredBytes < 0)',
      },
      {
        file: 'core/policy/download-plan.ts',
        find: "if (run.cells > this.#totalCells - cell) throw bad('goes beyond the end of the blob');\n    this.#nextCell",
        put: 'this.#nextCell',
      },
    ],
    succeeds: { ...REFUSED, bounded: false },
  },
  {
    number: 15,
    name: 'tree root right, bytes wrong',
    does: 'gives the leaves that it offered and then other bytes',
    play: (context) => sends(context, flipped),
    expected: REFUSED,
    defence: 'every cell is hashed and compared with its leaf before it is kept',
    without: [
      {
        file: 'daemon/pull.ts',
        find: 'if (!equalBytes(leaf, await catalog.heldLeaves(list, cell, 1))) return false;\n          await writer.add(leaf, bytes);',
        put: 'await writer.add(await catalog.heldLeaves(list, cell, 1), bytes);',
      },
    ],
    succeeds: TAKEN,
  },
];
