// Publishing between whole daemons.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agree, DaemonWorld, noiseOf } from './daemon-world.ts';

test('a set file is published, pulled, acknowledged and proved by itself', async (context) => {
  const [owner, storer] = await DaemonWorld.ready(context, 'owner', 'storer');
  assert(owner && storer);
  await owner.api.setStorage(0, 1);
  await agree(owner, storer);
  await owner.setFiles({ 'a/big': noiseOf('big', 3_000_000), 'a/small': 'small' });
  await owner.world.until('proved', () => owner.isProvedAt(storer));
  assert.equal((await owner.api.status()).verdict, 'PROTECTED');
});
