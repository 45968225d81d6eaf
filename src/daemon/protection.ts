// The verdict of now, from what the session knows, and the event when it is another one than before.

import { judgeProtection } from '../core/contract/verdict.ts';
import type { VerdictResult } from '../core/contract/verdict.ts';
import { pendingOf } from './answer-proposal.ts';
import { getBytes } from './agreed-bytes.ts';
import { isStanding } from './contracts.ts';
import { copyFacts } from './copies.ts';
import type { Session } from './session.ts';
import { peerName } from './views.ts';

export function protectionOf(session: Session): VerdictResult {
  const { deps, node, settings, newest, registry } = session;
  // Who owes us no copy is none of those that copies are expected from.
  const contracts = registry
    .contracts()
    .filter(
      (contract) => contract.state === 'PROPOSED' || (isStanding(contract.state) && getBytes(session, contract) > 0),
    );
  return judgeProtection({
    mode: node.mode,
    newest: newest === undefined || newest.row.fileCount === 0 ? undefined : newest.row.contentId,
    dirty: node.dirty,
    minReplicas: settings.minReplicas,
    replicas: contracts.map((contract) => ({
      peer: peerName(session, contract.peer),
      ...copyFacts(session, contract),
      waitsForUs: pendingOf(session, contract.peer) !== undefined,
      stateReason: contract.reason,
      acknowledged: contract.replica.acknowledged,
      lastOutcomeWrong: contract.replica.lastOutcome === 'wrong',
      refusal: newest === undefined ? undefined : session.uploads.refusal(contract.peer, newest.row.contentId),
      isConnected: session.reach.isReachable(contract.peer),
    })),
    isTorReady: deps.tor.state().phase === 'ready',
    knowsPeers: registry.peers().length > 0,
  });
}

/** Events after which the verdict may be another one. */
const MOVING: ReadonlySet<string> = new Set([
  'check-judged',
  'contract-active',
  'contract-state',
  'loss-reported',
  'mode-changed',
  'replica-lost',
  'revision-committed',
  'settings-changed',
  'unlocked',
]);

/** Called after each event, by its name. */
export function noteVerdict(session: Session, event: string): void {
  if (!MOVING.has(event)) return;
  const { verdict } = protectionOf(session);
  const before = session.lastVerdict;
  session.lastVerdict = verdict;
  if (before !== verdict) session.bus.emit('verdict-changed', { from: before ?? '', to: verdict });
}
