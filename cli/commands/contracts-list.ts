// bb contracts list.

import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from '../context.ts';
import { contractTable } from '../contract-text.ts';
import type { Result } from '../output.ts';
import { contractView } from '../views.ts';

export async function run(context: Context): Promise<Result> {
  const { contracts } = await (await context.client()).unary(Service.getContracts, { peer: undefined });
  return {
    data: { contracts: contracts.map(contractView) },
    text: contracts.length === 0 ? 'No contracts yet. Offer one: bb contracts propose PEER' : contractTable(contracts),
  };
}
