// Somebody has the unlocked daemon of the owner: everything is replaced, the hold is cut to its shortest, the content is
// deleted at the storer. The owner, with the words on a new machine, still gets back what was good.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BbError } from '../../src/core/errors.ts';
import { agree, DaemonWorld, noiseOf } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';

const MIB = 1024 ** 2;
const DAY = 86_400;
const never = () => new AbortController().signal;

/** What the attacker does, through the daemon's own interfaces, for an hour and more. */
async function attack(owner: DaemonNode, storer: DaemonNode): Promise<void> {
  const shortest = { giveBytes: 0, getBytes: 0, durationSeconds: 0, holdSeconds: DAY, amend: true };
  for await (const { state } of owner.api.propose({ peer: storer.id, ...shortest }, never())) {
    assert.notEqual(state, 'PEER_REFUSED');
  }
  // A shorter hold needs the person at the storer, who is asked by somebody with the name of a friend.
  await storer.api.answerProposal(owner.id, true, never());
  for (let rush = 0; rush < 5; rush += 1) {
    await owner.setFiles({ photos: noiseOf(`ransom ${rush}`, 2 * MIB) });
    await owner.world.until('pulled', () => owner.isProvedAt(storer));
  }
  await owner.api.removeFile(Buffer.from('docs'), false);
  await owner.world.until('emptied', () => owner.isProvedAt(storer));
  const newest = owner.session.newest?.row.contentId ?? Buffer.alloc(0);
  const deletion = { content: undefined, previousContentId: newest, delete: true, newCells: 0 };
  await owner.session.client.setContentRevision(storer.id, deletion);
}

test('what was current before an attack with the unlocked daemon comes back', async (context) => {
  const [owner, storer] = await DaemonWorld.ready(context, 'owner', 'storer');
  assert(owner && storer);
  await owner.api.setStorage(0, 1);
  await agree(owner, storer);
  const photos = noiseOf('photos', 3 * MIB);
  await owner.setFiles({ photos });
  await owner.world.until('proved', () => owner.isProvedAt(storer));
  const good = owner.session.newest?.row.sequence ?? 0;
  // It was current for a day before it happened.
  await storer.session.registry.updateNode((old) => {
    assert(old);
    return { ...old, countedSeconds: old.countedSeconds + DAY };
  });

  await attack(owner, storer);
  // Two days pass at the storer: longer than the hold that the attacker signed.
  await storer.session.registry.updateNode((old) => {
    assert(old);
    return { ...old, countedSeconds: old.countedSeconds + 2 * DAY };
  });
  await storer.session.tasks.tick(storer.session, storer.id, never());

  // The node that was taken over says what there is to go back to, and how.
  const word = { from: '', complete: false, acceptSequence: good, acceptLoss: false };
  const take = async () => {
    for await (const { done } of owner.api.recover(word, never())) if (done) break;
  };
  await assert.rejects(take, ({ code, hint }: BbError) => {
    assert.equal(code, 'ALREADY_INITIALISED');
    assert.match(hint, new RegExp(`hold revision [\\d, ]*\\b${good}\\b.*empty --data-dir.*bb init --recover`));
    return true;
  });
  assert.equal(owner.session.node.mode, 'normal');

  await owner.wipe();
  await owner.init('recover');
  await owner.hears('holder-found');
  await take();
  await owner.world.until('recovered', () => owner.said('recovery-complete').length > 0);
  assert.deepEqual(await owner.read('docs/photos'), photos);
  // And the node goes on from there: what the attacker made does not come back over it.
  await owner.world.until('proved again', () => owner.isProvedAt(storer));
  assert.equal(owner.session.node.mode, 'normal');
  assert.deepEqual(await owner.read('docs/photos'), photos);
});
