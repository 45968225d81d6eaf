// How many copies of our content there are, from what each storer proved last: what the search for another storer and the
// status both start from.

import type { CopyFacts } from '../core/contract/copy.ts';
import { score } from '../core/contract/score.ts';
import { PERIODS_MS } from '../core/policy/periods.ts';
import { countCopies } from '../core/policy/replicas.ts';
import type { ContractRecord, PeerRecord } from '../core/records.ts';
import type { Session } from './session.ts';

/** What the copy at the other side of this contract counts by. */
export function copyFacts({ judged }: Session, { peer, state, replica }: ContractRecord): CopyFacts {
  return { state, proved: replica.proved, sinceStart: judged.has(peer) };
}

export function copiesNow(session: Session): { readonly copies: number; readonly effective: number } {
  return countCopies(
    session.registry.contracts().map((contract) => ({
      ...copyFacts(session, contract),
      score: scoreOf(session, contract),
    })),
  );
}

/** 0 to 1000; what it is worth grows with the time since it became known. */
export function scoreOf(session: Session, { peer, conduct }: ContractRecord): number {
  return score(conduct, knownForMs(session, session.registry.peer(peer)), PERIODS_MS);
}

/** In nominal milliseconds, so that a test network with divided periods grows old as fast as it lives. */
export function knownForMs({ deps }: Session, peer: PeerRecord | undefined): number {
  return peer === undefined ? 0 : Math.max(0, deps.clock.nowMs() - peer.addedMs) * deps.timeDivisor;
}
