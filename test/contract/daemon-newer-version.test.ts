// A content that a newer version wrote: the user is told to install it, by `unlock` and by `recover`, and nothing is
// reported as damage.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBbError } from '../../src/core/errors.ts';
import { metadataCodec } from '../../src/storage/stored/metadata-codec.ts';
import { agree, DaemonWorld } from './daemon-world.ts';

test('content of a newer version is INCOMPATIBLE at unlock and at recover, and no fault of the storer', async (context) => {
  const [owner, storer] = await DaemonWorld.ready(context, 'owner', 'storer');
  assert(owner && storer);
  const { world } = owner;
  const encode = metadataCodec.encode.bind(metadataCodec);
  await agree(owner, storer);
  context.mock.method(metadataCodec, 'encode', (metadata: Parameters<typeof encode>[0]) =>
    encode({ ...metadata, formatMin: 2 }),
  );
  // The new contract may be committed first; then nothing can be built on that revision any more.
  await owner.setFiles({ a: 'of the future' }).catch((error: unknown) => assert(isBbError(error, 'INCOMPATIBLE')));
  await world.until('proved', () => owner.isProvedAt(storer));
  await owner.kill();
  context.mock.reset();

  await owner.start();
  await assert.rejects(owner.unlock(), { code: 'INCOMPATIBLE' });

  await owner.wipe();
  await owner.init('recover');
  await owner.hears('holder-found');
  const told = async (): Promise<void> => {
    const args = { from: '', acceptSequence: 0, complete: false, acceptLoss: false };
    for await (const _ of owner.api.recover(args, AbortSignal.timeout(20_000)));
  };
  await assert.rejects(told(), { code: 'INCOMPATIBLE' });
  assert.equal(owner.said('peer-fault').length, 0);
});

test('a peer that speaks later versions of the protocol only is INCOMPATIBLE, and no peer to store for', async (context) => {
  const [here, later] = await DaemonWorld.ready(context, 'here', 'later');
  assert(here && later);
  const speak = (protocolMin: number, protocolMax: number) => {
    here.changes.set('healthCheck', async (hello: Promise<object>) => ({ ...(await hello), protocolMin, protocolMax }));
  };
  speak(2, 3);
  await assert.rejects(here.api.connectPeer(later.id, 'later', true), { code: 'INCOMPATIBLE' });
  assert.equal(here.session.registry.peer(later.id)?.dialledBack, false);
  speak(1, 3);
  assert.equal((await here.api.connectPeer(later.id, 'later', true)).reached, true);
  await here.world.until('it was met', () => here.session.registry.peer(later.id)?.dialledBack === true);
});
