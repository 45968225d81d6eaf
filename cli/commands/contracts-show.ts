// bb contracts show.

import { BbError } from '../../src/core/errors.ts';
import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from '../context.ts';
import { contractText } from '../contract-text.ts';
import type { Result } from '../output.ts';
import { contractView } from '../views.ts';

export async function run(context: Context, [onionServiceId = '']: readonly string[]): Promise<Result> {
  const peer = { onionServiceId, name: '' };
  const [contract] = (await (await context.client()).unary(Service.getContracts, { peer })).contracts;
  if (contract === undefined) throw new BbError('NO_CONTRACT', 'there is no contract with this peer');
  return { data: { contract: contractView(contract) }, text: contractText(contract, Date.now()) };
}
