// bb contracts end: notice. The bytes of both sides stay for the notice and the remaining seconds.

import { BbError } from '../../src/core/errors.ts';
import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context, Options } from '../context.ts';
import { resultOf } from '../contract-answer.ts';
import { peerTitle, stands } from '../contract-text.ts';
import { formatSeconds } from '../format.ts';
import type { Result } from '../output.ts';
import { requireConfirmation } from '../prompt.ts';
import { secondsOption } from './contracts-propose.ts';

export async function run(
  context: Context,
  [onionServiceId = '']: readonly string[],
  options: Options,
): Promise<Result> {
  const asked = secondsOption(options, 'notice');
  const peer = { onionServiceId, name: '' };
  const client = await context.client();
  const [contract] = (await client.unary(Service.getContracts, { peer })).contracts;
  if (contract === undefined || !stands(contract.state)) {
    throw new BbError('NO_CONTRACT', 'there is no contract with this peer to end');
  }
  const noticeSeconds = asked > contract.noticeSeconds ? asked : contract.noticeSeconds;
  const least = asked > 0n && asked < noticeSeconds ? ' (the least that the terms allow)' : '';
  const span = `${formatSeconds(noticeSeconds)}${least}`;
  const question = `Give notice of ${span} to ${peerTitle(contract)}? Your copy there counts no more.`;
  await requireConfirmation(context.settings, question);
  const answer = await client.unary(Service.endContract, { peer, noticeSeconds });
  const isOver = answer.contract?.state === 'RELEASED';
  return resultOf(answer, isOver ? 'The contract is over.' : `Notice of ${span} given.`);
}
