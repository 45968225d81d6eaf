// What needs Tor says at once that there is none, instead of trying until a deadline.

import { BbError } from '../core/errors.ts';
import type { Session } from './session.ts';

/** NO_TOR when no tor could be found to start; a tor that is only not ready yet is worth waiting for. */
export function requireTor(session: Session): void {
  if (session.deps.tor.state().phase === 'absent') throw new BbError('NO_TOR', 'there is no tor on this machine');
}
