// The whole peer stack but tor: our client and our service over mutual TLS with onion keys, on a loopback route.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isBbError } from '../../src/core/errors.ts';
import type { OnionId } from '../../src/core/ids.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';
import { PeerRefusal } from '../../src/core/refusal.ts';
import type { PeerApi } from '../../src/daemon/peer-api.ts';
import type { PeerConnection } from '../../src/ports/peer-client.ts';
import { CallQuota } from '../../src/rpc/peer/call-quota.ts';
import { peerChannels } from '../../src/rpc/peer/channel-factory.ts';
import { GrpcPeerClient } from '../../src/rpc/peer/client.ts';
import { callerOf, servePeers } from '../../src/rpc/peer/injecting-server.ts';
import { peerService } from '../../src/rpc/peer/peer-service.ts';
import { LoopbackRoute } from '../net/loopback-route.ts';
import { realClock } from '../net/real-clock.ts';
import { silentLogger } from './rpc-peer-fixture.ts';
import { party } from './transport-fixture.ts';
import type { Party } from './transport-fixture.ts';

const SERVER = party(1);
const FRIEND = party(2);
const STRANGER = party(3);
const ABSENT = party(4);

async function rigOf() {
  const directory = await mkdtemp(join(tmpdir(), 'bb-tls-'));
  const socketPath = join(directory, 'peer');
  const route = new LoopbackRoute();
  route.sockets.set(SERVER.onion, socketPath);
  // A route that leads to another node than the one that was dialled.
  route.sockets.set(STRANGER.onion, socketPath);
  const seen: OnionId[] = [];
  const script: Partial<PeerApi> = {
    classify: (caller) => (caller === SERVER.onion ? 'own' : caller === FRIEND.onion ? 'known' : 'unknown'),
    session: () => undefined,
    healthCheck: (caller) => {
      seen.push(caller);
      return Promise.resolve({
        clientOnion: caller,
        serverOnion: SERVER.onion,
        protocolMin: 1,
        protocolMax: 1,
        instance: caller === SERVER.onion ? Buffer.alloc(16, 1) : Buffer.alloc(0),
      });
    },
    getContract: () => Promise.resolve(undefined),
    download: async function* () {
      yield { kind: 'head', totalBytes: 16 * CELL_BYTES, root: Buffer.alloc(32) };
      for (let part = 0; part < 32; part++) yield { kind: 'raw', bytes: Buffer.alloc(65_536, part) };
    },
  };
  const service = peerService({
    api: script as PeerApi,
    clock: realClock,
    logger: silentLogger,
    quota: new CallQuota(realClock),
    callerOf,
  });
  const server = await servePeers(
    { socketPath, identity: SERVER.tls, service },
    { api: script as PeerApi, clock: realClock },
  );
  const clients: GrpcPeerClient[] = [];
  return {
    seen,
    route,
    client: (who: Party): GrpcPeerClient => {
      const random = { bytes: (count: number) => randomBytes(count), fraction: () => 0.5 };
      const openChannel = peerChannels({ route, identity: who.tls, clock: realClock, random });
      const client = new GrpcPeerClient({ openChannel, clock: realClock });
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client.close();
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const ASK = {
  contentId: Buffer.alloc(64, 7),
  offset: 0,
  length: 0,
  referenceContentId: Buffer.alloc(0),
  repair: false,
  leaves: false,
};

test('the caller is who its certificate says, and the session shows a hybrid key exchange', async () => {
  await using rig = await rigOf();
  const client = rig.client(FRIEND);
  const events: PeerConnection[] = [];
  client.onConnection((event) => events.push(event));
  const hello = await client.healthCheck(SERVER.onion);
  assert.equal(hello.clientOnion, FRIEND.onion);
  assert.equal(hello.instance.length, 0);
  assert.deepEqual(rig.seen, [FRIEND.onion]);
  assert.deepEqual(events, [{ peer: SERVER.onion, up: true, group: 'X25519MLKEM768' }]);
  assert.equal((await rig.client(SERVER).healthCheck(SERVER.onion)).instance.length, 16);
});

test('own key and strangers get no further than they may', async () => {
  await using rig = await rigOf();
  const refused = (error: unknown): boolean => error instanceof PeerRefusal && error.refusal === 'NO_CONTRACT';
  await assert.rejects(rig.client(SERVER).getContract(SERVER.onion), refused);
  await assert.rejects(rig.client(STRANGER).getContract(SERVER.onion), refused);
  assert.equal(await rig.client(FRIEND).getContract(SERVER.onion), undefined);
});

test('a node with another key, or none at all, is PEER_UNREACHABLE', async () => {
  await using rig = await rigOf();
  const client = rig.client(FRIEND);
  const unreachable = (error: unknown): boolean => isBbError(error, 'PEER_UNREACHABLE');
  await assert.rejects(client.healthCheck(STRANGER.onion), unreachable);
  await assert.rejects(client.healthCheck(ABSENT.onion), unreachable);
  assert.deepEqual(rig.seen, []);
});

test('downloads run on all lanes at once, each on a circuit of its own', async () => {
  await using rig = await rigOf();
  const client = rig.client(FRIEND);
  const counts = await Promise.all(
    [1, 2, 3, 4].map(async (lane) => {
      let bytes = 0;
      for await (const section of client.download(SERVER.onion, ASK, lane)) {
        if (section.kind === 'raw') bytes += section.bytes.length;
      }
      return bytes;
    }),
  );
  assert.deepEqual(
    counts,
    [1, 2, 3, 4].map(() => 16 * CELL_BYTES),
  );
  assert.equal(new Set(rig.route.isolations).size, 4);
});
