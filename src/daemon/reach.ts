// Who can be reached now: a peer is reachable while an authenticated session in either direction is
// up. Kept in memory only; the last time is written to the peer's record now and then.

import type { OnionId } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';

type Contact = {
  outgoing: boolean;
  incoming: number;
  group: string;
  lastMs: number;
  /** Failed probes in a row since the last contact. */
  failures: number;
  lostMs: number;
};

export class Reach {
  readonly #clock: Clock;
  readonly #contacts = new Map<OnionId, Contact>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isReachable(peer: OnionId): boolean {
    const contact = this.#contacts.get(peer);
    return contact !== undefined && (contact.outgoing || contact.incoming > 0);
  }

  /** It calls us, and we cannot dial it. */
  isIncomingOnly(peer: OnionId): boolean {
    const contact = this.#contacts.get(peer);
    return contact !== undefined && contact.incoming > 0 && !contact.outgoing;
  }

  anyReachable(): boolean {
    return [...this.#contacts.keys()].some((peer) => this.isReachable(peer));
  }

  /** TLS key exchange group of the newest session, empty if there is none. */
  group(peer: OnionId): string {
    return this.isReachable(peer) ? (this.#contacts.get(peer)?.group ?? '') : '';
  }

  /** Wall clock of the last contact in this run of the daemon, 0 for none. */
  lastMs(peer: OnionId): number {
    return this.#contacts.get(peer)?.lastMs ?? 0;
  }

  failures(peer: OnionId): number {
    return this.#contacts.get(peer)?.failures ?? 0;
  }

  /** Monotonic time since when the peer is out of reach. */
  lostMs(peer: OnionId): number {
    return this.#contacts.get(peer)?.lostMs ?? 0;
  }

  outgoing(peer: OnionId, up: boolean, group: string): void {
    const contact = this.#contact(peer);
    contact.outgoing = up;
    this.#touch(peer, contact, up, group);
  }

  incoming(peer: OnionId, up: boolean, group: string): void {
    const contact = this.#contact(peer);
    contact.incoming = Math.max(0, contact.incoming + (up ? 1 : -1));
    this.#touch(peer, contact, up, group);
  }

  /** A probe or call failed; returns how many in a row. */
  failed(peer: OnionId): number {
    const contact = this.#contact(peer);
    contact.failures += 1;
    return contact.failures;
  }

  /** Drops what is known of a peer without a session; callers that are nothing to us must not fill the memory. */
  forget(peer: OnionId): void {
    if (!this.isReachable(peer)) this.#contacts.delete(peer);
  }

  #touch(peer: OnionId, contact: Contact, up: boolean, group: string): void {
    if (up) {
      if (group !== '') contact.group = group; // only the dialling side is told by Node
      contact.lastMs = this.#clock.nowMs();
      contact.failures = 0;
    } else if (!this.isReachable(peer)) {
      contact.lastMs = this.#clock.nowMs();
      contact.lostMs = this.#clock.monotonicMs();
    }
  }

  #contact(peer: OnionId): Contact {
    const known = this.#contacts.get(peer);
    if (known !== undefined) return known;
    const fresh = {
      outgoing: false,
      incoming: 0,
      group: '',
      lastMs: 0,
      failures: 0,
      lostMs: this.#clock.monotonicMs(),
    };
    this.#contacts.set(peer, fresh);
    return fresh;
  }
}
