// bb peers rename, pin, unpin, limit, block, unblock, remove: one decision about one peer.

import { BbError } from '../../src/core/errors.ts';
import { formatBytes } from '../../src/core/format-bytes.ts';
import { BarterBackupClientService as Service, PeerAction } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { PeerInfo } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from '../context.ts';
import type { Result } from '../output.ts';
import { findPeer, knownPeers } from '../peers.ts';
import { requireConfirmation } from '../prompt.ts';
import { parseSize } from '../quantity.ts';
import { safeText } from '../safe-text.ts';
import { peerView } from '../views.ts';

export type PeerDecision = 'rename' | 'pin' | 'unpin' | 'limit' | 'block' | 'unblock' | 'remove';

type Row = {
  readonly action: PeerAction;
  readonly done: (value: string) => string;
  readonly ask?: string;
  /** What is said in place of `done` when there is nothing to take back. */
  readonly before?: (peer: PeerInfo) => string | undefined;
};

const DECISIONS: { readonly [decision in PeerDecision]: Row } = {
  rename: { action: PeerAction.PEER_ACTION_RENAME, done: (name) => `The peer is called ${safeText(name)} now.` },
  pin: { action: PeerAction.PEER_ACTION_PIN, done: () => 'Pinned: preferred as a storer.' },
  unpin: {
    action: PeerAction.PEER_ACTION_UNPIN,
    done: () => 'Not pinned any more.',
    before: ({ pinned }) => (pinned ? undefined : 'It was not pinned.'),
  },
  limit: {
    action: PeerAction.PEER_ACTION_LIMIT,
    done: (size) => (parseSize(size) === 0 ? 'No limit of its own.' : `At most ${formatBytes(parseSize(size))}.`),
  },
  block: {
    action: PeerAction.PEER_ACTION_BLOCK,
    done: () => 'Blocked: neither answered nor called.',
    ask: 'Block this peer?',
    before: (peer) => requireNoContract(peer, 'blocked'),
  },
  unblock: {
    action: PeerAction.PEER_ACTION_UNBLOCK,
    done: () => 'Not blocked any more; bb connect adds it again.',
    before: ({ blocked }) => (blocked ? undefined : 'It was not blocked.'),
  },
  remove: {
    action: PeerAction.PEER_ACTION_REMOVE,
    done: () => 'Forgotten.',
    ask: 'Forget this peer?',
    before: (peer) => requireNoContract(peer, 'removed'),
  },
};

/** Nobody is asked about what is refused anyway. */
function requireNoContract({ contractState }: PeerInfo, what: string): undefined {
  if (['', 'PROPOSED', 'RELEASED'].includes(contractState)) return;
  const hint = 'Give notice first: bb contracts end.';
  throw new BbError('CONFLICT', `a peer with a contract cannot be ${what}`, { hint });
}

/** The command of one decision. */
export function deciding(decision: PeerDecision) {
  return async (context: Context, [onionServiceId = '', value = '']: readonly string[]): Promise<Result> => {
    const { action, done, ask, before } = DECISIONS[decision];
    if (decision === 'rename' && value === '') throw new BbError('USAGE', 'a peer needs a name');
    const nothing = before?.(findPeer(await knownPeers(context), onionServiceId).info);
    if (ask !== undefined) await requireConfirmation(context.settings, ask);
    const limitBytes = decision === 'limit' ? BigInt(parseSize(value)) : 0n;
    const name = decision === 'rename' ? value : '';
    const request = { peer: { onionServiceId, name: '' }, action, name, limitBytes };
    const { peer } = await (await context.client()).unary(Service.changePeer, request);
    const presence = peer?.connected === true ? 'connected' : 'offline';
    return { data: { peer: peer === undefined ? null : peerView(peer, presence) }, text: nothing ?? done(value) };
  };
}
