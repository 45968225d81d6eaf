// The one question: can I recover today? One verdict with its reasons and the next command
// (docs/protocol.md, "Verdict"). Invariant: PROTECTED only if `minReplicas` peers have proved the newest
// revision since this start and nothing acknowledged is outside of it.

import type { NodeMode } from '../records.ts';
import { copyOf } from './copy.ts';
import type { CopyFacts } from './copy.ts';
import { STATE_EFFECTS } from './effects.ts';

export type Verdict = 'PROTECTED' | 'AT_RISK' | 'NOT_PROTECTED';
export type VerdictReason = { readonly code: string; readonly message: string; readonly next: string };

/** What a storer says instead of pulling: not within the contract, no room on its disk, not in this state. */
export type CopyRefusal = 'QUOTA' | 'NO_SPACE' | 'REFUSED';

export const REFUSALS: { readonly [why in CopyRefusal]: string } = {
  QUOTA: 'it is more, or comes more often, than the contract allows',
  NO_SPACE: 'its disk is full',
  REFUSED: 'the contract is in no state that takes it',
};

export type ReplicaFacts = CopyFacts & {
  /** Name or short id of the peer, for people. */
  readonly peer: string;
  /** The peer proposed, and our user has not answered. */
  readonly waitsForUs: boolean;
  /** Why the contract is in its state, in words. */
  readonly stateReason: string;
  readonly acknowledged: Buffer;
  readonly lastOutcomeWrong: boolean;
  /** Why the peer does not take the newest revision; undefined = it did not refuse. */
  readonly refusal: CopyRefusal | undefined;
  readonly isConnected: boolean;
};

export type VerdictFacts = {
  readonly mode: NodeMode;
  /** Newest revision; undefined while nothing was ever set. */
  readonly newest: Buffer | undefined;
  /** A change of peers, terms or settings, or an acknowledged setfile, is not in a revision yet. */
  readonly dirty: boolean;
  readonly minReplicas: number;
  readonly replicas: readonly ReplicaFacts[];
  readonly isTorReady: boolean;
  readonly knowsPeers: boolean;
};

export type VerdictResult = {
  readonly verdict: Verdict;
  readonly reasons: readonly VerdictReason[];
  /** Peers that proved the newest revision, and those that proved only an older one. */
  readonly verifiedNewest: number;
  readonly verifiedOlder: number;
};

export function judgeProtection(facts: VerdictFacts): VerdictResult {
  const { newest } = facts;
  const proved = facts.replicas.filter((replica) => copyOf(replica, newest) !== 'none');
  const provedNewest = proved.filter((replica) => copyOf(replica, newest) === 'newest');
  // What is not in a revision yet is stored nowhere: until then every copy is of an older revision.
  const verifiedNewest = facts.dirty ? 0 : provedNewest.length;
  const verifiedOlder = proved.length - verifiedNewest;
  const isNormal = facts.mode === 'normal';
  const verdict: Verdict =
    isNormal && newest !== undefined && verifiedNewest >= facts.minReplicas
      ? 'PROTECTED'
      : proved.length > 0 && !hasNothingSet(facts)
        ? 'AT_RISK'
        : 'NOT_PROTECTED';
  return {
    verdict,
    reasons: [...(verdict === 'PROTECTED' ? doubts(facts, provedNewest) : reasons(facts, verifiedNewest))],
    verifiedNewest,
    verifiedOlder,
  };
}

function hasNothingSet({ mode, newest }: VerdictFacts): boolean {
  return mode === 'normal' && newest === undefined;
}

/** States in which a storer is not well. Of ENDING somebody has said so. */
const UNWELL: ReadonlySet<ReplicaFacts['state']> = new Set(['DEGRADED', 'GRACE', 'EXPIRED']);

/**
 * What is not well while all is PROTECTED: copies that count, though their storers have been silent or worse for days, where
 * without them too few are left; and then the contracts that are not needed for it, for they may be at the next loss.
 */
function* doubts(
  { minReplicas, replicas }: VerdictFacts,
  provedNewest: readonly ReplicaFacts[],
): Generator<VerdictReason> {
  const paused = provedNewest.filter(({ state }) => state === 'DEGRADED');
  const needed = provedNewest.length - paused.length >= minReplicas ? [] : paused;
  for (const { peer, stateReason } of needed) {
    yield reason(
      'COPY_PAUSED',
      `${peer} counts, but its contract is paused${inBrackets(stateReason)}; in GRACE its copy counts no more.`,
      `bb contracts show ${peer}`,
    );
  }
  for (const replica of replicas) {
    const { peer, state, stateReason } = replica;
    if (!UNWELL.has(state) || needed.includes(replica)) continue;
    yield reason(
      'SPARE_PAUSED',
      `The contract with ${peer} is ${state}${inBrackets(stateReason)}; enough others proved the newest revision.`,
      `bb contracts show ${peer}`,
    );
  }
}

