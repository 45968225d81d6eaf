// Whether terms can be offered at all, before a person is asked to confirm them. The daemon judges again when they are offered.

import { BbError, isBbError } from '../src/core/errors.ts';
import { formatBytes } from '../src/core/format-bytes.ts';
import { TERMS_MIN_BYTES } from '../src/core/limits.ts';
import { BarterBackupClientService as Service } from '../src/gen/clirpc/v1/clirpc.ts';
import type { ContractInfo, ProposeContractRequest } from '../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from './context.ts';
import { stands } from './contract-text.ts';

/** USAGE for sizes; UNKNOWN_PEER; EXISTS, NO_CONTRACT or CONFLICT by the contract that there is; OVER_BUDGET. */
export async function requireOffer(context: Context, request: ProposeContractRequest): Promise<void> {
  requireUsefulSizes(request);
  const client = await context.client();
  const contract = await client.unary(Service.getContracts, { peer: request.peer }).then(
    ({ contracts }) => contracts[0],
    (error: unknown) => {
      if (isBbError(error, 'NO_CONTRACT')) return undefined;
      throw error;
    },
  );
  requireStanding(contract, request.amend);
  const { info } = await client.unary(Service.getStorageConfig, {});
  const own = contract?.open?.proposedByUs === true ? contract.open.giveBytes : 0n;
  const standing = request.amend ? (contract?.giveBytes ?? 0n) : 0n;
  // What is promised to this very peer is replaced, not added.
  const left = (info?.maximumPeerContentAcceptedBytes ?? 0n) + (own > standing ? own : standing);
  if (request.giveBytes > left) {
    throw new BbError('OVER_BUDGET', `the storage budget has ${formatBytes(left)} left, less than you want to give`);
  }
}

function requireUsefulSizes({ giveBytes, getBytes }: ProposeContractRequest): void {
  const bytes = [giveBytes, getBytes].find((size) => size > 0n && size < BigInt(TERMS_MIN_BYTES));
  if (bytes === undefined) return;
  const hint = `At least ${formatBytes(TERMS_MIN_BYTES)}, such as 20GiB; a number alone is bytes.`;
  throw new BbError('USAGE', `${formatBytes(bytes)} can hold nothing`, { hint });
}

function requireStanding(contract: ContractInfo | undefined, amend: boolean): void {
  if (contract?.open?.waitsForUs === true) {
    const hint = 'Answer it first: bb contracts show, then accept or reject.';
    throw new BbError('EXISTS', 'a proposal of this peer waits for your answer', { hint });
  }
  const hasTerms = contract !== undefined && stands(contract.state);
  if (hasTerms && !amend) {
    const hint = 'Change it with bb contracts amend, or see bb contracts show.';
    throw new BbError('EXISTS', 'there is a contract with this peer already', { hint });
  }
  if (!hasTerms && amend) {
    const isPending = contract?.open?.proposedByUs === true;
    const hint = 'Your proposal is not answered yet: propose anew, or take it back with bb contracts reject.';
    throw new BbError('NO_CONTRACT', 'there is no contract with this peer to amend', isPending ? { hint } : {});
  }
  if (contract?.state === 'ENDING') {
    throw new BbError('CONFLICT', 'notice was given; wait for the end, then propose anew');
  }
}
