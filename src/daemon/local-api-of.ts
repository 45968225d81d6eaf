// The LocalApi of a daemon: each method finds the session (or says why there is none) and runs one use
// case.

import { blobCellCount } from '../core/challenge/plan.ts';
import { BbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import { changePeer, pingPeer } from './change-peer.ts';
import { checkPeer } from './check-peer.ts';
import { setSetting, settingsList } from './config-settings.ts';
import { acceptProposal, rejectProposal } from './decide-proposal.ts';
import { endContract } from './end-contract.ts';
import { proposeContract } from './propose-contract.ts';
import type { Daemon } from './daemon.ts';
import type { CheckUpdate, ContractAnswer, LocalApi, ProposeUpdate } from './local-api.ts';
import { connectPeer, findPeer } from './peers.ts';
import { doctor } from './doctor.ts';
import { followRecovery } from './follow-recovery.ts';
import { notingDamage } from './heal-own.ts';
import { namePeers } from './name-peers.ts';
import { requireTor } from './require-tor.ts';
import { removeFile, setFile } from './set-file.ts';
import type { Session } from './session.ts';
import { setStorage, showStorage } from './storage-settings.ts';
import { collectGarbage, heldViews } from './stored-for-peers.ts';
import { verifyStorage } from './verify-storage.ts';
import { contractView, peerView } from './views.ts';
import { CELL_BYTES } from '../core/limits.ts';

export function localApiOf(daemon: Daemon): LocalApi {
  return {
    health: () => ({ version: daemon.deps.version, state: daemon.state }),
    init: (args) => daemon.init(args),
    unlock: (secret) => daemon.unlock(secret),
    lock: () => daemon.lock(),
    status: () => daemon.status(),
    events: (withProgress, signal, recent) => namePeers(daemon, daemon.bus.subscribe(withProgress, signal, recent)),
    connectPeer: async (reference, name, wait) => connectPeer(daemon.session, reference, name, wait),
    peers: async () => daemon.session.registry.peers().map((peer) => peerView(daemon.session, peer)),
    changePeer: async (reference, change) => changePeer(daemon.session, findPeer(daemon.session, reference), change),
    pingPeer: async (reference, signal) => pingPeer(daemon.session, findPeer(daemon.session, reference), signal),
    setFile: async (source, onProgress, signal) => setFile(daemon.session, source, onProgress, signal),
    readFiles: (name) => readFiles(daemon, name),
    listFiles: (name) => listFiles(daemon, name),
    removeFile: async (name, dryRun) => removeFile(daemon.session, name, dryRun),
    storage: async () => showStorage(daemon.session),
    setStorage: async (limitBytes, minReplicas, broken = []) => {
      const peers = broken.map((reference) => findPeer(daemon.session, reference));
      return setStorage(daemon.session, limitBytes, minReplicas, peers);
    },
    held: async () => heldViews(daemon.session),
    collectGarbage: async (evict) => collectGarbage(daemon.session, evict),
    verifyStorage: (signal) => verifyStorage(daemon.session, signal),
    contracts: async (reference) => contracts(daemon.session, reference),
    propose: (args, signal) => propose(daemon, args, signal),
    answerProposal: async (reference, accept, signal) =>
      answer(daemon.session, reference, (peer) =>
        (accept ? acceptProposal : rejectProposal)(daemon.session, peer, signal),
      ),
    endContract: async (reference, noticeSeconds, signal) =>
      answer(daemon.session, reference, (peer) => endContract(daemon.session, peer, noticeSeconds, signal)),
    config: async () => settingsList(daemon.session),
    setConfig: async (key, value) => setSetting(daemon.session, key, value),
    check: (reference, signal) => check(daemon, reference, signal),
    recover: (args, signal) => followRecovery(daemon, args, signal),
    doctor: (args, signal) => doctor(daemon, args, signal),
  };
}

async function* readFiles(daemon: Daemon, name: Buffer): ReturnType<LocalApi['readFiles']> & AsyncGenerator {
  const { newest, deps } = daemon.session;
  if (newest !== undefined) yield* notingDamage(daemon.session, deps.workers.read(newest.row, name));
}

async function* listFiles(daemon: Daemon, name: Buffer): ReturnType<LocalApi['listFiles']> & AsyncGenerator {
  const { newest, deps } = daemon.session;
  if (newest !== undefined) yield* notingDamage(daemon.session, deps.workers.list(newest.row, name));
}

async function contracts(session: Session, reference: string) {
  const all = session.registry.contracts();
  if (reference === '') return all.map((contract) => contractView(session, contract));
  const peer = findPeer(session, reference);
  const contract = session.registry.contract(peer);
  if (contract === undefined) throw new BbError('NO_CONTRACT', 'there is no contract with this peer');
  return [contractView(session, contract)];
}

async function answer(
  session: Session,
  reference: string,
  give: (peer: OnionId) => Promise<boolean>,
): Promise<ContractAnswer> {
  const peer = findPeer(session, reference);
  const told = await give(peer);
  const contract = session.registry.contract(peer);
  if (contract === undefined) throw new BbError('NO_CONTRACT', 'there is no contract with this peer');
  return { contract: contractView(session, contract), told };
}

async function* propose(
  daemon: Daemon,
  args: Parameters<LocalApi['propose']>[0],
  signal: AbortSignal,
): AsyncGenerator<ProposeUpdate> {
  const { session } = daemon;
  const peer = findPeer(session, args.peer);
  requireTor(session);
  for await (const update of proposeContract(session, peer, args, signal)) {
    const contract = session.registry.contract(peer);
    yield { ...update, contract: contract === undefined ? undefined : contractView(session, contract) };
  }
}

async function* check(daemon: Daemon, reference: string, signal: AbortSignal): AsyncGenerator<CheckUpdate> {
  const { session } = daemon;
  const peer = findPeer(session, reference);
  requireTor(session);
  const none = { success: false, outcome: '', contentBytes: 0, sectionOffset: 0, sectionBytes: 0, blocks: 0, cells: 0 };
  yield { state: 'CHECKING_CONTENTS', ...none, newest: false };
  const result = await checkPeer(session, peer, 'daily', signal);
  const { question } = result.planned;
  const cells = question.ranges.reduce((sum, range) => sum + range.cells, 0);
  yield {
    state: result.outcome === 'wrong' ? 'INVALID_CONTENT_RETURNED' : 'COMPLETED',
    success: result.outcome === 'held',
    outcome: result.outcome,
    contentBytes: blobCellCount(result.row) * CELL_BYTES,
    sectionOffset: (question.ranges[0]?.startCell ?? 0) * CELL_BYTES,
    sectionBytes: cells * CELL_BYTES + question.count * question.blockBytes,
    blocks: question.count,
    cells,
    newest: result.newest,
  };
}
