// A disk that was put back from an older image: what peers hold is newer, and comes back; the image replaces nothing.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { agree, DaemonWorld, noiseOf } from './daemon-world.ts';

test('an owner on an older image takes the newer revision back, files and all', async (context) => {
  const [owner, one] = await DaemonWorld.ready(context, 'owner', 'one');
  assert(owner && one);
  const { world } = owner;
  await owner.api.setStorage(1024 ** 3, 1);
  await agree(owner, one);
  await owner.setFiles({ big: noiseOf('big', 1024 ** 2), note: 'first' });
  const isProtected = async () => (await owner.api.status()).verdict === 'PROTECTED';
  await world.until('protected', isProtected);
  await owner.kill();
  const image = `${owner.dir}-image`;
  spawnSync('cp', ['-a', owner.dir, image]);
  await owner.start();
  await owner.unlock();
  await owner.setFiles({ note: 'second, which the image does not know' });
  const wanted = await owner.listing();
  await world.until('protected again', isProtected);
  await owner.kill();
  fs.rmSync(owner.dir, { recursive: true });
  fs.renameSync(image, owner.dir);
  const from = owner.events.length;
  await owner.start();
  await owner.unlock();
  await owner.hears('recovery-complete', {}, from);
  assert.equal((await owner.read('docs/note')).toString(), 'second, which the image does not know');
  assert.deepEqual(await owner.listing(), wanted);
  await world.until('protected at last', isProtected);
});
