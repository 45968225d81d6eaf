// Whom an event is about, as its user calls that peer now: an onion id alone says nothing to a person.

import type { OnionId } from '../core/ids.ts';
import type { Daemon } from './daemon.ts';
import type { DaemonEvent } from './local-api.ts';

/** The same events; one about a peer that has a name gets it as the attribute `name`. */
export async function* namePeers(
  daemon: Pick<Daemon, 'state' | 'session'>,
  events: AsyncIterable<DaemonEvent>,
): AsyncGenerator<DaemonEvent> {
  for await (const event of events) {
    const { peer } = event.attributes;
    const isKnown = peer !== undefined && daemon.state === 'UNLOCKED';
    const name = isKnown ? (daemon.session.registry.peer(peer as OnionId)?.name ?? '') : '';
    yield name === '' ? event : { ...event, attributes: { ...event.attributes, name } };
  }
}
