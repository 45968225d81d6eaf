// Every bbrpc method from our client to our server and back, every refusal by name, and who may call what.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CELL_BYTES, UNKNOWN_CALLS_PER_MINUTE } from '../../src/core/limits.ts';
import { PeerRefusal } from '../../src/core/refusal.ts';
import type { RefusalName } from '../../src/core/refusal.ts';
import type { DownloadRequest, RevisionReport } from '../../src/ports/peer-client.ts';
import { PEER_METHODS } from '../../src/rpc/peer/methods.ts';
import { CALLER, collect, PEER, serve } from './rpc-peer-fixture.ts';
import type { Rig } from './rpc-peer-fixture.ts';

const ID = Buffer.alloc(64, 7);
const ROOT = Buffer.alloc(32, 8);
const SIGNATURE = Buffer.alloc(64, 9);
const DIGEST = Buffer.alloc(32, 10);
const CONTENT = { contentId: ID, contentBytes: 3 * CELL_BYTES, root: ROOT };

const REPORT: RevisionReport = {
  requesterContent: CONTENT,
  requesterRemainingSeconds: 86_400,
  responderContent: { ...CONTENT, contentBytes: CELL_BYTES },
  requesterLatestKnown: ID,
  requesterOlder: [CONTENT, CONTENT],
  contractState: 'GRACE',
  responderRecovering: true,
  requesterPull: 'QUOTA',
};

const ASK: DownloadRequest = {
  contentId: ID,
  offset: 0,
  length: 0,
  referenceContentId: Buffer.alloc(0),
  repair: false,
  leaves: false,
};

test('unary methods carry every field both ways', async () => {
  const seen: unknown[] = [];
  const note =
    <Answer>(answer: Answer) =>
    (...args: unknown[]) => {
      seen.push(args);
      return Promise.resolve(answer);
    };
  await using rig = await serve({
    healthCheck: note({
      clientOnion: CALLER,
      serverOnion: PEER,
      protocolMin: 1,
      protocolMax: 2,
      instance: ROOT.subarray(16),
    }),
    exchangePeers: note({ peers: [PEER], unlisted: true }),
    getContentRevision: note(REPORT),
    setContentRevision: note({ outcome: 'CAS_MISMATCH' as const, latestKnown: ID }),
    proposeContract: note({ answer: 'ACCEPTED' as const, signature: SIGNATURE, reason: '' }),
    acceptContract: note({ state: 'ACTIVE' as const }),
    getContract: note({
      terms: Buffer.from('terms'),
      proposerSignature: SIGNATURE,
      acceptorSignature: Buffer.alloc(0),
      state: 'PROPOSED' as const,
      remainingSeconds: 5,
    }),
    challenge: note({ mac: DIGEST, blocksRead: 512 }),
  });
  const { client } = rig;

  assert.deepEqual(await client.healthCheck(PEER), {
    clientOnion: CALLER,
    serverOnion: PEER,
    protocolMin: 1,
    protocolMax: 2,
    instance: ROOT.subarray(16),
  });
  assert.deepEqual(await client.exchangePeers(PEER, { peers: [CALLER, PEER], unlisted: false }), {
    peers: [PEER],
    unlisted: true,
  });
  assert.deepEqual(await client.getContentRevision(PEER, ID), REPORT);
  const offer = { content: CONTENT, previousContentId: ID, delete: false, newCells: 3 };
  assert.deepEqual(await client.setContentRevision(PEER, offer), { outcome: 'CAS_MISMATCH', latestKnown: ID });
  assert.deepEqual(await client.proposeContract(PEER, Buffer.from('terms'), SIGNATURE), {
    answer: 'ACCEPTED',
    signature: SIGNATURE,
    reason: '',
  });
  assert.deepEqual(await client.acceptContract(PEER, DIGEST, true, SIGNATURE, 'because'), { state: 'ACTIVE' });
  assert.equal((await client.getContract(PEER))?.state, 'PROPOSED');
  const question = {
    contentId: ID,
    nonce: ROOT,
    seed: DIGEST,
    count: 512,
    blockBytes: 4096,
    ranges: [
      { startCell: 0, cells: 1 },
      { startCell: 1, cells: 2 },
    ],
  };
  assert.deepEqual(await client.challenge(PEER, question), { mac: DIGEST, blocksRead: 512 });

  assert.deepEqual(seen, [
    [CALLER],
    [CALLER, { peers: [CALLER, PEER], unlisted: false }],
    [CALLER, ID],
    [CALLER, offer],
    [CALLER, Buffer.from('terms'), SIGNATURE],
    [CALLER, DIGEST, true, SIGNATURE, 'because'],
    [CALLER],
    [CALLER, question],
  ]);
});

test('an offer to delete, no contract, no content: absence survives the wire', async () => {
  const offers: unknown[] = [];
  await using rig = await serve({
    setContentRevision: (_caller, offer) => {
      offers.push(offer);
      return Promise.resolve({ outcome: 'ACCEPTED_PULLING', latestKnown: Buffer.alloc(0) });
    },
    getContract: () => Promise.resolve(undefined),
    getContentRevision: () =>
      Promise.resolve({
        ...REPORT,
        requesterContent: { contentId: Buffer.alloc(0), contentBytes: 0, root: Buffer.alloc(0) },
        responderContent: undefined,
        requesterOlder: [],
        contractState: undefined,
        requesterPull: 'NONE',
      }),
  });
  const offer = { content: undefined, previousContentId: ID, delete: true, newCells: 0 };
  await rig.client.setContentRevision(PEER, offer);
  assert.deepEqual(offers, [offer]);
  assert.equal(await rig.client.getContract(PEER), undefined);
  const report = await rig.client.getContentRevision(PEER, Buffer.alloc(0));
  assert.equal(report.requesterContent?.contentId.length, 0);
  assert.equal(report.responderContent, undefined);
  assert.equal(report.contractState, undefined);
});

