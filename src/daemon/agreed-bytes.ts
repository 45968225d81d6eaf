// The amounts of signed terms as this side sees them: what we store for the peer, and what it stores for us.

import { ownSide } from '../core/contract/sides.ts';
import type { OwnSide } from '../core/contract/sides.ts';
import { signedTermsOf } from '../core/contract/terms.ts';
import type { ContractRecord } from '../core/records.ts';
import type { Session } from './session.ts';

/** What we promised to store under this contract. */
export function giveBytes(session: Session, contract: ContractRecord): number {
  return giveBytesOf(session, contract.terms);
}

export function giveBytesOf(session: Session, terms: Buffer): number {
  return sideOf(session, terms)?.giveBytes ?? 0;
}

/** What the peer promised to store for us; 0 = it owes us no copy. */
export function getBytes(session: Session, contract: ContractRecord): number {
  return sideOf(session, contract.terms)?.getBytes ?? 0;
}

function sideOf({ keyring }: Session, terms: Buffer): OwnSide | undefined {
  return ownSide(signedTermsOf(terms), keyring.pubkey);
}
