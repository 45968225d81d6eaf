// The clirpc service: each method joined with the call of the daemon that answers it. The type of the generated service makes
// a forgotten method a compile error.

import { BbError } from '../../core/errors.ts';
import type { LocalApi } from '../../daemon/local-api.ts';
import { BarterBackupClientService } from '../../gen/clirpc/v1/clirpc.ts';
import type { BarterBackupClientServer, GetContractsRequest } from '../../gen/clirpc/v1/clirpc.ts';
import { wireNumber } from '../wire-checks.ts';
import { answerMessage, checkMessage, contractMessage, proposeArgs, proposeMessage } from './contract-messages.ts';
import { doctorMessage } from './doctor-messages.ts';
import { fileMessages, listMessages } from './file-messages.ts';
import { initArgs, unlockSecret, wipeAfter } from './identity-messages.ts';
import { failed, serverStream, unary } from './local-calls.ts';
import type { LocalCallDeps } from './local-calls.ts';
import { optionalReference, peerChange, peerInfoMessage, peerReference, peersMessage } from './peer-messages.ts';
import { recoverArgs, recoverMessage } from './recover-messages.ts';
import { setFileHandler } from './set-file.ts';
import { eventMessage, stateNumber, statusMessage } from './status-message.ts';
import { heldMessage, storageMessage, verifyMessage } from './storage-message.ts';
import { revisionMessage } from './views.ts';

export type LocalServiceDeps = LocalCallDeps & {
  readonly api: LocalApi;
  readonly pid: number;
  readonly dataDir: string;
};

/** The generated service; messages with a secret are wiped once decoded. */
export const localServiceDefinition = {
  ...BarterBackupClientService,
  init: {
    ...BarterBackupClientService.init,
    requestDeserialize: wipeAfter(BarterBackupClientService.init.requestDeserialize),
  },
  unlock: {
    ...BarterBackupClientService.unlock,
    requestDeserialize: wipeAfter(BarterBackupClientService.unlock.requestDeserialize),
  },
};

export function localHandlers(deps: LocalServiceDeps): BarterBackupClientServer {
  const { api } = deps;
  const same = <Message>(message: Message): Message => message;
  return {
    init: unary(deps, async (request) => {
      const { words, onionId } = await api.init(initArgs(request));
      return { words: [...words], onionServiceId: onionId };
    }),
    unlock: unary(deps, async (request) => ({ onionServiceId: (await api.unlock(unlockSecret(request))).onionId })),
    lock: unary(deps, async () => {
      await api.lock();
      return {};
    }),
    status: unary(deps, async () => statusMessage(await api.status())),
    events: serverStream(deps, ({ progress, recent }, signal) => api.events(progress, signal, recent), eventMessage),
    connectPeer: unary(deps, async ({ peer, wait }) => {
      const connected = await api.connectPeer(peerReference(peer), peer?.name ?? '', wait);
      return { peer: peerInfoMessage(connected.peer), reached: connected.reached };
    }),
    changePeer: unary(deps, async (request) => {
      const peer = await api.changePeer(peerReference(request.peer), peerChange(request));
      return { peer: peer && peerInfoMessage(peer) };
    }),
    pingPeer: unary(deps, async ({ peer }) => {
      return { milliseconds: BigInt(Math.round(await api.pingPeer(peerReference(peer), deps.closing))) };
    }),
    connectedPeers: unary(deps, async () => peersMessage(await api.peers())),
    setFile: setFileHandler(deps, api),
    getFile: serverStream(deps, ({ name }) => fileMessages(api.readFiles(name)), same),
    listFiles: serverStream(deps, ({ name }) => listMessages(api.listFiles(name)), same),
    removeFile: unary(deps, async ({ name, dryRun }) => {
      const { removedFiles, revision } = await api.removeFile(name, dryRun);
      return { removedFiles: BigInt(removedFiles), revision: revision && revisionMessage(revision) };
    }),
    getHeld: unary(deps, async () => ({ held: (await api.held()).map(heldMessage) })),
    collectGarbage: unary(deps, async ({ evict }) => {
      const { droppedRevisions, freedBytes, rewrittenPacks } = await api.collectGarbage(evict);
      return { droppedRevisions, freedBytes: BigInt(freedBytes), rewrittenPacks };
    }),
    verifyStorage: serverStream(deps, (_, signal) => api.verifyStorage(signal), verifyMessage),
    setStorageConfig: unary(deps, async ({ config, breakPromisesTo }) => {
      const limitBytes = wireNumber(config?.allocatedStorageForPeers ?? 0n, 'allocated_storage_for_peers');
      const minReplicas = wireNumber(config?.minReplicas ?? 0n, 'min_replicas');
      return storageMessage(await api.setStorage(limitBytes, minReplicas, breakPromisesTo));
    }),
    getStorageConfig: unary(deps, async () => storageMessage(await api.storage())),
    getContracts: unary(deps, async (request: GetContractsRequest) => ({
      contracts: (await api.contracts(optionalReference(request.peer))).map(contractMessage),
    })),
    proposeContract: serverStream(deps, (request, signal) => api.propose(proposeArgs(request), signal), proposeMessage),
    answerProposal: unary(deps, async ({ peer, accept }) =>
      answerMessage(await api.answerProposal(peerReference(peer), accept, deps.closing)),
    ),
    endContract: unary(deps, async ({ peer, noticeSeconds }) => {
      const notice = wireNumber(noticeSeconds, 'notice_seconds');
      return answerMessage(await api.endContract(peerReference(peer), notice, deps.closing));
    }),
    getConfig: unary(deps, async () => ({ settings: [...(await api.config())] })),
    setConfig: unary(deps, async ({ key, value }) => ({ settings: [...(await api.setConfig(key, value))] })),
    checkContract: serverStream(deps, ({ peer }, signal) => api.check(peerReference(peer), signal), checkMessage),
    recoverContent: serverStream(deps, (request, signal) => api.recover(recoverArgs(request), signal), recoverMessage),
    setAeadKeyForPeer: unary(deps, () => Promise.reject(notYet())),
    chat: (call) => {
      call.emit('error', failed(deps, notYet()));
    },
    doctor: serverStream(deps, ({ fix, readData }, signal) => api.doctor({ fix, readData }, signal), doctorMessage),
    localHealthCheck: unary(deps, () => {
      const { version, state } = api.health();
      return Promise.resolve({ version, pid: deps.pid, dataDir: deps.dataDir, state: stateNumber(state) });
    }),
  };
}

function notYet(): BbError {
  return new BbError('UNIMPLEMENTED', 'encrypted chats are not part of this version');
}
