// bb identity show: the line to give to a friend.

import { BbError } from '../../src/core/errors.ts';
import { peerUri } from '../../src/core/ids.ts';
import type { OnionId } from '../../src/core/ids.ts';
import { BarterBackupClientService as Service, NodeState } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from '../context.ts';
import type { Result } from '../output.ts';
import { safeText } from '../safe-text.ts';

export async function run(context: Context): Promise<Result> {
  const status = await (await context.client()).unary(Service.status, {});
  if (status.state === NodeState.NODE_STATE_NOT_INITIALISED) {
    throw new BbError('NOT_INITIALISED', 'this data directory has no identity yet');
  }
  if (status.onionServiceId === '') throw new BbError('LOCKED', 'the address is not known while the node is locked');
  const uri = peerUri(status.onionServiceId as OnionId);
  const { name } = status;
  if (status.tor?.published !== true) context.out.note('The address is not live yet: bb status says what Tor does.');
  return {
    data: { onion_id: status.onionServiceId, uri, name, published: status.tor?.published === true },
    text: name === '' ? uri : `${uri}  ${safeText(name)}`,
  };
}
