// OnionRoute without Tor, for tests only: each onion id leads straight to the Unix socket of its server.

import type { OnionId } from '../../src/core/ids.ts';
import type { OnionRoute } from '../../src/net/onion-route.ts';

export class LoopbackRoute implements OnionRoute {
  readonly sockets = new Map<OnionId, string>();
  /** What each opened stream was isolated by. */
  readonly isolations: string[] = [];

  target(peer: OnionId): string {
    return this.sockets.get(peer) ?? '/nonexistent';
  }

  open(_socket: unknown, _peer: OnionId, isolation: string): Promise<void> {
    this.isolations.push(isolation);
    return Promise.resolve();
  }
}
