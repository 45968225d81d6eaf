// The task after a contact: what this side has open with the peer is said again: terms without an answer, an acceptance, a
// notice. Each is idempotent at the other side.

import type { OnionId } from '../core/ids.ts';
import { sayEnd } from './end-contract.ts';
import { closeProposal } from './propose-contract.ts';
import type { Session } from './session.ts';

export async function closeOpen(session: Session, peer: OnionId, signal: AbortSignal): Promise<void> {
  try {
    await closeProposal(session, peer, signal);
  } finally {
    await sayEnd(session, peer, signal);
  }
}
