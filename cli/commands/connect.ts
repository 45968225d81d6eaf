// bb connect: adds a peer and tries to reach it. An unreachable peer stays added; the daemon keeps trying.

import { BbError } from '../../src/core/errors.ts';
import { parseOnionId } from '../../src/core/ids.ts';
import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context, Options } from '../context.ts';
import { textOption } from '../context.ts';
import { shortId } from '../format.ts';
import type { Result } from '../output.ts';
import { safeText } from '../safe-text.ts';
import { peerView } from '../views.ts';

export async function run(context: Context, [peer = '']: readonly string[], options: Options): Promise<Result> {
  const onionServiceId = parseOnionId(peer);
  const name = textOption(options, 'name') ?? '';
  const wait = options['wait'] !== false;
  const answer = await (await context.client()).unary(Service.connectPeer, { peer: { onionServiceId, name }, wait });
  const { reached } = answer;
  const added = answer.peer;
  const title = safeText(added?.peer?.name || shortId(onionServiceId));
  const data = {
    reached,
    peer: added === undefined ? null : peerView(added, added.connected ? 'connected' : 'offline'),
  };
  if (reached || !wait) {
    const group = added?.keyExchange ? ` (key exchange ${safeText(added.keyExchange)})` : '';
    return { data, text: reached ? `Reached ${title}${group}.` : `Added ${title}.` };
  }
  return {
    data,
    failure: new BbError('PEER_UNREACHABLE', `${title} is added, but was not reached yet`, {
      hint: 'The daemon keeps trying; see bb peers list. Your friend runs bb connect with your address too.',
    }),
  };
}
