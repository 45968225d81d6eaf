// bb lock: the daemon wipes its keys and leaves the network.

import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from '../context.ts';
import type { Result } from '../output.ts';

export async function run(context: Context): Promise<Result> {
  await (await context.client()).unary(Service.lock, {});
  return { data: { state: 'locked' }, text: 'Locked.' };
}
