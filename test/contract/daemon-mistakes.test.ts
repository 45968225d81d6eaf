// What the daemon tells somebody who is about to do, or has tried, the wrong thing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TERMS_MIN_BYTES } from '../../src/core/limits.ts';
import { DaemonWorld, propose } from './daemon-world.ts';

test('the question before a removal counts what the removal then counts', async (context) => {
  const [ann] = await DaemonWorld.ready(context, 'ann');
  assert(ann);
  await ann.setFiles({ 'a/b/c': '1', 'a/d': '2', e: '3' });
  const name = Buffer.from('docs/a');
  const asked = await ann.api.removeFile(name, true);
  const done = await ann.api.removeFile(name, false);
  assert.deepEqual([asked.removedFiles, done.removedFiles], [2, 2]);
  await assert.rejects(ann.api.removeFile(name, true), { code: 'NOT_FOUND' });
});

test('a folder without files can be removed as well', async (context) => {
  const [ann] = await DaemonWorld.ready(context, 'ann');
  assert(ann);
  await ann.setFiles({ 'a/b': '1', c: '2' });
  await ann.api.removeFile(Buffer.from('docs/a/b'), false);
  assert.equal((await ann.api.removeFile(Buffer.from('docs/a'), true)).removedFiles, 0);
  await ann.api.removeFile(Buffer.from('docs/a'), false);
  assert.deepEqual([...(await ann.listing()).keys()], ['docs', 'docs/c']);
});

test('a name that another peer has is refused with what can be done: no --force gives it away', async (context) => {
  const [ann, bob, eve] = await DaemonWorld.ready(context, 'ann', 'bob', 'eve');
  assert(ann && bob && eve);
  await ann.api.connectPeer(bob.id, 'pal', false);
  await ann.api.connectPeer(eve.id, 'other', false);
  const refused = { code: 'EXISTS', hint: 'Choose another name.' };
  await assert.rejects(ann.api.changePeer('other', { kind: 'rename', name: 'pal' }), refused);
});

test('an amount that can hold nothing is refused before a peer is called, also when terms are amended', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await bob.api.connectPeer(ann.id, 'ann', false);
  await ann.api.connectPeer(bob.id, 'bob', true);
  const refused = { code: 'USAGE', hint: 'At least 1.0 MiB, such as 20GiB; a number alone is bytes.' };
  await assert.rejects(propose(ann, bob, { giveBytes: 20, getBytes: 20 }), refused);
  await assert.rejects(propose(ann, bob, { giveBytes: TERMS_MIN_BYTES, getBytes: TERMS_MIN_BYTES - 1 }), refused);
  assert.deepEqual(await bob.api.contracts(''), []);
  const least = { giveBytes: TERMS_MIN_BYTES, getBytes: TERMS_MIN_BYTES };
  assert.equal((await propose(ann, bob, least)).at(-1), 'COMPLETED');
  await assert.rejects(propose(ann, bob, { giveBytes: 20, getBytes: 0, amend: true }), refused);
});

test('the scheme or the ending alone of an address names nobody, also when only one peer is known', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await ann.api.connectPeer(bob.id, 'bob', false);
  for (const reference of ['', 'bb:', 'BB://', '.onion', 'bb:.onion']) {
    await assert.rejects(ann.api.changePeer(reference, { kind: 'remove' }), { code: 'UNKNOWN_PEER' }, reference);
  }
});

test('a hold that no terms can have is refused in days before a peer is called', async (context) => {
  const DAY = 86_400;
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  await ann.api.connectPeer(bob.id, 'bob', false);
  await bob.kill();
  const refused = {
    code: 'USAGE',
    message: 'older revisions are kept for 1 to 90 days',
    hint: 'Use --hold with a number of days, such as 14d.',
  };
  for (const holdSeconds of [DAY - 1, 90 * DAY + 1]) {
    await assert.rejects(propose(ann, bob, { holdSeconds }), refused);
  }
  await assert.rejects(propose(ann, bob, { holdSeconds: 90 * DAY }), { code: 'PEER_UNREACHABLE' });
});
