// Ending a contract by word. Notice is given, and takes effect when the other side answered; the contract is over when the
// notice and the remaining seconds are, or at once when both sides gave notice (docs/protocol.md, "Contract lifecycle").
// Invariant: promised = kept: until then the bytes stay and are served, and no notice is shorter than that of the terms.

import type { ContractState } from '../core/contract/state.ts';
import { decodeTerms, termsDigest } from '../core/contract/terms.ts';
import { ed25519Verify } from '../core/crypto/ed25519.ts';
import { BbError } from '../core/errors.ts';
import { pubkeyFromOnionId } from '../core/ids.ts';
import type { OnionId } from '../core/ids.ts';
import type { ContractRecord } from '../core/records.ts';
import { PeerRefusal } from '../core/refusal.ts';
import { isStanding, isUnknownThere, step } from './contracts.ts';
import { markDirty } from './dirty.ts';
import { dropReleased } from './held.ts';
import { plan, planFor } from './plan.ts';
import type { Session } from './session.ts';

const CONTEXT = Buffer.from('bb1/end\0', 'latin1');

/** What is signed: "bb1/end", a zero, the 32-byte digest of the terms, the notice in seconds as u64 big-endian. */
export function noticeMessage(digest: Buffer, noticeSeconds: number): Buffer {
  const notice = Buffer.alloc(8);
  notice.writeBigUInt64BE(BigInt(noticeSeconds));
  return Buffer.concat([CONTEXT, digest, notice]);
}

/**
 * `bb contracts end`: true when the peer answered; else it is told at each contact until it does, and nothing changes
 * before. NO_CONTRACT, CONFLICT when we gave notice before.
 */
export async function endContract(
  session: Session,
  peer: OnionId,
  noticeSeconds: number,
  signal: AbortSignal,
): Promise<boolean> {
  await session.registry.updateContract(peer, (contract) => {
    if (contract === undefined || !isStanding(contract.state)) {
      throw new BbError('NO_CONTRACT', 'there is no contract with this peer to end');
    }
    if (contract.endedBy === 'us') {
      const hint = 'A notice that the peer has heard cannot be changed; bb contracts show tells how long it lasts.';
      throw new BbError('CONFLICT', 'you gave notice before', { hint });
    }
    return { ...contract, noticeGivenSeconds: Math.max(noticeSeconds, decodeTerms(contract.terms).noticeSeconds) };
  });
  session.bus.emit('notice-given', { peer });
  plan(session, 'backup', 0);
  planFor(session, 'presence', peer, 0);
  return sayEnd(session, peer, signal).then(
    () => true,
    (error: unknown) => {
      session.deps.log.debug('the notice could not be told yet', { peer, detail: String(error) });
      return false;
    },
  );
}

/** The task: a notice that the peer has not answered yet is given again. */
export async function sayEnd(session: Session, peer: OnionId, signal: AbortSignal): Promise<void> {
  const contract = session.registry.contract(peer);
  if (contract === undefined || contract.noticeGivenSeconds < 0) return;
  const digest = termsDigest(contract.terms);
  const notice = contract.noticeGivenSeconds;
  const signature = session.keyring.sign(noticeMessage(digest, notice));
  const answer = session.client.endContract(peer, digest, notice, signature, { signal });
  const state = await answer.then(
    ({ state }) => state,
    (error: unknown) => {
      // Who knows of no such contract was told; what is here of it stays for the notice all the same.
      if (isUnknownThere(session, peer, error)) return undefined;
      throw error;
    },
  );
  await takeNotice(session, peer, 'us', notice, state === 'RELEASED');
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
  if (contract.endedBy === 'peer' || !isStanding(contract.state)) return { state: contract.state };
  const notice = Math.max(noticeSeconds, decodeTerms(contract.terms).noticeSeconds);
  return { state: (await takeNotice(session, caller, 'peer', notice)).state };
}

const NOTICE_WORDS = { us: 'we gave notice', peer: 'the peer gave notice' } as const;

/** The second notice ends it at once: both sides want it. So does ours where the other side is over already. */
async function takeNotice(
  session: Session,
  peer: OnionId,
  by: 'us' | 'peer',
  noticeSeconds: number,
  isOverThere = false,
): Promise<ContractRecord> {
  const before = session.registry.contract(peer);
  const isOfBoth = before?.endedBy === (by === 'us' ? 'peer' : 'us') || (by === 'peer' && isGiven(before));
  const isSecond = isOfBoth || isOverThere;
  const alone = isOverThere ? 'for the peer it was over, and we gave notice' : NOTICE_WORDS[by];
  const reason = isOfBoth ? 'both sides gave notice' : alone;
  if (before?.state !== 'RELEASED') {
    await step(session, peer, isSecond ? { kind: 'ended-by-both' } : { kind: 'ended', noticeSeconds }, reason);
  }
  const after = await session.registry.updateContract(peer, (contract) => {
    if (contract === undefined) throw new BbError('CONFLICT', 'the contract is gone');
    return { ...contract, endedBy: by, noticeGivenSeconds: by === 'us' ? -1 : contract.noticeGivenSeconds };
  });
  plan(session, 'backup', 0);
  if (after.state === 'RELEASED') await dropReleased(session, peer);
  await markDirty(session);
  return after;
}

function isGiven(contract: ContractRecord | undefined): boolean {
  return contract !== undefined && contract.noticeGivenSeconds >= 0;
}
