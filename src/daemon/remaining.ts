// Remaining seconds of a peer at this node, now.

import { remainingSeconds } from '../core/contract/ledger.ts';
import { signedTermsOf } from '../core/contract/terms.ts';
import type { ContractRecord } from '../core/records.ts';
import type { Session } from './session.ts';

export function remainingOf(session: Session, contract: ContractRecord): number {
  const { graceCapSeconds } = signedTermsOf(contract.terms);
  return Math.floor(remainingSeconds(contract.ledger, session.node.countedSeconds, graceCapSeconds));
}
