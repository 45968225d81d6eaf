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
      if (!this.#isKnown(caller)) end();
    });
    this.#makeRoom(session);
    return () => {
      cancelTimer();
      this.#sessions.delete(session);
    };
  }

  #makeRoom(newest: Session): void {
    const all = [...this.#sessions];
    const isKnown = this.#isKnown(newest.caller);
    const ofCaller = all.filter(({ caller }) => caller === newest.caller);
    const mayHave = isKnown ? SESSIONS_PER_PEER : 1;
    for (const { end } of ofCaller.slice(0, Math.max(0, ofCaller.length - mayHave))) end();
    if (isKnown) return;
    const strangers = [...this.#sessions].filter(({ caller }) => !this.#isKnown(caller));
    for (const { end } of strangers.slice(0, Math.max(0, strangers.length - UNKNOWN_SESSIONS))) end();
  }

  #isKnown(caller: OnionId): boolean {
    return this.#classify(caller) === 'known';
  }
}
