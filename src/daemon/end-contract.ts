// A peer gives notice: the contract ends when the notice is over and our remaining seconds are used up; until then
// the bytes stay and are served (docs/protocol.md, "Contract lifecycle").
// Invariant: promised = kept: a notice shortens nothing below the notice of the terms.

import type { ContractState } from '../core/contract/state.ts';
import { decodeTerms, termsDigest } from '../core/contract/terms.ts';
import { ed25519Verify } from '../core/crypto/ed25519.ts';
import { pubkeyFromOnionId } from '../core/ids.ts';
import type { OnionId } from '../core/ids.ts';
import { PeerRefusal } from '../core/refusal.ts';
import { isStanding, step } from './contracts.ts';
import { markDirty } from './dirty.ts';
import type { Session } from './session.ts';

const CONTEXT = Buffer.from('bb1/end\0', 'latin1');

/** What is signed: "bb1/end", a zero, the 32-byte digest of the terms, the notice in seconds as u64 big-endian. */
export function noticeMessage(digest: Buffer, noticeSeconds: number): Buffer {
  const notice = Buffer.alloc(8);
  notice.writeBigUInt64BE(BigInt(noticeSeconds));
  return Buffer.concat([CONTEXT, digest, notice]);
}

/** Idempotent: a repeated notice gets the same answer. NO_CONTRACT, TERMS_REJECTED for a wrong signature. */
export async function answerEnd(
  session: Session,
  caller: OnionId,
  digest: Buffer,
  noticeSeconds: number,
  signature: Buffer,
): Promise<{ readonly state: ContractState | undefined }> {
  const contract = session.registry.contract(caller);
  if (contract === undefined || !termsDigest(contract.terms).equals(digest)) throw new PeerRefusal('NO_CONTRACT');
  if (!ed25519Verify(pubkeyFromOnionId(caller), noticeMessage(digest, noticeSeconds), signature)) {
    throw new PeerRefusal('TERMS_REJECTED');
  }
  if (contract.state === 'ENDING' || !isStanding(contract.state)) return { state: contract.state };
  const notice = Math.max(noticeSeconds, decodeTerms(contract.terms).noticeSeconds);
  const { state } = await step(session, caller, { kind: 'ended', noticeSeconds: notice }, contract.terms);
  session.bus.emit('contract-state', { peer: caller, from: contract.state, to: state, reason: 'notice was given' });
  await markDirty(session);
  return { state };
}
