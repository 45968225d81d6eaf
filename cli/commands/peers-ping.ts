// bb peers ping: one call to a peer over Tor, timed.

import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from '../context.ts';
import type { Result } from '../output.ts';

export async function run(context: Context, [onionServiceId = '']: readonly string[]): Promise<Result> {
  const request = { peer: { onionServiceId, name: '' } };
  const milliseconds = Number((await (await context.client()).unary(Service.pingPeer, request)).milliseconds);
  return { data: { reached: true, milliseconds }, text: `Answered in ${milliseconds} ms.` };
}
