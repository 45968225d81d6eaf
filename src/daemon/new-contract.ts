// The record of a contract that begins here, whatever was known of the peer before.

import { NEW_CONDUCT } from '../core/contract/score.ts';
import { NO_OLD_HOLD } from '../core/contract/transition.ts';
import type { ContractLife } from '../core/contract/machine.ts';
import type { OnionId } from '../core/ids.ts';
import type { ContractRecord, OpenTermsRecord } from '../core/records.ts';
import { freshReplica } from './replica.ts';
import type { Session } from './session.ts';

export function newContractRecord(
  session: Session,
  peer: OnionId,
  signed: Omit<OpenTermsRecord, 'sinceMs'>,
  life: ContractLife,
): ContractRecord {
  const nowSeconds = session.node.countedSeconds;
  return {
    peer,
    terms: signed.terms,
    proposerSignature: signed.proposerSignature,
    acceptorSignature: signed.acceptorSignature,
    ...life,
    reason: '',
    sinceMs: session.deps.clock.nowMs(),
    replica: freshReplica(),
    theirLatestKnown: Buffer.alloc(0),
    theirPull: 'NONE',
    ourRemainingSeconds: 0,
    reachedSeconds: nowSeconds,
    provedSeconds: nowSeconds,
    conduct: NEW_CONDUCT,
    conductSeconds: nowSeconds,
    transitions: [],
    amendment: undefined,
    noticeGivenSeconds: -1,
    endedBy: 'nobody',
    oldHold: NO_OLD_HOLD,
  };
}