function* reasons(facts: VerdictFacts, verifiedNewest: number): Generator<VerdictReason> {
  const counted = facts.replicas.filter(({ state }) => STATE_EFFECTS[state].countsAsCopy);
  if (hasNothingSet(facts)) {
    yield reason('NO_CONTENT', 'Nothing is set to be backed up.', 'bb setfile PATH');
  } else if (facts.mode === 'blocked') {
    yield reason('BLOCKED', 'This node looks for content that peers may hold for it.', 'bb recover');
  } else if (facts.mode === 'recovering') {
    yield reason('RECOVERING', 'This node rebuilds its content from its peers.', 'bb recover');
  }
  if (!facts.isTorReady) yield reason('TOR_NOT_READY', 'Tor is not connected, so no peer can be reached.', 'bb status');
  // Until the recovery has ended, nothing else can be done: changes are refused.
  if (facts.mode !== 'normal') return;
  if (facts.newest !== undefined && facts.dirty) {
    yield reason('CHANGE_PENDING', 'The last change is being packed into a revision.', 'bb status --wait protected');
  }
  for (const replica of facts.replicas) {
    if (replica.state === 'PROPOSED') yield notAgreed(replica);
  }
  if (counted.length < facts.minReplicas) {
    const missing = facts.minReplicas - counted.length;
    yield reason(
      'TOO_FEW_CONTRACTS',
      `${copies(facts.minReplicas)} wanted, but only ${peers(counted.length)} under contract; ${missing} more needed.`,
      facts.knowsPeers ? 'bb contracts propose PEER' : 'bb connect ONION-ID',
    );
  }
  for (const replica of facts.replicas) {
    const found = replicaReason(replica, facts);
    if (found !== undefined) yield found;
  }
  if (!facts.dirty && counted.length >= facts.minReplicas && verifiedNewest > 0) {
    yield reason(
      'TOO_FEW_PROVED',
      `${verifiedNewest} of ${copies(facts.minReplicas)} wanted are proved.`,
      'bb status --wait protected',
    );
  }
}

function notAgreed({ peer, waitsForUs }: ReplicaFacts): VerdictReason {
  return waitsForUs
    ? reason('NOT_AGREED', `${peer} proposes a contract and waits for your answer.`, `bb contracts show ${peer}`)
    : reason(
        'NOT_AGREED',
        `The contract with ${peer} is not agreed yet: the peer's user has to accept.`,
        `bb contracts show ${peer}`,
      );
}

function replicaReason(replica: ReplicaFacts, { newest }: VerdictFacts): VerdictReason | undefined {
  const { peer, state, stateReason } = replica;
  if (state === 'GRACE' || state === 'EXPIRED' || state === 'ENDING') {
    return reason(
      'NOT_COUNTED',
      `The contract with ${peer} is ${state}${inBrackets(stateReason)}; its copy does not count.`,
      `bb contracts show ${peer}`,
    );
  }
  if (state === 'PROPOSED' || state === 'RELEASED' || newest === undefined) return undefined;
  const isCarried = replica.proved.equals(newest);
  if (isCarried && replica.sinceStart) return undefined;
  const sinceStart = isCarried ? ' since this start' : '';
  if (replica.lastOutcomeWrong) {
    return reason('CHECK_WRONG', `${peer} could not prove its copy.`, `bb contracts check ${peer}`);
  }
  if (replica.refusal !== undefined) {
    const message = `${peer} does not take the newest revision: ${REFUSALS[replica.refusal]}.`;
    return reason(`PEER_${replica.refusal}`, message, `bb contracts show ${peer}`);
  }
  if (!replica.isConnected) {
    return reason(
      'PEER_OFFLINE',
      `${peer} is offline and has not proved the newest revision${sinceStart}.`,
      `bb peers show ${peer}`,
    );
  }
  return replica.acknowledged.equals(newest)
    ? reason(
        'NOT_PROVED',
        `${peer} holds the newest revision but has not proved it${isCarried ? sinceStart : ' yet'}.`,
        `bb contracts check ${peer}`,
      )
    : reason('NOT_HELD', `${peer} does not hold the newest revision yet.`, 'bb status --wait protected');
}

function inBrackets(why: string): string {
  return why === '' ? '' : ` (${why})`;
}

function reason(code: string, message: string, next: string): VerdictReason {
  return { code, message, next };
}

function copies(count: number): string {
  return count === 1 ? '1 copy' : `${count} copies`;
}

function peers(count: number): string {
  return count === 1 ? '1 peer is' : `${count} peers are`;
}
