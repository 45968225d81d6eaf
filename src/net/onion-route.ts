// The seam between the authenticated transport and Tor. In src there is one implementation, through Tor's SOCKS socket;
// tests plug a loopback into it, so that no code path around Tor exists in the product.

import type { Socket } from 'node:net';
import type { OnionId } from '../core/ids.ts';

export interface OnionRoute {
  /** Path of the Unix socket to connect to for this peer, or `host:port` on loopback; TOR_UNREACHABLE when there is none yet. */
  target(peer: OnionId): string;
  /**
   * Turns the connected `socket` into a stream to the peer's onion service. Streams with different `isolation` never
   * share a circuit. Rejects with PEER_UNREACHABLE or TOR_UNREACHABLE; the socket is destroyed then.
   */
  open(socket: Socket, peer: OnionId, isolation: string, deadlineMs: number): Promise<void>;
}