test('each refusal keeps its name, and RATE_LIMITED its time', async () => {
  const names: readonly RefusalName[] = [
    'NO_CONTRACT',
    'TERMS_REJECTED',
    'UNKNOWN_CONTENT',
    'BAD_RANGE',
    'SUPERSEDED',
    'RATE_LIMITED',
    'RECOVERING',
    'REPLICA_LOST',
    'CHALLENGE_BUSY',
    'UNSUPPORTED_VERSION',
    'UNIMPLEMENTED',
    'INTERNAL',
  ];
  let next: unknown;
  await using rig = await serve({
    healthCheck: () => Promise.reject(next),
    // eslint-disable-next-line require-yield -- the refusal comes before any section
    download: async function* () {
      throw next;
    },
  });
  for (const name of names) {
    next = new PeerRefusal(name, 17);
    for (const call of [() => rig.client.healthCheck(PEER), () => collect(rig.client.download(PEER, ASK, 1))]) {
      await assert.rejects(call(), (error: unknown) => {
        assert.ok(error instanceof PeerRefusal, String(error));
        assert.equal(error.refusal, name);
        assert.equal(error.retryAfterSeconds, 17);
        return true;
      });
    }
  }
});

test('any other error of ours is INTERNAL to the peer and nothing more', async () => {
  await using rig = await serve({
    healthCheck: () => Promise.reject(new Error('/home/somebody/secret')),
  });
  await assert.rejects(rig.client.healthCheck(PEER), (error: unknown) => {
    assert.ok(error instanceof PeerRefusal);
    assert.equal(error.refusal, 'INTERNAL');
    assert.doesNotMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), /somebody/);
    return true;
  });
});

test('who may call what: own key only HealthCheck, strangers four methods, known peers all', async () => {
  const allowed = {
    own: ['healthCheck'],
    unknown: ['healthCheck', 'peerExchange', 'getContentRevision', 'proposeContract'],
  } as const;
  for (const callerClass of ['own', 'unknown', 'known'] as const) {
    const present = Object.entries(PEER_METHODS).flatMap(([name, method]) => (method.kind === 'absent' ? [] : [name]));
    const may: readonly string[] = callerClass === 'known' ? present : allowed[callerClass];
    const granted: string[] = [];
    for (const [name, call] of Object.entries(everyCall)) {
      await using rig = await serve({ classify: () => callerClass });
      await assert.rejects(call(rig), (error: unknown) => {
        assert.ok(error instanceof PeerRefusal, `${name}: ${String(error)}`);
        // The script answers INTERNAL, so that name means that the call came through.
        if (error.refusal === 'INTERNAL') granted.push(name);
        else assert.equal(error.refusal, 'NO_CONTRACT');
        return true;
      });
    }
    const callable = Object.keys(everyCall).filter((name) => may.includes(name));
    assert.deepEqual(granted, callable, callerClass);
  }
});

const everyCall: Record<string, (rig: Rig) => Promise<unknown>> = {
  healthCheck: ({ client }) => client.healthCheck(PEER),
  peerExchange: ({ client }) => client.exchangePeers(PEER, { peers: [], unlisted: true }),
  getContentRevision: ({ client }) => client.getContentRevision(PEER, Buffer.alloc(0)),
  setContentRevision: ({ client }) =>
    client.setContentRevision(PEER, {
      content: CONTENT,
      previousContentId: Buffer.alloc(0),
      delete: false,
      newCells: 1,
    }),
  download: ({ client }) => collect(client.download(PEER, ASK, 1)),
  proposeContract: ({ client }) => client.proposeContract(PEER, Buffer.from('t'), SIGNATURE),
  acceptContract: ({ client }) => client.acceptContract(PEER, DIGEST, true, SIGNATURE, ''),
  getContract: ({ client }) => client.getContract(PEER),
  challenge: ({ client }) =>
    client.challenge(PEER, { contentId: ID, nonce: ROOT, seed: ROOT, count: 1, blockBytes: 4096, ranges: [] }),
};

test('a caller without an onion key is refused', async () => {
  await using rig = await serve({ classify: () => assert.fail('nobody was classified') }, undefined, 'nobody');
  await assert.rejects(
    rig.client.healthCheck(PEER),
    (error: unknown) => error instanceof PeerRefusal && error.refusal === 'NO_CONTRACT',
  );
});

test('a stranger has ten calls a minute, and is told when the next one is free', async () => {
  const hello = { clientOnion: CALLER, serverOnion: PEER, protocolMin: 1, protocolMax: 1, instance: Buffer.alloc(0) };
  await using rig = await serve({ classify: () => 'unknown', healthCheck: () => Promise.resolve(hello) });
  for (let call = 0; call < UNKNOWN_CALLS_PER_MINUTE; call++) await rig.client.healthCheck(PEER);
  await assert.rejects(
    rig.client.healthCheck(PEER),
    (error: unknown) =>
      error instanceof PeerRefusal && error.refusal === 'RATE_LIMITED' && error.retryAfterSeconds === 6,
  );
  rig.clock.advance(6000);
  await rig.client.healthCheck(PEER);
  await assert.rejects(rig.client.healthCheck(PEER), PeerRefusal);
});
