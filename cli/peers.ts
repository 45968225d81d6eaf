// The known peers with their presence, and finding one of them as a person names it.

import { BbError } from '../src/core/errors.ts';
import { BarterBackupClientService as Service } from '../src/gen/clirpc/v1/clirpc.ts';
import type { PeerInfo } from '../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from './context.ts';

export type KnownPeer = { readonly info: PeerInfo; readonly presence: 'connected' | 'online' | 'offline' };

export async function knownPeers(context: Context): Promise<KnownPeer[]> {
  const answer = await (await context.client()).unary(Service.connectedPeers, {});
  return [
    ...answer.connectedPeers.map((info) => ({ info, presence: 'connected' as const })),
    ...answer.onlineNotConnectedPeers.map((info) => ({ info, presence: 'online' as const })),
    ...answer.offlinePeers.map((info) => ({ info, presence: 'offline' as const })),
  ];
}

/** By name, onion id, bb: URI or unique prefix of either. UNKNOWN_PEER, CONFLICT, or USAGE for no name at all. */
export function findPeer(peers: readonly KnownPeer[], reference: string): KnownPeer {
  if (reference === '') throw new BbError('USAGE', 'no peer was named');
  const wanted = reference.replace(/^bb:(\/\/)?/, '').replace(/\.onion$/, '');
  const names = ({ info }: KnownPeer): string[] => [info.peer?.name ?? '', info.peer?.onionServiceId ?? ''];
  const exact = peers.filter((peer) => names(peer).includes(wanted));
  const found = exact.length > 0 ? exact : peers.filter((peer) => names(peer).some((name) => name.startsWith(wanted)));
  if (found.length > 1) throw new BbError('CONFLICT', `"${reference}" names more than one peer`);
  if (wanted === '' || found[0] === undefined) throw new BbError('UNKNOWN_PEER', `no peer is called "${reference}"`);
  return found[0];
}

/** What the user decided about it, and what it wants, in words; "-" for nothing. */
export function marksOf({ pinned, blocked, unlisted }: PeerInfo): string {
  const marks = Object.entries({ pinned, blocked, unlisted }).flatMap(([name, isSet]) => (isSet ? [name] : []));
  return marks.length === 0 ? '-' : marks.join(', ');
}
