// What the daemon tells somebody who is about to do, or has tried, the wrong thing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DaemonWorld } from './daemon-world.ts';

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
