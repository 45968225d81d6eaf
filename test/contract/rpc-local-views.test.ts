// clirpc over a real Unix socket with a scripted daemon: what the daemon knows arrives as it is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckUpdate, InitArgs, ProposeUpdate, RecoverUpdate } from '../../src/daemon/local-api.ts';
import { NodeMode, NodeState, OperationState, SecretMode, Verdict } from '../../src/gen/clirpc/v1/clirpc.ts';
import { CALLER, PEER } from './rpc-peer-fixture.ts';
import {
  rigOf,
  ask,
  streamed,
  REVISION,
  TRANSFER,
  STATUS,
  PEER_VIEW,
  STORAGE,
  CONTRACT,
  of,
  coded,
} from './rpc-local-fixture.ts';

test('identity: init, unlock, lock, health; the secret arrives whole', async () => {
  const seen: InitArgs[] = [];
  const secrets: string[] = [];
  let locked = 0;
  await using rig = await rigOf({
    init: (args) => {
      seen.push(args);
      return Promise.resolve({ words: ['one', 'two'], onionId: CALLER });
    },
    unlock: (secret) => {
      secrets.push(secret.toString());
      return Promise.resolve({ onionId: CALLER });
    },
    lock: () => {
      locked += 1;
      return Promise.resolve();
    },
    health: () => ({ version: '0.1.0', state: 'LOCKED' }),
  });
  const { client } = rig;
  const request = {
    mode: SecretMode.SECRET_MODE_PASSWORD,
    generate: false,
    mainPassword: Buffer.from('pässword'),
    account: 'anna',
    allowWeak: true,
    name: 'desk',
    newIdentity: true,
  };
  assert.deepEqual(await ask(client, 'init', request), { words: ['one', 'two'], onionServiceId: CALLER });
  assert.deepEqual(seen, [
    {
      mode: 'password',
      generate: false,
      secret: Buffer.from('pässword'),
      account: 'anna',
      allowWeak: true,
      name: 'desk',
      newIdentity: true,
    },
  ]);
  assert.deepEqual(await ask(client, 'unlock', { mainPassword: Buffer.from('words') }), {
    onionServiceId: CALLER,
  });
  assert.deepEqual(secrets, ['words']);
  await ask(client, 'lock', {});
  assert.equal(locked, 1);
  assert.deepEqual(await ask(client, 'localHealthCheck', {}), {
    version: '0.1.0',
    pid: 4711,
    dataDir: '/data',
    state: NodeState.NODE_STATE_LOCKED,
  });
  await assert.rejects(ask(client, 'unlock', { mainPassword: Buffer.alloc(0) }), coded('USAGE'));
  await assert.rejects(ask(client, 'init', { ...request, mode: 0 as never }), coded('USAGE'));
});

test('status says the same as the daemon', async () => {
  await using rig = await rigOf({ status: () => Promise.resolve(STATUS) });
  const message = await ask(rig.client, 'status', {});
  assert.equal(message.state, NodeState.NODE_STATE_UNLOCKED);
  assert.equal(message.mode, NodeMode.NODE_MODE_RECOVERING);
  assert.equal(message.verdict, Verdict.VERDICT_AT_RISK);
  assert.deepEqual(message.reasons, STATUS.reasons);
  assert.deepEqual(message.tor, {
    phase: 'bootstrapping',
    percent: 45,
    words: 'loading',
    version: '',
    published: false,
  });
  assert.equal(message.revision?.sequence, 3n);
  assert.equal(message.revision?.createdMs, 1_700_000_000_123n);
  assert.deepEqual(message.replicas[0]?.peer, { onionServiceId: PEER, name: 'anna' });
  assert.equal(message.jobs[0]?.bytesPerSec, 4n);
  assert.equal(message.jobs[0]?.etaSec, 0n);
  assert.equal(message.transfers[0]?.returnedBytes, 4n);
  assert.equal(message.secretMode, SecretMode.SECRET_MODE_PHRASE);
  assert.equal(message.timeDivisor, 60);
  assert.equal(message.missingFiles, 9n);
  assert.deepEqual(message.forks, STATUS.forks);
  assert.equal(message.fileCount, 5n);
  assert.equal(message.heldBytes, 10n);
});

