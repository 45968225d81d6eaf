// Several peers at once: one that wants everything, or hardly gives anything, does not keep the small one waiting.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { blobCellCount } from '../../src/core/challenge/plan.ts';
import { CELL_BYTES, DOWNLOADS_PER_PEER } from '../../src/core/limits.ts';
import { peerApiOf } from '../../src/daemon/peer-api-of.ts';
import { agree, DaemonWorld, noiseOf } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';

const NONE = Buffer.alloc(0);

/** Fetches the whole blob that the storer holds for this owner. */
async function fetchAll(owner: DaemonNode, storer: DaemonNode, lane: number, signal?: AbortSignal): Promise<number> {
  const contentId = storer.holdsFor(owner)?.contentId ?? assert.fail('nothing is held');
  const request = { contentId, offset: 0, length: 0, referenceContentId: NONE, repair: false, leaves: false };
  let bytes = 0;
  for await (const section of owner.session.client.download(storer.id, request, lane, signal && { signal })) {
    if (section.kind === 'raw') bytes += section.bytes.length;
  }
  return bytes / CELL_BYTES;
}

test('a peer that asks for everything on all its streams leaves another its share', async (context) => {
  const [storer, greedy, small] = await DaemonWorld.ready(context, 'storer', 'greedy', 'small');
  assert(storer && greedy && small);
  for (const owner of [greedy, small]) {
    await owner.api.setStorage(0, 1);
    await agree(owner, storer);
    await owner.setFiles({ some: noiseOf(owner.name, owner === greedy ? 2_500_000 : 1_500_000) });
    await storer.world.until('proved', () => owner.isProvedAt(storer) && owner.session.newest?.row.fileCount !== 0);
  }
  storer.session.scheduler.cancel(`scrub:${storer.id}`);
  // The disk gives one cell at a time, in the order in which they are asked for.
  let disk = Promise.resolve();
  storer.hooks.set('read', () => {
    storer.world.notify();
    return (disk = disk.then(() => new Promise((done) => setTimeout(done, 2))));
  });

  const leaving = new AbortController();
  const streams = Array.from({ length: DOWNLOADS_PER_PEER }, async (_, at) => {
    while (!leaving.signal.aborted) await fetchAll(greedy, storer, 1 + (at % 4), leaving.signal).catch(() => undefined);
  });
  const before = storer.bytes('returned', greedy);
  const isBusy = () => storer.bytes('returned', greedy) - before >= 4 * DOWNLOADS_PER_PEER * CELL_BYTES;
  await storer.world.until('it takes all it can get', isBusy);
  const from = storer.bytes('returned', greedy);
  const cells = await fetchAll(small, storer, 1);
  const meanwhile = (storer.bytes('returned', greedy) - from) / CELL_BYTES;
  leaving.abort();
  await Promise.all(streams);
  assert(cells > 10, 'there is something to fetch');
  // Two cells of the small one are asked for at a time beside nine of the greedy one; without turns they were 32.
  assert(meanwhile <= 7 * cells, `${meanwhile} cells for the greedy one beside ${cells}`);
});

test('pulls of owners that send nothing make room for one that does', async (context) => {
  const [storer, small, ...stalling] = await DaemonWorld.ready(context, 'storer', 'small', 'stalls', 'stalls-too');
  assert(storer && small && stalling.length === 2);
  for (const owner of stalling) {
    owner.answers.download = async function* (caller, request, signal) {
      const honest = peerApiOf(owner.session).download(caller, request, signal);
      if (request.leaves) return yield* honest;
      for await (const section of honest) {
        yield section;
        await once(signal, 'abort'); // the head, and then nothing
      }
    };
    await owner.api.setStorage(0, 1);
    await agree(owner, storer);
    await owner.setFiles({ some: noiseOf(owner.name, 1_000_000) });
  }
  const isPulled = (owner: DaemonNode) =>
    storer.session.registry.heldOf(owner.id).some(({ value }) => value.role === 'pulling' && value.list >= 0);
  await storer.world.until('both places are taken', () => stalling.every(isPulled));
  await small.api.setStorage(0, 1);
  await agree(small, storer);
  const { revision } = await small.setFiles({ some: 'a little' });
  await storer.world.until(
    'the small one is held',
    () => revision !== undefined && storer.holdsFor(small)?.contentId.equals(revision.contentId) === true,
  );
  assert.equal(storer.said('pull-failed').length, 0, 'nobody had to time out for it');
  const held = small.session.newest?.row ?? assert.fail('no content');
  assert.equal(storer.holdsFor(small)?.cells, blobCellCount(held));
});
