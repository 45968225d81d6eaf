// Every change of state is an event: what the user changes, what becomes of a contract, and the verdict itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agree, DaemonWorld } from './daemon-world.ts';

test('peers, settings, proposals and the verdict are announced as they change', async (context) => {
  const [ann, bob] = await DaemonWorld.ready(context, 'ann', 'bob');
  assert(ann && bob);
  assert.equal(ann.said('verdict-changed', { from: '', to: 'NOT_PROTECTED' }).length, 1, 'told at unlock');
  await ann.api.setStorage(0, 1);
  assert.equal(ann.said('settings-changed', { replicas: '1' }).length, 1);
  await agree(ann, bob);
  for (const name of ['peer-added', 'proposal-made', 'contract-active']) {
    assert.equal(ann.said(name, { peer: bob.id }).length, 1, name);
  }
  await ann.setFiles({ a: 'bytes' });
  await ann.world.until('proved', () => ann.isProvedAt(bob));
  await ann.hears('verdict-changed', { to: 'PROTECTED' });

  await ann.api.setStorage(0, 2);
  await ann.hears('verdict-changed', { from: 'PROTECTED', to: 'AT_RISK' });
  await ann.api.setConfig('contracts.accept', 'nobody');
  assert.equal(ann.said('settings-changed', { key: 'contracts.accept', value: 'nobody' }).length, 1);
  await ann.api.changePeer(bob.id, { kind: 'rename', name: 'bobby' });
  assert.equal(ann.said('peer-changed', { peer: bob.id, change: 'rename' }).length, 1);
  assert.equal(ann.said('verdict-changed').at(-1)?.attributes['to'], (await ann.api.status()).verdict);
});
