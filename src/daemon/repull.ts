// Everything once more, for a storer that lost its copy: granted once in 30 days, to a contract in GRACE, so that the copy
// can be proved again and the contract cured (docs/protocol.md, "Damage").
// Invariant: the grant is durable before a byte of it is offered or served.

import { NOT_CURED } from '../core/challenge/cure.ts';
import { BbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import { mayRepull } from '../core/policy/repair.ts';
import type { ContractRecord } from '../core/records.ts';
import { step } from './contracts.ts';
import { updateReplica } from './replica.ts';
import type { Session } from './session.ts';

/** What a storer lost is more than the allowance, or everything: its copy counts no more until it is cured. */
export async function defaulted(session: Session, peer: OnionId, reason: string): Promise<void> {
  await updateReplica(session, peer, (replica) => ({ ...replica, loss: { ...replica.loss, cure: NOT_CURED } }));
  await step(session, peer, { kind: 'defaulted' }, reason);
}

/** True while the copy has to be proved as a whole before it counts again. */
export function needsCure({ state }: ContractRecord): boolean {
  return state === 'GRACE' || state === 'EXPIRED';
}

/** True if this peer may be given everything: its contract did not default, or this is the one time. */
export async function grantRepull(session: Session, peer: OnionId): Promise<boolean> {
  const judged: { grant: Grant } = { grant: 'no' };
  // Judged inside the write: the lanes of a repair ask at the same time.
  await session.registry.updateContract(peer, (contract) => {
    if (contract === undefined) throw new BbError('NO_CONTRACT', 'the contract is gone');
    const nowSeconds = session.node.countedSeconds;
    judged.grant = judgeGrant(contract, nowSeconds);
    const { replica } = contract;
    const granted = { ...replica, loss: { ...replica.loss, repullSeconds: nowSeconds } };
    return judged.grant === 'now' ? { ...contract, replica: granted } : contract;
  });
  if (judged.grant === 'now') session.bus.emit('repull-granted', { peer });
  return judged.grant !== 'no';
}

type Grant = 'no' | 'now' | 'already';

function judgeGrant(contract: ContractRecord, nowSeconds: number): Grant {
  const { loss } = contract.replica;
  if (!needsCure(contract) || loss.repullSeconds >= contract.life.enteredSeconds) return 'already';
  return mayRepull(loss, nowSeconds) ? 'now' : 'no';
}
