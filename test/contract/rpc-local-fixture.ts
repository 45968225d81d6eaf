// A scripted daemon behind our local server, and a generated client that talks to it. For tests only.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { BbError } from '../../src/core/errors.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import type {
  ContractView,
  LocalApi,
  PeerView,
  ProgressView,
  ReplicaView,
  RevisionView,
  StatusView,
  StorageView,
} from '../../src/daemon/local-api.ts';
import { BarterBackupClientClient, BarterBackupClientService } from '../../src/gen/clirpc/v1/clirpc.ts';
import { startLocalServer } from '../../src/rpc/local/server.ts';
import type { LocalServer } from '../../src/rpc/local/server.ts';
import { CALLER, collect, PEER, silentLogger, TestClock } from './rpc-peer-fixture.ts';

export type Rig = {
  readonly client: BarterBackupClientClient;
  readonly server: LocalServer;
  readonly socketPath: string;
  readonly clock: TestClock;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function rigOf(script: Partial<LocalApi>): Promise<Rig> {
  const directory = await mkdtemp(join(tmpdir(), 'bb-cli-'));
  const socketPath = join(directory, 'sock', 'bb.sock');
  const clock = new TestClock();
  const api = new Proxy({} as LocalApi, {
    get: (_target, name) =>
      Reflect.get(script, name) ??
      (() => {
        throw new BbError('CONFLICT', `the script does not answer ${String(name)}`);
      }),
  });
  const server = await startLocalServer({ socketPath, api, clock, logger: silentLogger, pid: 4711, dataDir: '/data' });
  const client = new BarterBackupClientClient(`unix:${socketPath}`, credentials.createInsecure());
  return {
    client,
    server,
    socketPath,
    clock,
    async [Symbol.asyncDispose]() {
      client.close();
      const closed = server.close();
      clock.advance(60_000);
      await closed;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export type Service = typeof BarterBackupClientService;

/** A unary call of the generated client as a promise. */
export function ask<Name extends keyof Service>(
  client: BarterBackupClientClient,
  name: Name,
  request: Parameters<Service[Name]['requestSerialize']>[0],
): Promise<ReturnType<Service[Name]['responseDeserialize']>> {
  const method = BarterBackupClientService[name];
  const serialize = method.requestSerialize as (value: typeof request) => Buffer;
  const deserialize = method.responseDeserialize as (bytes: Buffer) => ReturnType<Service[Name]['responseDeserialize']>;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(method.path, serialize, deserialize, request, (error, response) => {
      if (error !== null || response === undefined) reject(error);
      else resolve(response);
    });
  });
}

export const streamed = <Item>(stream: ClientReadableStream<Item>): Promise<Item[]> =>
  collect(stream as AsyncIterable<Item>);

export const REVISION: RevisionView = {
  contentId: Buffer.alloc(64, 1),
  generation: 2,
  sequence: 3,
  createdMs: 1_700_000_000_123,
  contentBytes: 4 * 131_072,
  fileCount: 5,
  fileBytes: 6,
};

export const REPLICA: ReplicaView = {
  peer: PEER,
  name: 'anna',
  newest: true,
  verified: true,
  outcome: 'held',
  checkedMs: 7,
  heldMs: 8,
  state: 'acknowledged',
  sequence: 3,
  provedSequence: 3,
};

export const PROGRESS: ProgressView = {
  job: 'set',
  phase: 'read',
  done: 1,
  total: 2,
  bytesPerSec: 3.7,
  etaSec: Number.POSITIVE_INFINITY,
};
export const TRANSFER = {
  peer: PEER,
  name: 'anna',
  servedBytes: 1,
  pulledBytes: 2,
  recoveredBytes: 3,
  returnedBytes: 4,
};

export const STATUS: StatusView = {
  state: 'UNLOCKED',
  mode: 'recovering',
  verdict: 'AT_RISK',
  reasons: [{ code: 'few-copies', message: 'One copy.', next: 'bb connect' }],
  onionId: CALLER,
  name: 'desk',
  tor: { phase: 'bootstrapping', percent: 45.4, words: 'loading', version: undefined, published: false },
  revision: REVISION,
  replicas: [REPLICA],
  verifiedReplicas: 1,
  effectiveReplicas: 0.5,
  forecast: 'With one more peer lost no proved copy is left.',
  weakest: { copies: 0, files: 3, names: [Buffer.from('notes/new.txt')] },
  minReplicas: 2,
  provenMs: 0,
  jobs: [PROGRESS],
  transfers: [TRANSFER],
  timeDivisor: 60,
  version: '0.1.0',
  pending: true,
  missingFiles: 9,
  forks: [Buffer.alloc(64, 2)],
  secretMode: 'phrase',
  heldBytes: 10,
};

export const PEER_VIEW: PeerView = {
  onionId: PEER,
  name: 'anna',
  added: true,
  connected: true,
  online: true,
  lastReachedMs: 999_999,
  group: 'X25519MLKEM768',
  introducer: '',
  contractState: 'ACTIVE',
  pinned: true,
  blocked: false,
  unlisted: true,
  limitBytes: 19,
  addedMs: 1,
};

export const STORAGE: StorageView = {
  limitBytes: 1,
  minReplicas: 2,
  onlineBytes: 3,
  offlineBytes: 4,
  expiredBytes: 5,
  ourContentBytes: 6,
  acceptableBytes: 7,
  promisedBytes: 8,
  diskFreeBytes: 9,
};

export const CONTRACT: ContractView = {
  peer: PEER,
  name: 'anna',
  synced: true,
  ourRemainingSeconds: 1,
  theirRemainingSeconds: 2,
  theirContentBytes: 3,
  online: true,
  state: 'ACTIVE',
  explanation: 'all is well',
  giveBytes: 4,
  getBytes: 5,
  durationSeconds: 6,
  holdSeconds: 7,
  checkPeriodSeconds: 8,
  noticeSeconds: 9,
  replica: REPLICA,
  termsVersion: 10,
  proposedByUs: true,
  pullingBytes: 11,
  open: {
    proposedByUs: false,
    waitsForUs: true,
    giveBytes: 12,
    getBytes: 13,
    durationSeconds: 14,
    holdSeconds: 15,
    sinceMs: 16,
  },
  endedBy: 'peer',
  noticeUnanswered: true,
  transitions: [
    { atMs: 17, from: 'PROPOSED', to: 'ACTIVE', event: 'agreed', reason: 'both signed', remainingSeconds: 18 },
  ],
};

export async function* of<Item>(...items: Item[]): AsyncGenerator<Item> {
  yield* items;
}

export function coded(code: ErrorCode): (error: unknown) => boolean {
  return (error) => (error as ServiceError).metadata.get('bb-code')[0] === code;
}
