// bb contracts ledger: what each side owes the other, and every step of the contract with its reason.

import { BbError } from '../../src/core/errors.ts';
import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { ContractInfo } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from '../context.ts';
import { formatSeconds, formatTable, formatTime } from '../format.ts';
import { owedRows } from '../contract-text.ts';
import type { Result } from '../output.ts';
import { safeText } from '../safe-text.ts';
import { ledgerView } from '../views.ts';

export async function run(context: Context, [onionServiceId = '']: readonly string[]): Promise<Result> {
  const peer = { onionServiceId, name: '' };
  const [contract] = (await (await context.client()).unary(Service.getContracts, { peer })).contracts;
  if (contract === undefined) throw new BbError('NO_CONTRACT', 'there is no contract with this peer');
  return { data: ledgerView(contract), text: ledgerText(contract) };
}

function ledgerText(contract: ContractInfo): string {
  const rows = owedRows(contract);
  const owed = rows.length === 0 ? 'no contract stands: neither side owes the other any time' : formatTable(rows);
  const head = ['WHEN', 'FROM', 'TO', 'WE OWE', 'WHY'];
  const steps = contract.transitions.map((step) => [
    formatTime(step.atMs),
    safeText(step.from),
    safeText(step.to),
    formatSeconds(step.remainingSeconds),
    safeText(step.reason || step.event),
  ]);
  return steps.length === 0 ? owed : `${owed}\n\n${formatTable([head, ...steps])}`;
}
