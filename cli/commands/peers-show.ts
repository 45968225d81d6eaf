// bb peers show.

import { peerUri } from '../../src/core/ids.ts';
import type { OnionId } from '../../src/core/ids.ts';
import { formatBytes } from '../../src/core/format-bytes.ts';
import type { Context } from '../context.ts';
import { formatAgo, formatTable } from '../format.ts';
import type { Result } from '../output.ts';
import { findPeer, knownPeers, marksOf } from '../peers.ts';
import { safeText } from '../safe-text.ts';
import { peerView } from '../views.ts';

export async function run(context: Context, [reference = '']: readonly string[]): Promise<Result> {
  const { info, presence } = findPeer(await knownPeers(context), reference);
  const rows = [
    ['name', safeText(info.peer?.name || '-')],
    ['address', peerUri((info.peer?.onionServiceId ?? '') as OnionId)],
    ['presence', presence],
    ['last reached', formatAgo(info.lastReachedMs, Date.now())],
    ['key exchange', safeText(info.keyExchange || '-')],
    ['added by', info.added ? 'you' : `a peer ${safeText(info.introducer)}`.trimEnd()],
    ['contract', info.contractState || '-'],
    ['limit', info.limitBytes === 0n ? '-' : formatBytes(info.limitBytes)],
    ['marks', marksOf(info)],
  ];
  return { data: { peer: peerView(info, presence) }, text: formatTable(rows) };
}
