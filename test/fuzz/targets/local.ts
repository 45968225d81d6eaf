// Every request of clirpc: the generated decoder as grpc-js calls it, then what the service makes of the message. The socket is
// the owner's own, so a request that cannot be decoded may end the call with any error of the decoder, and with nothing worse.

import { SecretMode } from '../../../src/gen/clirpc/v1/clirpc.ts';
import type { ProposeContractRequest, RecoverContentRequest } from '../../../src/gen/clirpc/v1/clirpc.ts';
import type { ConnectPeerRequest, InitRequest, UnlockRequest } from '../../../src/gen/clirpc/v1/clirpc.ts';
import { proposeArgs } from '../../../src/rpc/local/contract-messages.ts';
import { initArgs, unlockSecret } from '../../../src/rpc/local/identity-messages.ts';
import { localServiceDefinition } from '../../../src/rpc/local/local-service.ts';
import { peerReference } from '../../../src/rpc/local/peer-messages.ts';
import { recoverArgs } from '../../../src/rpc/local/recover-messages.ts';
import { MalformedMessage } from '../../../src/rpc/wire-checks.ts';
import { mutateProtobuf } from '../mutate-protobuf.ts';
import type { Target } from '../target.ts';

type MethodName = keyof typeof localServiceDefinition;

const PEER = { onionServiceId: 'a'.repeat(56), name: 'ben' };
const NAME = Buffer.from('docs/a');

/** Fields of a valid request; the others have the values of an empty message, and so have methods that are not here. */
const REQUESTS: Readonly<Partial<Record<MethodName, object>>> = {
  init: {
    mainPassword: Buffer.from('secret words'),
    mode: SecretMode.SECRET_MODE_PASSWORD,
    account: 'ann',
    name: 'box',
    generate: false,
    newIdentity: true,
  },
  unlock: { mainPassword: Buffer.from('secret words') },
  events: { progress: true },
  connectPeer: { peer: PEER, wait: true },
  setFile: {
    file: { name: NAME, data: Buffer.alloc(100, 1) },
    path: Buffer.from('/tmp/x'),
    fromStream: false,
    mode: 0o644,
  },
  getFile: { name: NAME },
  listFiles: { name: NAME },
  removeFile: { name: NAME, dryRun: true },
  setStorageConfig: { config: { allocatedStorageForPeers: 5n, minReplicas: 3n } },
  getContracts: { peer: PEER },
  proposeContract: { peer: PEER, giveBytes: 1n, getBytes: 2n ** 53n - 1n, durationSeconds: 0n, holdSeconds: 5n },
  checkContract: { peer: PEER },
  recoverContent: { from: PEER, complete: true, acceptSequence: 7n, acceptLoss: false },
  chat: { chatId: 5n },
};

const USES: Readonly<Partial<Record<MethodName, (message: never) => unknown>>> = {
  init: (message: InitRequest) => initArgs(message),
  unlock: (message: UnlockRequest) => unlockSecret(message),
  connectPeer: ({ peer }: ConnectPeerRequest) => peerReference(peer),
  proposeContract: (message: ProposeContractRequest) => proposeArgs(message),
  recoverContent: (message: RecoverContentRequest) => recoverArgs(message),
};

export const LOCAL_TARGETS: readonly Target[] = (Object.keys(localServiceDefinition) as MethodName[]).map((name) => {
  const { requestSerialize, requestDeserialize } = localServiceDefinition[name];
  const encode = requestSerialize as (message: object) => Buffer;
  const decode = requestDeserialize as (bytes: Buffer) => unknown;
  const use = USES[name] as ((message: unknown) => unknown) | undefined;
  return {
    name: `clirpc ${name}`,
    mutate: mutateProtobuf,
    seeds: () => [encode({ ...(decode(Buffer.alloc(0)) as object), ...REQUESTS[name] })],
    read: (input: Buffer) => {
      // Its own copy: a message with a secret is wiped once it is decoded.
      const message = decoded(() => decode(Buffer.from(input)));
      return use === undefined ? message : use(message);
    },
    refusals: ['MALFORMED'],
  };
});

function decoded(decode: () => unknown): unknown {
  try {
    return decode();
  } catch (error) {
    if (error instanceof Error) throw new MalformedMessage('grpc-js answers INTERNAL');
    throw error;
  }
}
