// Dials our own onion: it proves that we can be reached from Tor, and it finds a twin, a second node on
// the same secret, by its instance. A twin stops all publishing at once.

import { plan } from './plan.ts';
import type { Session } from './session.ts';

export async function selfDial(session: Session, signal: AbortSignal): Promise<void> {
  plan(session, 'selfDial', session.deps.periods.selfDial);
  if (!session.deps.tor.state().published) {
    session.selfReached = false;
    return;
  }
  try {
    const hello = await session.client.healthCheck(session.self, { signal });
    session.selfReached = true;
    if (hello.instance.equals(session.instance)) {
      session.bus.emit('self-reached', {});
      return;
    }
    session.twinFound = true;
    session.bus.emit('twin-found', {});
    session.deps.log.warn('another node runs under the same secret; publishing has stopped');
  } catch (error) {
    session.selfReached = false;
    if (!signal.aborted) session.deps.log.debug('the self-dial failed', { detail: String(error) });
  } finally {
    session.client.forget(session.self); // a connection that stays would lead to ourselves for ever, whoever came since
  }
}
