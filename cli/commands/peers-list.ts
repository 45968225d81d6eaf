// bb peers list.

import type { Context } from '../context.ts';
import { formatAgo, formatTable, shortId } from '../format.ts';
import type { Result } from '../output.ts';
import { knownPeers, marksOf } from '../peers.ts';
import { safeText } from '../safe-text.ts';
import { peerView } from '../views.ts';

export async function run(context: Context): Promise<Result> {
  const peers = await knownPeers(context);
  const nowMs = Date.now();
  const rows = peers.map(({ info, presence }) => [
    safeText(info.peer?.name || '-'),
    shortId(info.peer?.onionServiceId ?? ''),
    presence,
    formatAgo(info.lastReachedMs, nowMs),
    info.contractState || '-',
    info.added ? 'you' : 'a peer',
    marksOf(info),
  ]);
  const head = ['NAME', 'ONION ID', 'PRESENCE', 'REACHED', 'CONTRACT', 'ADDED BY', 'MARKS'];
  return {
    data: { peers: peers.map(({ info, presence }) => peerView(info, presence)) },
    text: rows.length === 0 ? 'No peers yet. Add one: bb connect bb:<onion id>' : formatTable([head, ...rows]),
  };
}
