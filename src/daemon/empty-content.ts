// The content of a node without files: its peers and contracts are worth a copy, too.

import type { StagedContent } from '../ports/catalog.ts';
import type { Session } from './session.ts';

export function emptyContent(session: Session, signal: AbortSignal): Promise<StagedContent> {
  return session.deps.workers.ingest(
    {
      change: { kind: 'remove', name: Buffer.alloc(0) },
      snapshotId: session.deps.random.bytes(16),
      nowMs: session.deps.clock.nowMs(),
    },
    undefined,
    () => undefined,
    signal,
  );
}
