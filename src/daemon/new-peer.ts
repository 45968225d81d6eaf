// A peer that became known just now: a stranger without any right.

import type { OnionId } from '../core/ids.ts';
import type { PeerRecord } from '../core/records.ts';
import type { Session } from './session.ts';

export function newPeer(session: Session, onionId: OnionId): PeerRecord {
  return {
    onionId,
    name: '',
    added: false,
    addedMs: session.deps.clock.nowMs(),
    introducer: undefined,
    pinned: false,
    aeadKey: Buffer.alloc(0),
    lastReachedMs: 0,
    dialledBack: false,
    blocked: false,
    unlisted: false,
    limitBytes: 0,
  };
}
