// The bbrpc service: each method of the table joined with the call of the daemon that answers it.

import type { MethodDefinition, sendUnaryData, ServiceDefinition, UntypedHandleCall } from '@grpc/grpc-js';
import { PeerRefusal } from '../../core/refusal.ts';
import { PEER_METHODS } from './methods.ts';
import type { PeerMethodName } from './methods.ts';
import { statusOf } from './refusal-status.ts';
import { streamHandler, unaryHandler } from './server-calls.ts';
import type { CallDeps } from './server-calls.ts';

export type PeerService = {
  readonly definition: ServiceDefinition;
  readonly handlers: Readonly<Record<PeerMethodName, UntypedHandleCall>>;
};

/** For `Server.addService`. Requests and responses are raw bytes to grpc-js; our own codecs read and write them. */
export function peerService(deps: CallDeps): PeerService {
  const { api } = deps;
  return {
    definition: Object.fromEntries(
      Object.entries(PEER_METHODS).map(([name, { path, kind }]) => [name, raw(path, kind)]),
    ),
    handlers: {
      healthCheck: unaryHandler(deps, PEER_METHODS.healthCheck, (caller) => api.healthCheck(caller)),
      peerExchange: unaryHandler(deps, PEER_METHODS.peerExchange, (caller, theirs) =>
        api.exchangePeers(caller, theirs),
      ),
      getContentRevision: unaryHandler(deps, PEER_METHODS.getContentRevision, (caller, held) =>
        api.getContentRevision(caller, held),
      ),
      setContentRevision: unaryHandler(deps, PEER_METHODS.setContentRevision, (caller, offer) =>
        api.setContentRevision(caller, offer),
      ),
      download: streamHandler(deps, PEER_METHODS.download, (caller, request, signal) =>
        api.download(caller, request, signal),
      ),
      proposeContract: unaryHandler(deps, PEER_METHODS.proposeContract, (caller, { terms, signature }) =>
        api.proposeContract(caller, terms, signature),
      ),
      acceptContract: unaryHandler(deps, PEER_METHODS.acceptContract, (caller, { digest, accept, signature, reason }) =>
        api.acceptContract(caller, digest, accept, signature, reason),
      ),
      endContract: unaryHandler(deps, PEER_METHODS.endContract, (caller, { digest, noticeSeconds, signature }) =>
        api.endContract(caller, digest, noticeSeconds, signature),
      ),
      getContract: unaryHandler(deps, PEER_METHODS.getContract, (caller) => api.getContract(caller)),
      challenge: unaryHandler(deps, PEER_METHODS.challenge, (caller, question) => api.challenge(caller, question)),
      encryptedDownload: absent,
      chat: absent,
      encryptedChat: absent,
      reportLoss: unaryHandler(deps, PEER_METHODS.reportLoss, (caller, loss) => api.reportLoss(caller, loss)),
    },
  };
}

function raw(path: string, kind: 'unary' | 'stream' | 'absent'): MethodDefinition<Buffer, Buffer> {
  const same = (bytes: Buffer): Buffer => bytes;
  return {
    path,
    requestStream: false,
    responseStream: kind === 'stream',
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

function absent(_call: unknown, done: sendUnaryData<Buffer>): void {
  done(Object.assign(new Error('refused'), statusOf(new PeerRefusal('UNIMPLEMENTED'))));
}
