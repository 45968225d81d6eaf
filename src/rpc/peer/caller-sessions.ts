// Who is connected to us, and for how long. A stranger has one session of a minute; so many strangers that there is no
// room for another only push each other out, never a contract peer.

import { SESSIONS_PER_PEER, UNKNOWN_SESSIONS } from '../../core/limits.ts';
import type { OnionId } from '../../core/ids.ts';
import { DEADLINES_MS } from '../../core/policy/periods.ts';
import type { CallerClass } from '../../daemon/peer-api.ts';
import type { Clock } from '../../ports/clock.ts';

type Session = { readonly caller: OnionId; readonly end: () => void };

export class CallerSessions {
  readonly #classify: (caller: OnionId) => CallerClass;
  readonly #clock: Clock;
  /** In the order of their beginning. */
  readonly #sessions = new Set<Session>();

  constructor(classify: (caller: OnionId) => CallerClass, clock: Clock) {
    this.#classify = classify;
    this.#clock = clock;
  }

  /** A session of `caller` began; `end` must destroy it. Returns what to call when it is over. */
  began(caller: OnionId, end: () => void): () => void {
    const session = { caller, end };
    this.#sessions.add(session);
    const cancelTimer = this.#clock.after(DEADLINES_MS.unknownSession, () => {
      if (!this.#isKnown(caller)) this.#end(session);
    });
    this.#makeRoom(caller);
    return () => {
      cancelTimer();
      this.#sessions.delete(session);
    };
  }

  #makeRoom(newcomer: OnionId): void {
    const isKnown = this.#isKnown(newcomer);
    this.#keepNewest(isKnown ? SESSIONS_PER_PEER : 1, (caller) => caller === newcomer);
    if (!isKnown) this.#keepNewest(UNKNOWN_SESSIONS, (caller) => !this.#isKnown(caller));
  }

  #keepNewest(count: number, isMeant: (caller: OnionId) => boolean): void {
    const meant = [...this.#sessions].filter(({ caller }) => isMeant(caller));
    for (const session of meant.slice(0, Math.max(0, meant.length - count))) this.#end(session);
  }

  /** Forgotten at once: the end itself comes a moment later and must not be counted twice. */
  #end(session: Session): void {
    this.#sessions.delete(session);
    session.end();
  }

  #isKnown(caller: OnionId): boolean {
    return this.#classify(caller) === 'known';
  }
}
