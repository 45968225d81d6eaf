// bb contracts end: notice. The bytes of both sides stay for the notice and the remaining seconds.

import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context, Options } from '../context.ts';
import { resultOf } from '../contract-answer.ts';
import type { Result } from '../output.ts';
import { requireConfirmation } from '../prompt.ts';
import { secondsOption } from './contracts-propose.ts';

export async function run(
  context: Context,
  [onionServiceId = '']: readonly string[],
  options: Options,
): Promise<Result> {
  const noticeSeconds = secondsOption(options, 'notice');
  await requireConfirmation(context.settings, 'Give notice? Your copy there counts no more.');
  const request = { peer: { onionServiceId, name: '' }, noticeSeconds };
  return resultOf(await (await context.client()).unary(Service.endContract, request), 'Notice given.');
}
