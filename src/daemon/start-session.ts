// Takes an unlocked node on the network and starts its background life; and the way back.

import { plan, planFor, planPresenceAll } from './plan.ts';
import { peerApiOf } from './peer-api-of.ts';
import { onOutgoing } from './presence.ts';
import type { Session } from './session.ts';

export async function startSession(session: Session): Promise<void> {
  const { tor, periods } = session.deps;
  const network = await session.deps.openNetwork(session.keyring, peerApiOf(session));
  session.attach(network);
  session.onClose(
    network.client.onConnection(({ peer, up, group }) => {
      onOutgoing(session, peer, up, group);
    }),
  );
  let wasReady = tor.state().phase === 'ready';
  let wasPublished = false;
  session.onClose(
    tor.onState(({ phase, published }) => {
      if (phase === 'ready' && !wasReady) planPresenceAll(session);
      if (published && !wasPublished) {
        plan(session, 'selfDial', 0);
        if (session.node.mode !== 'normal') plan(session, 'recover', 0);
      }
      wasReady = phase === 'ready';
      wasPublished = published;
    }),
  );
  await tor.publish(session.keyring.torExpandedKey(), session.self);
  planPresenceAll(session);
  plan(session, 'tick', periods.tick);
  plan(session, 'backup', periods.catalogBackup);
  plan(session, 'rewrite', periods.tick);
  plan(session, 'selfDial', periods.selfDial);
  plan(session, 'packs', 0);
  plan(session, 'scrub', periods.scrubStep);
  if (session.node.dirty) plan(session, 'commit', periods.publishDebounce);
  if (session.node.mode !== 'normal') plan(session, 'recover', 0);
  if (session.node.forks.length > 0) plan(session, 'merge', 0);
  for (const { value } of session.registry.held()) {
    if (value.role === 'pulling') planFor(session, 'pull', value.owner, 0);
  }
}

/** Nothing of the session works after this, and no key is left in memory. */
export async function stopSession(session: Session): Promise<void> {
  const { tor, workers, catalog } = session.deps;
  await session.close();
  await tor.unpublish();
  await workers.lock();
  await catalog.lock();
}