test('peers, storage and contracts', async () => {
  const seen: unknown[] = [];
  const offline = { ...PEER_VIEW, connected: false, online: false };
  const online = { ...PEER_VIEW, connected: false };
  await using rig = await rigOf({
    connectPeer: (...args) => {
      seen.push(args);
      return Promise.resolve({ peer: PEER_VIEW, reached: true });
    },
    peers: () => Promise.resolve([PEER_VIEW, online, offline]),
    storage: () => Promise.resolve(STORAGE),
    setStorage: (...args) => {
      seen.push(args);
      return Promise.resolve(STORAGE);
    },
    contracts: (reference) => {
      seen.push(reference);
      return Promise.resolve([CONTRACT]);
    },
  });
  const { client } = rig;
  const peer = { onionServiceId: PEER, name: 'anna' };
  const connected = await ask(client, 'connectPeer', { peer, wait: true });
  assert.equal(connected.reached, true);
  assert.equal(connected.peer?.keyExchange, 'X25519MLKEM768');
  await assert.rejects(ask(client, 'connectPeer', { peer: undefined, wait: true }), coded('USAGE'));
  const lists = await ask(client, 'connectedPeers', {});
  assert.deepEqual(
    [lists.connectedPeers, lists.onlineNotConnectedPeers, lists.offlinePeers].map((list) => list.length),
    [1, 1, 1],
  );
  const config = { allocatedStorageForPeers: 5n, minReplicas: 0n };
  const storage = await ask(client, 'setStorageConfig', { config, breakPromisesTo: ['bob'] });
  assert.deepEqual(storage, await ask(client, 'getStorageConfig', {}));
  assert.equal(storage.info?.diskFreeBytes, 9n);
  const wrong = { config: { ...config, minReplicas: -1n }, breakPromisesTo: [] };
  await assert.rejects(ask(client, 'setStorageConfig', wrong), coded('USAGE'));
  const { contracts } = await ask(client, 'getContracts', { peer: undefined });
  assert.equal(contracts[0]?.pullingBytes, 11n);
  assert.equal(contracts[0]?.replica?.heldMs, 8n);
  assert.equal(contracts[0]?.replica?.provedSequence, 3n);
  assert.deepEqual(seen, [[PEER, 'anna', true], [5, 0, ['bob']], '']);
});

test('propose, check and recover stream their updates', async () => {
  const proposals: ProposeUpdate[] = [
    { state: 'CONNECTING_TO_PEER', success: false, reason: '', contract: undefined },
    { state: 'COMPLETED', success: true, reason: '', contract: CONTRACT },
  ];
  const check: CheckUpdate = {
    state: 'COMPLETED',
    success: true,
    outcome: 'held',
    contentBytes: 1,
    sectionOffset: 2,
    sectionBytes: 3,
    blocks: 4,
    cells: 5,
    newest: true,
  };
  const recover: RecoverUpdate = {
    phase: 'data',
    mode: 'recovering',
    newest: REVISION,
    holdersOfNewest: 1,
    holders: 2,
    versions: 3,
    downloadedBytes: 4,
    totalDownloadedBytes: 5,
    completeFiles: 6,
    missingFiles: 7,
    missingNames: [],
    recovered: false,
    waitingFor: 'more holders',
    transfers: [TRANSFER],
    done: true,
  };
  const seen: unknown[] = [];
  await using rig = await rigOf({
    propose: (args) => {
      seen.push(args);
      return of(...proposals);
    },
    check: (reference) => {
      seen.push(reference);
      return of(check);
    },
    recover: (args) => {
      seen.push(args);
      return of(recover);
    },
  });
  const peer = { onionServiceId: PEER, name: '' };
  const updates = await streamed(
    rig.client.proposeContract({
      peer,
      giveBytes: 1n,
      getBytes: 2n,
      durationSeconds: 3n,
      holdSeconds: 4n,
      amend: true,
    }),
  );
  assert.deepEqual(
    updates.map((update) => [update.state, update.success, update.contract?.peer?.name]),
    [
      [OperationState.OPERATION_STATE_CONNECTING_TO_PEER, false, undefined],
      [OperationState.OPERATION_STATE_COMPLETED, true, 'anna'],
    ],
  );
  const [checked] = await streamed(rig.client.checkContract({ peer }));
  assert.equal(checked?.outcome, 'held');
  assert.equal(checked?.cells, 5);
  const [recovering] = await streamed(
    rig.client.recoverContent({ from: undefined, complete: false, acceptSequence: 8n, acceptLoss: true }),
  );
  assert.equal(recovering?.mostRecentTs, 1_700_000_000n);
  assert.equal(recovering?.mostRecentTsNs, 123_000_000n);
  assert.equal(recovering?.waitingFor, 'more holders');
  assert.equal(recovering?.done, true);
  assert.deepEqual(seen, [
    { peer: PEER, giveBytes: 1, getBytes: 2, durationSeconds: 3, holdSeconds: 4, amend: true },
    PEER,
    { from: '', complete: false, acceptSequence: 8, acceptLoss: true },
  ]);
});
